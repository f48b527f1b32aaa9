package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/fault"
)

// ExpiredRejections returns the stacks that have drifts whose rejection has
// ended by now, at most limit of them, those that have waited longest first.
func (db *DB) ExpiredRejections(ctx context.Context, now time.Time, limit int) ([]uuid.UUID, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	rows, err := db.pool.Query(ctx, `-- name: ExpiredRejections
		SELECT stack_id FROM drifts WHERE quiet_until <= $1 GROUP BY stack_id ORDER BY min(quiet_until) LIMIT $2`, now, limit)
	if err != nil {
		return nil, classify(fmt.Errorf("expired rejections: %w", err))
	}
	stacks, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, classify(fmt.Errorf("expired rejections: %w", err))
	}
	return stacks, nil
}

// ReopenExpired locks a stack and makes those of its rejected drifts detected
// again whose rejection has ended by now, each with a `reopened` event. It
// returns them, none when somebody else was faster. NotFound for no stack.
func (tx *Tx) ReopenExpired(ctx context.Context, stack uuid.UUID, now time.Time, ids correlation.IDs) ([]uuid.UUID, error) {
	row := tx.tx.QueryRow(ctx, `-- name: LockStackByID
		SELECT id, name, last_taken_at FROM stacks WHERE id = $1 FOR NO KEY UPDATE`, stack)
	if _, err := tx.lockedStack(ctx, row); fault.KindOf(err) == fault.NotFound {
		return nil, fault.New(fault.NotFound, "no such stack")
	} else if err != nil {
		return nil, err
	}
	rows, err := tx.tx.Query(ctx, `-- name: ExpiredDrifts
		SELECT id FROM drifts WHERE quiet_until <= $2 AND stack_id = $1 ORDER BY id`, stack, now)
	if err != nil {
		return nil, classify(fmt.Errorf("expired drifts: %w", err))
	}
	expired, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, classify(fmt.Errorf("expired drifts: %w", err))
	}
	reopenings := make([]Reopening, len(expired))
	for i, id := range expired {
		reopenings[i] = Reopening{ID: id, Reason: "the date of the rejection has passed"}
	}
	at := storedTime(now)
	_, err = tx.reopen(ctx, stack, reopenings, at, pgx.NamedArgs{
		"stack": stack, "scan": nil, "at": at, "actor": audit.System().Name, "client": "", "agent": "", "seal": tx.seal.of(at),
		"correlation": ids.Correlation, "trace": ids.Trace, "span": ids.Span,
	})
	if err != nil {
		return nil, err
	}
	return expired, nil
}
