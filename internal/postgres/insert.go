package postgres

import (
	"context"
	"fmt"
	"iter"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/drift"
)

// InsertDrifts stores new drifts, each with a `detected` event, and returns
// their ids in the same order. keys are those of the resources, known before
// the resources themselves are read; a new drift names the last resolved one
// with its key as its predecessor. Resources stream through: memory does not
// grow with them.
func (tx *Tx) InsertDrifts(ctx context.Context, up *Upload, keys []drift.Key, resources iter.Seq2[*drift.Resource, error]) ([]uuid.UUID, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	previous, err := tx.previousDrifts(ctx, up.Stack, keys)
	if err != nil {
		return nil, err
	}
	row := newDriftRow(up, previous)
	source := newCopySource(resources, row.set, row.values)
	defer source.close()
	n, err := tx.tx.CopyFrom(ctx, pgx.Identifier{"drifts"}, driftColumns, source)
	source.repanic()
	if source.err != nil {
		return nil, fmt.Errorf("insert drifts: %w", source.err)
	}
	if err != nil {
		return nil, classify(fmt.Errorf("insert drifts: %w", err))
	}
	if int(n) != len(keys) {
		return nil, fmt.Errorf("insert drifts: %d keys, but %d resources", len(keys), n)
	}
	for b, n := range row.perBucket {
		tx.counts.add(up.Stack.ID, bucket(b), n)
	}
	if err := tx.insertDetected(ctx, up, row.ids); err != nil {
		return nil, err
	}
	return row.ids, nil
}

// previousDrifts finds the last resolved drift of each key that has one.
func (tx *Tx) previousDrifts(ctx context.Context, stack *Stack, keys []drift.Key) (map[drift.Key]uuid.UUID, error) {
	var resolvedBefore bool
	err := tx.tx.QueryRow(ctx, `-- name: HasResolvedDrifts
		SELECT EXISTS (SELECT FROM drift_counts WHERE stack_id = $1 AND bucket >= $2 AND drifts > 0)`,
		stack.ID, int16(firstResolved)).Scan(&resolvedBefore)
	if err != nil {
		return nil, classify(fmt.Errorf("resolved drifts: %w", err))
	}
	previous := make(map[drift.Key]uuid.UUID)
	for i := 0; resolvedBefore && i < len(keys); i += chunk {
		part := keys[i:min(i+chunk, len(keys))]
		origins, addresses := make([]string, len(part)), make([]string, len(part))
		for j, k := range part {
			origins[j], addresses[j] = string(k.Origin), k.Address
		}
		rows, err := tx.tx.Query(ctx, `-- name: PreviousDrifts
			SELECT k.n, last.id
			FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS k (origin, address, n)
			CROSS JOIN LATERAL (
				SELECT d.id FROM drifts d
				WHERE d.stack_id = $1 AND d.address = k.address AND d.origin = k.origin AND d.bucket = ANY ($4::smallint[])
				ORDER BY d.id DESC LIMIT 1
			) AS last`, stack.ID, origins, addresses, bucketsOf([]drift.Status{drift.Resolved}, nil, nil))
		if err != nil {
			return nil, classify(fmt.Errorf("previous drifts: %w", err))
		}
		var n int64
		var id uuid.UUID
		_, err = pgx.ForEachRow(rows, []any{&n, &id}, func() error {
			previous[part[n-1]] = id
			return nil
		})
		if err != nil {
			return nil, classify(fmt.Errorf("previous drifts: %w", err))
		}
	}
	return previous, nil
}

var driftColumns = []string{
	"id", "stack_id", "scan_id", "previous_id", "address", "type", "provider", "cloud_id", "region", "account",
	"origin", "action", "severity", "severity_reason", "status", "detected_at", "last_seen_at", "times_seen",
	"seen_scans", "status_changed_at", "fingerprint", "changes", "noise",
}

// driftRow is the one row that every resource is written through. Its values
// are pointers to its fields, made once: boxing 23 values for each of a
// hundred thousand rows costs more than sending them.
type driftRow struct {
	up       *Upload
	previous map[drift.Key]uuid.UUID
	source   *idSource
	ids      []uuid.UUID

	perBucket [bucketCount]int64
	values    []any

	id, stack, scan, predecessor                             pgtype.UUID
	address, typ, provider, cloudID, region, account, reason pgtype.Text
	origin, action, severity, status                         pgtype.Text
	at                                                       pgtype.Timestamptz
	timesSeen, seenScans                                     pgtype.Int8
	fingerprint, changes, noise                              []byte
}

