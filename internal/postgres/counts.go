package postgres

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// countKey names one number in drift_counts.
type countKey struct {
	stack  uuid.UUID
	bucket bucket
}

// counts collects by how much a transaction changes drift_counts. They are
// written once, last and in one order: decisions on the same stack then wait
// for each other's commit only, and never in a circle.
type counts map[countKey]int64

func (c *counts) add(stack uuid.UUID, b bucket, n int64) {
	if *c == nil {
		*c = make(counts)
	}
	(*c)[countKey{stack, b}] += n
}

// moved records what a statement reports of the drifts it moved: rows of
// (old bucket, new bucket, how many). It returns how many there were.
func (c *counts) moved(stack uuid.UUID, rows pgx.Rows) (int, error) {
	var total int
	var from, to int16
	var n int64
	_, err := pgx.ForEachRow(rows, []any{&from, &to, &n}, func() error {
		total += int(n)
		if from != to {
			c.add(stack, bucket(from), -n)
			c.add(stack, bucket(to), n)
		}
		return nil
	})
	return total, err
}

// writeCounts adds what the transaction collected to what is stored.
func (tx *Tx) writeCounts(ctx context.Context) error {
	keys := slices.SortedFunc(maps.Keys(tx.counts), func(a, b countKey) int {
		if c := bytes.Compare(a.stack[:], b.stack[:]); c != 0 {
			return c
		}
		return int(a.bucket) - int(b.bucket)
	})
	var stacks []uuid.UUID
	var buckets []int16
	var changes []int64
	for _, k := range keys {
		if n := tx.counts[k]; n != 0 {
			stacks, buckets, changes = append(stacks, k.stack), append(buckets, int16(k.bucket)), append(changes, n)
		}
	}
	if len(stacks) == 0 {
		return nil
	}
	// Update first: an INSERT … ON CONFLICT would check the row it proposes,
	// and a negative change is none.
	_, err := tx.tx.Exec(ctx, `-- name: AddDriftCounts
		WITH change AS (
			SELECT stack_id, bucket, n FROM unnest($1::uuid[], $2::smallint[], $3::bigint[]) AS c (stack_id, bucket, n)
		), updated AS (
			UPDATE drift_counts d SET drifts = d.drifts + c.n
			FROM change c WHERE d.stack_id = c.stack_id AND d.bucket = c.bucket
			RETURNING d.stack_id, d.bucket
		)
		INSERT INTO drift_counts (stack_id, bucket, drifts)
		SELECT c.stack_id, c.bucket, c.n FROM change c
		WHERE NOT EXISTS (SELECT FROM updated u WHERE u.stack_id = c.stack_id AND u.bucket = c.bucket)`,
		stacks, buckets, changes)
	if err != nil {
		return fmt.Errorf("count drifts: %w", err)
	}
	return nil
}
