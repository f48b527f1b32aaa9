package postgres

import (
	"context"
	"time"
)

// NoSearchIsRare has db read in order for every search, as it does for a
// common one among very many drifts.
func NoSearchIsRare(db *DB) { db.rareMatches = 0 }

// Buckets is newBucket of every bucket, in order.
func Buckets() []int16 {
	var all []int16
	for b := range bucketCount {
		all = append(all, int16(newBucket(b.status(), b.severity(), b.origin())))
	}
	return all
}

// The locks of the lanes.
const (
	SealLocks    = sealLocks
	AccountLanes = accountLanes
)

// AuditHead is the head as of a moment, without the verification it comes with.
func (db *DB) AuditHead(ctx context.Context, at time.Time) (*Head, error) {
	return readHead(ctx, db.pool, at)
}
