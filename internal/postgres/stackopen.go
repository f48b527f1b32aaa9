package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// StackOpen counts the open drifts of one stack, by kind; kinds without any are
// left out.
func (db *DB) StackOpen(ctx context.Context, stack string) ([]OpenCount, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	rows, err := db.pool.Query(ctx, `-- name: OpenCountsOfStack
		SELECT bucket, drifts FROM drift_counts
		WHERE stack_id = (SELECT id FROM stacks WHERE name = $1) AND bucket < $2 AND drifts > 0 ORDER BY bucket`,
		stack, int16(firstResolved))
	if err != nil {
		return nil, classify(fmt.Errorf("open drifts of a stack: %w", err))
	}
	var open []OpenCount
	var b int16
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&b, &n}, func() error {
		open = append(open, newOpenCount(b, n))
		return nil
	})
	if err != nil {
		return nil, classify(fmt.Errorf("open drifts of a stack: %w", err))
	}
	return open, nil
}