func newDriftRow(up *Upload, previous map[drift.Key]uuid.UUID) *driftRow {
	r := &driftRow{
		up: up, previous: previous, source: newIDSource(up.at()),
		stack:     pgtype.UUID{Bytes: up.Stack.ID, Valid: true},
		scan:      pgtype.UUID{Bytes: up.Scan.ID, Valid: true},
		status:    pgtype.Text{String: string(drift.Detected), Valid: true},
		at:        pgtype.Timestamptz{Time: up.at(), Valid: true},
		timesSeen: pgtype.Int8{Int64: 1, Valid: true},
	}
	r.values = []any{
		&r.id, &r.stack, &r.scan, &r.predecessor, &r.address, &r.typ, &r.provider, &r.cloudID, &r.region, &r.account,
		&r.origin, &r.action, &r.severity, &r.reason, &r.status, &r.at, &r.at, &r.timesSeen,
		&r.seenScans, &r.at, &r.fingerprint, &r.changes, &r.noise,
	}
	return r
}

func (r *driftRow) set(res *drift.Resource) {
	id := r.source.next()
	r.ids = append(r.ids, id)
	r.id = pgtype.UUID{Bytes: id, Valid: true}
	before, found := r.previous[res.Key()]
	r.predecessor = pgtype.UUID{Bytes: before, Valid: found}
	r.address = pgtype.Text{String: res.Address, Valid: true}
	r.typ = pgtype.Text{String: res.Type, Valid: true}
	r.provider = pgtype.Text{String: res.Provider, Valid: true}
	r.cloudID = pgtype.Text{String: res.CloudID, Valid: true}
	r.region = pgtype.Text{String: res.Region, Valid: true}
	r.account = pgtype.Text{String: res.Account, Valid: true}
	r.reason = pgtype.Text{String: res.SeverityReason, Valid: true}
	r.origin = pgtype.Text{String: string(res.Origin), Valid: true}
	r.action = pgtype.Text{String: string(res.Action), Valid: true}
	r.severity = pgtype.Text{String: string(res.Severity), Valid: true}
	r.seenScans = pgtype.Int8{Int64: r.up.scansAfter(res.Origin), Valid: true}
	r.fingerprint = append(r.fingerprint[:0], res.Fingerprint[:]...)
	r.changes = drift.AppendChanges(r.changes[:0], res.News)
	r.noise = appendNoise(r.noise[:0], res.Noise)
	r.perBucket[newBucket(drift.Detected, res.Severity, res.Origin)]++
}

// appendNoise is AppendChanges, but nil, which is NULL, when there is none.
func appendNoise(b []byte, noise []drift.Change) []byte {
	if len(noise) == 0 {
		return nil
	}
	return drift.AppendChanges(b, noise)
}

// insertDetected writes one event per new drift, with the drift's own id: that
// is how the list of the trail finds them (auditstatement.go).
func (tx *Tx) insertDetected(ctx context.Context, up *Upload, drifts []uuid.UUID) error {
	text := func(s string) *pgtype.Text { return &pgtype.Text{String: s, Valid: true} }
	orNone := func(s string) *pgtype.Text { return &pgtype.Text{String: s, Valid: s != ""} }
	var id pgtype.UUID
	values := []any{
		&id, &pgtype.Timestamptz{Time: up.at(), Valid: true}, &pgtype.UUID{Bytes: up.Stack.ID, Valid: true}, &id,
		&pgtype.UUID{Bytes: up.Scan.ID, Valid: true}, text(string(audit.Detected)), text(up.Scan.Actor.Name),
		text(string(drift.Detected)), text(up.Scan.IDs.Correlation), text(up.Scan.IDs.Trace), text(up.Scan.IDs.Span),
		orNone(up.Scan.Actor.ClientAddress), orNone(up.Scan.Actor.UserAgent),
		&pgtype.UUID{Bytes: tx.seal.of(up.at()), Valid: true},
	}
	i := -1
	_, err := tx.tx.CopyFrom(ctx, pgx.Identifier{"events"}, []string{
		"id", "at", "stack_id", "drift_id", "scan_id", "action", "actor", "to_status", "correlation_id", "trace_id", "span_id",
		"client_address", "user_agent", "seal_id",
	}, pgx.CopyFromFunc(func() ([]any, error) {
		if i++; i == len(drifts) {
			return nil, nil
		}
		id = pgtype.UUID{Bytes: drifts[i], Valid: true}
		return values, nil
	}))
	if err != nil {
		return classify(fmt.Errorf("insert events: %w", err))
	}
	return nil
}
