package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// querier is what both the pool and a transaction can do.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// one is the one row of a query; missing when there is none. what names the
// query in errors.
func one[T any](
	ctx context.Context, q querier, what string, scan pgx.RowToFunc[T], missing error, sql string, args ...any,
) (*T, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, classify(fmt.Errorf("%s: %w", what, err))
	}
	row, err := pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, missing
	}
	if err != nil {
		return nil, classify(fmt.Errorf("%s: %w", what, err))
	}
	return &row, nil
}
