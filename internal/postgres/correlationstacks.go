package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// CorrelationStacks names the stacks that something under the correlation id is
// about, by id.
func (db *DB) CorrelationStacks(ctx context.Context, id string) (map[uuid.UUID]string, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	rows, err := db.pool.Query(ctx, `-- name: CorrelationStacks
		SELECT k.id, k.name FROM stacks k WHERE k.id IN (
			SELECT s.stack_id FROM scans s WHERE s.correlation_id = $1
			UNION SELECT e.stack_id FROM events e WHERE e.correlation_id = $1)`, id)
	if err != nil {
		return nil, classify(fmt.Errorf("stacks of a correlation: %w", err))
	}
	names := map[uuid.UUID]string{}
	var stack uuid.UUID
	var name string
	_, err = pgx.ForEachRow(rows, []any{&stack, &name}, func() error {
		names[stack] = name
		return nil
	})
	if err != nil {
		return nil, classify(fmt.Errorf("stacks of a correlation: %w", err))
	}
	return names, nil
}
