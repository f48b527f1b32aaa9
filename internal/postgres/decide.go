package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
)

// Decision is what somebody wants to become of a drift.
type Decision struct {
	Action audit.Action
	To     drift.Status
	At     time.Time
	Reason string
	Until  time.Time // ends a rejection; zero when it has no end
	Actor  audit.Actor
	IDs    correlation.IDs
}

// LockDrift returns a drift as it is now and keeps uploads and other decisions
// about its stack waiting until the transaction ends. It is NotFound when
// there is no such drift.
func (tx *Tx) LockDrift(ctx context.Context, id uuid.UUID) (*Drift, error) {
	row := tx.tx.QueryRow(ctx, `-- name: LockStackOfDrift
		SELECT id, name, last_taken_at FROM stacks
		WHERE id = (SELECT stack_id FROM drifts WHERE id = $1) FOR NO KEY UPDATE`, id)
	if _, err := tx.lockedStack(ctx, row); fault.KindOf(err) == fault.NotFound {
		return nil, errNoDrift
	} else if err != nil {
		return nil, err
	}
	// A new statement: it sees what was committed while we waited.
	return readDrift(ctx, tx.tx, id)
}

// Decide moves a drift, as LockDrift returned it in the same transaction, to
// another status and records the event. It returns the drift as it is then.
// Whether the step is allowed is for the caller to know.
func (tx *Tx) Decide(ctx context.Context, d *Drift, to Decision) (*Drift, error) {
	rows, err := tx.tx.Query(ctx, `-- name: DecideDrift
		WITH decided AS (
			UPDATE drifts d SET status = @to, status_changed_at = @at,
				acknowledged_at = coalesce(d.acknowledged_at, @at),
				quiet_until = @until,
				resolved_at = CASE WHEN @to = 'resolved' THEN @at::timestamptz END,
				resolution = CASE WHEN @to = 'resolved' THEN 'resolved' END,
				times_seen = d.times_seen + c.scans - d.seen_scans,
				last_seen_at = CASE WHEN c.scans > d.seen_scans THEN c.scanned_at ELSE d.last_seen_at END,
				seen_scans = c.scans
			FROM drifts was JOIN coverage c ON c.stack_id = was.stack_id AND c.origin = was.origin
			WHERE d.id = @id AND was.id = d.id AND d.status <> 'resolved'
			RETURNING d.id, d.stack_id, was.status, was.bucket AS from_bucket, d.bucket AS to_bucket
		), logged AS (
			INSERT INTO events (id, at, stack_id, drift_id, action, actor, from_status, to_status, reason, until,
				correlation_id, trace_id, span_id, client_address, user_agent, seal_id)
			SELECT @event, @at, stack_id, id, @action, @actor, status, @to, nullif(@reason, ''), @until,
				@correlation, @trace, @span, nullif(@client, ''), nullif(@agent, ''), @seal
			FROM decided
		)
		SELECT from_bucket, to_bucket, count(*) FROM decided GROUP BY 1, 2`,
		pgx.NamedArgs{
			"id": d.ID, "to": string(to.To), "at": storedTime(to.At), "until": orNull(to.Until), "event": tx.eventSource(to.At).next(),
			"action": string(to.Action), "reason": to.Reason, "actor": to.Actor.Name,
			"client": to.Actor.ClientAddress, "agent": to.Actor.UserAgent,
			"correlation": to.IDs.Correlation, "trace": to.IDs.Trace, "span": to.IDs.Span, "seal": tx.seal.of(to.At),
		})
	if err != nil {
		return nil, classify(fmt.Errorf("decide drift: %w", err))
	}
	n, err := tx.counts.moved(d.StackID, rows)
	if err != nil {
		return nil, classify(fmt.Errorf("decide drift: %w", err))
	}
	if n == 0 {
		return nil, fault.New(fault.Conflict, "the drift is resolved already")
	}
	return readDrift(ctx, tx.tx, d.ID)
}

// RecordEvent appends an event that changes no drift: a login, a new key.
func (tx *Tx) RecordEvent(ctx context.Context, e audit.Event) error {
	null := func(id uuid.UUID) uuid.NullUUID { return uuid.NullUUID{UUID: id, Valid: id != uuid.Nil} }
	id := e.ID
	if id == uuid.Nil {
		id = tx.eventSource(e.At).next()
	}
	_, err := tx.tx.Exec(ctx, `-- name: RecordEvent
		INSERT INTO events (id, at, stack_id, drift_id, scan_id, action, actor, from_status, to_status, reason, until,
			detail, correlation_id, trace_id, span_id, client_address, user_agent, seal_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, nullif($8, ''), nullif($9, ''), nullif($10, ''), $11, $12, $13, $14, $15,
			nullif($16, ''), nullif($17, ''), $18)`,
		id, storedTime(e.At), null(e.StackID), null(e.DriftID), null(e.ScanID), string(e.Action), e.Actor.Name,
		e.From, e.To, e.Reason, orNull(e.Until), e.Detail, e.IDs.Correlation, e.IDs.Trace, e.IDs.Span,
		e.Actor.ClientAddress, e.Actor.UserAgent, tx.seal.of(e.At))
	if err != nil {
		return classify(fmt.Errorf("record event: %w", err))
	}
	return nil
}
