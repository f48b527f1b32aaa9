package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/audit"
)

// EventQuery asks for one page of events, oldest first.
type EventQuery struct {
	After uuid.UUID // the last event of the page before; Nil for the first page
	Limit int
}

const eventColumns = `e.id, e.at, e.stack_id, e.drift_id, e.scan_id, e.action, e.actor, e.from_status, e.to_status,
	e.reason, e.until, e.detail, e.correlation_id, e.trace_id, e.span_id, e.client_address, e.user_agent`

func scanEvent(row pgx.CollectableRow) (audit.Event, error) { return readEvent(row) }

// readEvent reads the columns of an event, and what more a row has after them.
func readEvent(row pgx.CollectableRow, more ...any) (audit.Event, error) {
	var e audit.Event
	var stack, driftID, scan uuid.NullUUID
	var from, to, reason, address, agent *string
	var until *time.Time
	err := row.Scan(append([]any{
		&e.ID, &e.At, &stack, &driftID, &scan, &e.Action, &e.Actor.Name, &from, &to, &reason, &until,
		&e.Detail, &e.IDs.Correlation, &e.IDs.Trace, &e.IDs.Span, &address, &agent,
	}, more...)...)
	if err != nil {
		return audit.Event{}, fmt.Errorf("read an event: %w", err)
	}
	e.At, e.Until = e.At.UTC(), orZero(until)
	e.StackID, e.DriftID, e.ScanID = stack.UUID, driftID.UUID, scan.UUID
	e.From, e.To, e.Reason = orEmpty(from), orEmpty(to), orEmpty(reason)
	e.Actor.ClientAddress, e.Actor.UserAgent = orEmpty(address), orEmpty(agent)
	return e, nil
}

// Timeline returns the events of a drift and whether there are more. It is
// NotFound when there is no such drift; every drift has at least one event.
func (db *DB) Timeline(ctx context.Context, driftID uuid.UUID, q EventQuery) ([]audit.Event, bool, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	events, more, err := pageOf(ctx, db.pool, "timeline", scanEvent, q.Limit, `-- name: Timeline
		SELECT `+eventColumns+` FROM events e
		WHERE e.drift_id = $1 AND e.id > $2 ORDER BY e.id LIMIT $3`, driftID, q.After, q.Limit+1)
	if err == nil && len(events) == 0 && !more && q.After == uuid.Nil {
		return nil, false, errNoDrift
	}
	return events, more, err
}
