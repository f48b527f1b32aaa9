package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// OpenCounts returns how many drifts are open, over all stacks, for every kind
// there can be; none of a kind is a zero, so that a gauge falls to it. It reads
// the kept counts, not the drifts.
func (db *DB) OpenCounts(ctx context.Context) ([]OpenCount, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	counts, err := db.bucketCounts(ctx)
	if err != nil {
		return nil, err
	}
	open := make([]OpenCount, firstResolved)
	for b := range open {
		open[b] = newOpenCount(int16(b), counts[b])
	}
	return open, nil
}

// bucketCounts is how many drifts each bucket has, over all stacks.
func (db *DB) bucketCounts(ctx context.Context) ([bucketCount]int64, error) {
	var counts [bucketCount]int64
	rows, err := db.pool.Query(ctx, `-- name: CountDrifts
		SELECT bucket, sum(drifts)::bigint FROM drift_counts GROUP BY bucket`)
	if err != nil {
		return counts, classify(fmt.Errorf("count drifts: %w", err))
	}
	var b int16
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&b, &n}, func() error {
		counts[b] = n
		return nil
	})
	if err != nil {
		return counts, classify(fmt.Errorf("count drifts: %w", err))
	}
	return counts, nil
}

// OldestOpen returns when the oldest drift that still waits for somebody was
// detected, by severity; a severity without one is missing. Rejected drifts
// wait for nobody: somebody decided to leave them.
func (db *DB) OldestOpen(ctx context.Context) (map[drift.Severity]time.Time, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	rows, err := db.pool.Query(ctx, `-- name: OldestOpen
		SELECT d.severity, min(d.detected_at)
		FROM unnest($1::smallint[]) AS b (bucket)
		CROSS JOIN LATERAL (
			SELECT severity, detected_at FROM drifts WHERE bucket = b.bucket ORDER BY id LIMIT 1
		) AS d
		GROUP BY d.severity`, bucketsOf([]drift.Status{drift.Detected, drift.Triaged, drift.Approved}, nil, nil))
	if err != nil {
		return nil, classify(fmt.Errorf("oldest open drifts: %w", err))
	}
	oldest := make(map[drift.Severity]time.Time)
	var severity drift.Severity
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&severity, &at}, func() error {
		oldest[severity] = at.UTC()
		return nil
	})
	if err != nil {
		return nil, classify(fmt.Errorf("oldest open drifts: %w", err))
	}
	return oldest, nil
}

// StackFreshness is when a stack last had a complete scan.
type StackFreshness struct {
	Stack          string
	LastCompleteAt time.Time // zero when it never had one
}

// StackFreshness returns the first limit stacks by name, so that the same
// stacks keep their series, and the stalest of the others, named "", when there
// are more.
func (db *DB) StackFreshness(ctx context.Context, limit int) ([]StackFreshness, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	rows, err := db.pool.Query(ctx, `-- name: StackFreshness
		WITH named AS (SELECT name, last_complete_at FROM stacks ORDER BY name LIMIT $1)
		SELECT name, last_complete_at FROM named
		UNION ALL
		(SELECT '', last_complete_at FROM stacks WHERE name > (SELECT max(name) FROM named)
		ORDER BY last_complete_at NULLS FIRST LIMIT 1)`, limit)
	if err != nil {
		return nil, classify(fmt.Errorf("freshness of stacks: %w", err))
	}
	stacks, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (StackFreshness, error) {
		var s StackFreshness
		var at *time.Time
		err := row.Scan(&s.Stack, &at)
		s.LastCompleteAt = orZero(at)
		return s, err
	})
	if err != nil {
		return nil, classify(fmt.Errorf("freshness of stacks: %w", err))
	}
	return stacks, nil
}
