package postgres

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// Sighted is an open drift with what a report now says of its resource.
type Sighted struct {
	ID       uuid.UUID
	Resource *drift.Resource
}

// UpdateDrifts gives open drifts the values, action and severity they have
// now. Each gets a `changed` event that keeps those it had before. Status,
// address and what is counted of it stay. It returns how many there were.
func (tx *Tx) UpdateDrifts(ctx context.Context, up *Upload, sighted iter.Seq2[Sighted, error]) (int, error) {
	var total int
	batch := &updates{source: tx.eventSource(up.at())}
	for s, err := range sighted {
		if err != nil {
			return 0, err
		}
		if batch.add(s); batch.full() {
			n, err := tx.writeUpdates(ctx, up, batch)
			if err != nil {
				return 0, err
			}
			total += n
			batch.reset()
		}
	}
	n, err := tx.writeUpdates(ctx, up, batch)
	return total + n, err
}

// updates is one statement's worth of changed drifts, a slice per column.
type updates struct {
	source *idSource
	ids    []uuid.UUID
	text   [9][]string // in the order of the statement's unnest
	prints [][]byte
	noise  []*string
	buf    []byte
	bytes  int
}

// maxUpdateBytes bounds the parameters of one statement.
const maxUpdateBytes = 4 << 20

func (u *updates) full() bool { return len(u.ids) == chunk || u.bytes >= maxUpdateBytes }

func (u *updates) reset() {
	u.ids, u.prints, u.noise, u.bytes = u.ids[:0], u.prints[:0], u.noise[:0], 0
	for i := range u.text {
		u.text[i] = u.text[i][:0]
	}
}

// add copies what it keeps: a resource is valid until the next one only.
func (u *updates) add(s Sighted) {
	r := s.Resource
	u.ids = append(u.ids, s.ID)
	u.prints = append(u.prints, append([]byte(nil), r.Fingerprint[:]...))
	u.buf = drift.AppendChanges(u.buf[:0], r.News)
	for i, text := range [len(u.text)]string{
		r.Type, r.Provider, r.CloudID, r.Region, r.Account,
		string(r.Action), string(r.Severity), r.SeverityReason, string(u.buf),
	} {
		u.text[i] = append(u.text[i], strings.Clone(text))
		u.bytes += len(text)
	}
	var noise *string
	if u.buf = appendNoise(u.buf[:0], r.Noise); u.buf != nil {
		text := string(u.buf)
		noise = &text
		u.bytes += len(text)
	}
	u.noise = append(u.noise, noise)
}

func (tx *Tx) writeUpdates(ctx context.Context, up *Upload, u *updates) (int, error) {
	if len(u.ids) == 0 {
		return 0, nil
	}
	rows, err := tx.tx.Query(ctx, `-- name: UpdateDrifts
		WITH changed AS (
			UPDATE drifts d SET type = w.type, provider = w.provider, cloud_id = w.cloud_id, region = w.region,
				account = w.account, action = w.action, severity = w.severity, severity_reason = w.severity_reason,
				changes = w.changes::json, noise = w.noise::json, fingerprint = w.fingerprint
			FROM unnest(@ids::uuid[], @events::uuid[], @types::text[], @providers::text[], @cloud_ids::text[],
					@regions::text[], @accounts::text[], @actions::text[], @severities::text[], @reasons::text[],
					@changes::text[], @noise::text[], @fingerprints::bytea[])
				AS w (id, event_id, type, provider, cloud_id, region, account, action, severity, severity_reason,
					changes, noise, fingerprint)
			JOIN drifts was ON was.id = w.id
			WHERE d.id = w.id AND d.stack_id = @stack AND d.status <> 'resolved'
			RETURNING d.id, w.event_id, d.status, was.bucket AS from_bucket, d.bucket AS to_bucket,
				json_build_object('before', json_build_object(
					'action', was.action, 'severity', was.severity, 'changes', was.changes)) AS detail
		), logged AS (
			INSERT INTO events (id, at, stack_id, drift_id, scan_id, action, actor, from_status, to_status, detail,
				correlation_id, trace_id, span_id, client_address, user_agent, seal_id)
			SELECT event_id, @at, @stack, id, @scan, 'changed', @actor, status, status, detail, @correlation, @trace, @span,
				nullif(@client, ''), nullif(@agent, ''), @seal
			FROM changed
		)
		SELECT from_bucket, to_bucket, count(*) FROM changed GROUP BY 1, 2`,
		tx.args(up, pgx.NamedArgs{
			"ids": u.ids, "events": eventIDs(u.source, len(u.ids)), "types": u.text[0], "providers": u.text[1],
			"cloud_ids": u.text[2], "regions": u.text[3], "accounts": u.text[4], "actions": u.text[5],
			"severities": u.text[6], "reasons": u.text[7], "changes": u.text[8], "noise": u.noise, "fingerprints": u.prints,
		}))
	if err != nil {
		return 0, classify(fmt.Errorf("update drifts: %w", err))
	}
	n, err := tx.counts.moved(up.Stack.ID, rows)
	if err != nil {
		return 0, classify(fmt.Errorf("update drifts: %w", err))
	}
	return n, nil
}
