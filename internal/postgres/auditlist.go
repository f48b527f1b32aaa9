package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/fault"
)

// AuditQuery asks for one page of the audit trail, newest first. Empty filters
// let everything pass.
type AuditQuery struct {
	Actions     []audit.Action // any of these
	Actor       string         // exactly
	Stack       string         // a stack's exact name
	Correlation string
	DriftID     uuid.UUID
	Since       time.Time // inclusive
	Until       time.Time // exclusive
	After       uuid.UUID // the last event of the page before; Nil for the first page
	Limit       int
}

// Events returns the page that q asks for and whether there are more after it,
// each event with the name of its stack.
//
// The filter that fits fewest events is read in order through its index, action
// by action, and the others are applied to what is found there. The events of
// drifts that were detected are nearly all there are, and an index over them
// would slow every upload down: they are found through the drifts, whose ids
// they share.
func (db *DB) Events(ctx context.Context, q AuditQuery) ([]audit.Event, bool, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	l := auditList{AuditQuery: q}
	if q.Stack != "" {
		err := db.pool.QueryRow(ctx, `-- name: StackID
			SELECT id FROM stacks WHERE name = $1`, q.Stack).Scan(&l.stack)
		if err = classify(err); fault.KindOf(err) == fault.NotFound {
			return nil, false, nil
		} else if err != nil {
			return nil, false, fmt.Errorf("stack of the events: %w", err)
		}
	}
	sql, args := l.statement()
	scan := func(row pgx.CollectableRow) (audit.Event, error) {
		var stack *string
		e, err := readEvent(row, &stack)
		e.Stack = orEmpty(stack)
		return e, err
	}
	return pageOf(ctx, db.pool, "events", scan, q.Limit, sql, args...)
}
