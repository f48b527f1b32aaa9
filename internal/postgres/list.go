package postgres

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
)

// DriftSort is an order of the list of drifts. Every order is total: the id
// decides among equals.
type DriftSort int

// The orders. Within a severity the newest come first when the worst do.
const (
	Newest       DriftSort = iota // -detectedAt
	Oldest                        // detectedAt
	WorstFirst                    // -severity
	MildestFirst                  // severity
	AddressAZ                     // address, by byte
	AddressZA                     // -address
)

// descending reports whether the order runs backwards through its index.
func (s DriftSort) descending() bool { return s == Newest || s == WorstFirst || s == AddressZA }

func (s DriftSort) byAddress() bool { return s == AddressAZ || s == AddressZA }

func (s DriftSort) bySeverity() bool { return s == WorstFirst || s == MildestFirst }

// DriftQuery asks for one page of drifts. Empty filters let everything pass;
// several values of one filter mean any of them.
type DriftQuery struct {
	Statuses   []drift.Status
	Severities []drift.Severity
	Origins    []drift.Origin
	Stack      string // a stack's exact name
	Type       string // a resource type, exactly
	// Search is a part of the address or of the cloud id, in any case.
	Search string
	Sort   DriftSort
	After  *DriftCursor // nil for the first page
	Limit  int
}

// DriftCursor is the place of a drift in every order.
type DriftCursor struct {
	ID       uuid.UUID
	Severity drift.Severity
	Address  string
}

// Cursor is where a page that follows d goes on.
func (d *Drift) Cursor() DriftCursor {
	return DriftCursor{ID: d.ID, Severity: d.Severity, Address: d.Address}
}

// Drifts returns the page that q asks for and whether there are more after it.
//
// Every bucket that fits is read from where the page begins, at most a page's
// worth, and the buckets are merged: what it costs depends on the page, not on
// how many drifts there are or how rare the ones asked for are.
func (db *DB) Drifts(ctx context.Context, q DriftQuery) (page []Drift, more bool, err error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	stack := uuid.Nil
	if q.Stack != "" {
		err := db.pool.QueryRow(ctx, `-- name: StackID
			SELECT id FROM stacks WHERE name = $1`, q.Stack).Scan(&stack)
		if err = classify(err); fault.KindOf(err) == fault.NotFound {
			return nil, false, nil
		} else if err != nil {
			return nil, false, err
		}
	}
	starts := q.starts()
	if len(starts) == 0 {
		return nil, false, nil
	}
	l := driftList{DriftQuery: q, stack: stack, starts: starts}
	if q.Search != "" {
		if l.rare, err = db.searchIsRare(ctx, l.pattern()); err != nil {
			return nil, false, err
		}
	}
	sql, args := l.statement()
	if q.Search != "" {
		// A plan made for any text reads all drifts for some: plan for this one.
		args = append([]any{pgx.QueryExecModeCacheDescribe}, args...)
	}
	return pageOf(ctx, db.pool, "drifts", scanDrift, q.Limit, sql, args...)
}

// bucketStart is where reading a bucket begins.
type bucketStart struct {
	bucket  bucket
	address string
	id      uuid.UUID
}

// starts lists the buckets that fit and are not behind the cursor. When the
// order is by severity a bucket comes wholly before the cursor, wholly after
// it, or is where the cursor is.
func (q *DriftQuery) starts() []bucketStart {
	var starts []bucketStart
	for _, b := range bucketsOf(q.Statuses, q.Severities, q.Origins) {
		start := bucketStart{bucket: b}
		if q.Sort.descending() {
			start.id = uuid.Max
			start.address = lastAddress
		}
		if q.After != nil {
			ahead := 0
			if q.Sort.bySeverity() {
				ahead = slices.Index(drift.Severities(), b.severity()) - slices.Index(drift.Severities(), q.After.Severity)
				if q.Sort == MildestFirst {
					ahead = -ahead
				}
			}
			if ahead < 0 {
				continue
			}
			if ahead == 0 {
				start.id, start.address = q.After.ID, q.After.Address
			}
		}
		starts = append(starts, start)
	}
	return starts
}

// lastAddress is behind every address: no UTF-8 text begins with a character
// that sorts after this one.
const lastAddress = "\U0010FFFF"
