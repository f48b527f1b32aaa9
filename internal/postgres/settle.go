package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// Closing says how long drifts of one severity had been open when they were
// resolved together.
type Closing struct {
	Severity drift.Severity
	Open     time.Duration
	Drifts   int
}

// ResolveDrifts ends open drifts that a covering scan no longer shows, each
// with a `resolved` event. What is counted of them stops before this scan.
func (tx *Tx) ResolveDrifts(ctx context.Context, up *Upload, ids []uuid.UUID) ([]Closing, error) {
	var closings []Closing
	outside, pending := up.Stack.coverage[0], up.Stack.coverage[1]
	source := tx.eventSource(up.at())
	for part := range slices.Chunk(ids, chunk) {
		rows, err := tx.tx.Query(ctx, `-- name: ResolveDrifts
			WITH coverage (origin, scans, scanned_at) AS (
				VALUES ('outside', @outside_scans::bigint, @outside_at::timestamptz),
					('pending', @pending_scans::bigint, @pending_at::timestamptz)
			), gone AS (
				UPDATE drifts d SET status = 'resolved', status_changed_at = @at, resolved_at = @at,
					resolution = 'disappeared', quiet_until = NULL,
					times_seen = d.times_seen + c.scans - d.seen_scans,
					last_seen_at = CASE WHEN c.scans > d.seen_scans THEN c.scanned_at ELSE d.last_seen_at END,
					seen_scans = c.scans
				FROM unnest(@ids::uuid[], @events::uuid[]) AS w (id, event_id)
				JOIN drifts was ON was.id = w.id
				JOIN coverage c ON c.origin = was.origin
				WHERE d.id = w.id AND d.stack_id = @stack AND d.status <> 'resolved'
				RETURNING d.id, w.event_id, was.status, was.bucket AS from_bucket, d.bucket AS to_bucket, d.detected_at
			), logged AS (
				INSERT INTO events (id, at, stack_id, drift_id, scan_id, action, actor, from_status, to_status, reason,
					correlation_id, trace_id, span_id, client_address, user_agent, seal_id)
				SELECT event_id, @at, @stack, id, @scan, 'resolved', @actor, status, 'resolved',
					'a complete scan no longer shows it', @correlation, @trace, @span, nullif(@client, ''), nullif(@agent, ''), @seal
				FROM gone
			)
			SELECT from_bucket, to_bucket, detected_at, count(*) FROM gone GROUP BY 1, 2, 3`,
			tx.args(up, pgx.NamedArgs{
				"ids": part, "events": eventIDs(source, len(part)),
				"outside_scans": outside.scans, "outside_at": orNull(outside.scannedAt),
				"pending_scans": pending.scans, "pending_at": orNull(pending.scannedAt),
			}))
		if err != nil {
			return nil, classify(fmt.Errorf("resolve drifts: %w", err))
		}
		var from, to int16
		var detected time.Time
		var n int64
		_, err = pgx.ForEachRow(rows, []any{&from, &to, &detected, &n}, func() error {
			tx.counts.add(up.Stack.ID, bucket(from), -n)
			tx.counts.add(up.Stack.ID, bucket(to), n)
			closings = append(closings, Closing{Severity: bucket(to).severity(), Open: up.at().Sub(detected), Drifts: int(n)})
			return nil
		})
		if err != nil {
			return nil, classify(fmt.Errorf("resolve drifts: %w", err))
		}
	}
	return closings, nil
}

// Reopening is a rejected drift that is news again, and why.
type Reopening struct {
	ID     uuid.UUID
	Reason string
}

// ReopenDrifts makes rejected drifts detected again, each with a `reopened`
// event, and returns how many there were.
func (tx *Tx) ReopenDrifts(ctx context.Context, up *Upload, reopenings []Reopening) (int, error) {
	return tx.reopen(ctx, up.Stack.ID, reopenings, up.at(), tx.args(up, nil))
}

// reopen is ReopenDrifts for whatever made them news.
func (tx *Tx) reopen(ctx context.Context, stack uuid.UUID, reopenings []Reopening, at time.Time, args pgx.NamedArgs) (int, error) {
	var total int
	source := tx.eventSource(at)
	for part := range slices.Chunk(reopenings, chunk) {
		ids, reasons := make([]uuid.UUID, len(part)), make([]string, len(part))
		for i, r := range part {
			ids[i], reasons[i] = r.ID, r.Reason
		}
		args["ids"], args["events"], args["reasons"] = ids, eventIDs(source, len(ids)), reasons
		rows, err := tx.tx.Query(ctx, `-- name: ReopenDrifts
			WITH reopened AS (
				UPDATE drifts d SET status = 'detected', status_changed_at = @at, quiet_until = NULL
				FROM unnest(@ids::uuid[], @events::uuid[], @reasons::text[]) AS w (id, event_id, reason)
				JOIN drifts was ON was.id = w.id
				WHERE d.id = w.id AND d.stack_id = @stack AND d.status = 'rejected'
				RETURNING d.id, w.event_id, w.reason, was.bucket AS from_bucket, d.bucket AS to_bucket
			), logged AS (
				INSERT INTO events (id, at, stack_id, drift_id, scan_id, action, actor, from_status, to_status, reason,
					correlation_id, trace_id, span_id, client_address, user_agent, seal_id)
				SELECT event_id, @at, @stack, id, @scan, 'reopened', @actor, 'rejected', 'detected', reason,
					@correlation, @trace, @span, nullif(@client, ''), nullif(@agent, ''), @seal
				FROM reopened
			)
			SELECT from_bucket, to_bucket, count(*) FROM reopened GROUP BY 1, 2`,
			args)
		if err != nil {
			return 0, classify(fmt.Errorf("reopen drifts: %w", err))
		}
		n, err := tx.counts.moved(stack, rows)
		if err != nil {
			return 0, classify(fmt.Errorf("reopen drifts: %w", err))
		}
		total += n
	}
	return total, nil
}
