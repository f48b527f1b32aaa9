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

// pageOf is a page of at most limit rows of a query that asks for one more, and
// whether there are more. what names the query in errors.
func pageOf[T any](
	ctx context.Context, q querier, what string, scan pgx.RowToFunc[T], limit int, sql string, args ...any,
) (page []T, more bool, err error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, false, classify(fmt.Errorf("%s: %w", what, err))
	}
	if page, err = pgx.CollectRows(rows, scan); err != nil {
		return nil, false, classify(fmt.Errorf("%s: %w", what, err))
	}
	page, more = cutPage(page, limit)
	return page, more, nil
}

// cutPage tells a page from the one row more that was asked for to know
// whether there is another page.
func cutPage[T any](rows []T, limit int) (page []T, more bool) {
	if len(rows) > limit {
		return rows[:limit], true
	}
	return rows, false
}
