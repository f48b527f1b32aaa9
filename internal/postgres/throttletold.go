package postgres

import (
	"context"
	"fmt"
)

// TellOfWait reports whether one of the subjects has to wait, as ReserveLogin
// found in the same transaction, for an attempt that nobody told of yet, and
// notes that somebody does now. However many try during one wait, and on
// however many replicas, it is true once.
func (tx *Tx) TellOfWait(ctx context.Context, subjects []Subject) (first bool, err error) {
	hashes, limits := make([][]byte, len(subjects)), make([]int, len(subjects))
	for i, s := range subjects {
		hashes[i], limits[i] = s.Hash[:], s.Limit
	}
	// An attempt that is refused is not counted: last_at stays what begins the wait.
	tag, err := tx.tx.Exec(ctx, `-- name: TellOfWait
		UPDATE login_throttles t SET told_at = t.last_at FROM unnest($1::bytea[], $2::integer[]) AS s (subject, free)
		WHERE t.subject = s.subject AND t.attempts >= s.free AND t.told_at IS DISTINCT FROM t.last_at`, hashes, limits)
	if err != nil {
		return false, classify(fmt.Errorf("tell of a wait: %w", err))
	}
	return tag.RowsAffected() > 0, nil
}
