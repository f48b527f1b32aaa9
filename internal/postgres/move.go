package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// Move is an open drift whose resource the code gave another address. No
// other open drift may have that address.
type Move struct {
	ID      uuid.UUID
	Address string
}

// MoveDrifts gives open drifts their new addresses, each with a `moved` event
// that keeps both.
func (tx *Tx) MoveDrifts(ctx context.Context, up *Upload, moves []Move) error {
	source := tx.eventSource(up.at())
	for part := range slices.Chunk(moves, chunk) {
		ids, addresses := make([]uuid.UUID, len(part)), make([]string, len(part))
		for i, m := range part {
			ids[i], addresses[i] = m.ID, m.Address
		}
		_, err := tx.tx.Exec(ctx, `-- name: MoveDrifts
			WITH moved AS (
				UPDATE drifts d SET address = w.address
				FROM unnest(@ids::uuid[], @events::uuid[], @addresses::text[]) AS w (id, event_id, address)
				JOIN drifts was ON was.id = w.id
				WHERE d.id = w.id AND d.stack_id = @stack AND d.status <> 'resolved'
				RETURNING d.id, w.event_id, d.status, was.address AS from_address, d.address AS to_address
			)
			INSERT INTO events (id, at, stack_id, drift_id, scan_id, action, actor, from_status, to_status, detail,
				correlation_id, trace_id, span_id, client_address, user_agent, seal_id)
			SELECT event_id, @at, @stack, id, @scan, 'moved', @actor, status, status,
				json_build_object('from', from_address, 'to', to_address), @correlation, @trace, @span,
				nullif(@client, ''), nullif(@agent, ''), @seal
			FROM moved`,
			tx.args(up, pgx.NamedArgs{"ids": ids, "events": eventIDs(source, len(ids)), "addresses": addresses}))
		if err != nil {
			return classify(fmt.Errorf("move drifts: %w", err))
		}
	}
	return nil
}

// TouchDrifts counts a sighting of open drifts by a scan that does not cover
// their origin. Those of a covered origin must not be touched: AdvanceCoverage
// counts for all of them.
func (tx *Tx) TouchDrifts(ctx context.Context, up *Upload, ids []uuid.UUID) error {
	for part := range slices.Chunk(ids, chunk) {
		_, err := tx.tx.Exec(ctx, `-- name: TouchDrifts
			UPDATE drifts d SET
				times_seen = d.times_seen + c.scans - d.seen_scans + 1, seen_scans = c.scans, last_seen_at = @at
			FROM (VALUES ('outside', @outside::bigint), ('pending', @pending::bigint)) AS c (origin, scans)
			WHERE d.id = ANY (@ids::uuid[]) AND d.stack_id = @stack AND d.status <> 'resolved' AND c.origin = d.origin`,
			pgx.NamedArgs{
				"ids": part, "at": up.at(), "stack": up.Stack.ID,
				"outside": up.scansAfter(drift.Outside), "pending": up.scansAfter(drift.Pending),
			})
		if err != nil {
			return classify(fmt.Errorf("touch drifts: %w", err))
		}
	}
	return nil
}
