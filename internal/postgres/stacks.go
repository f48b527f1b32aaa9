package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
)

const maxStackName = 200

const stackNameRule = "1 to 200 of A-Z a-z 0-9 . _ / : @ + = ~ and -, with no empty, . or .. part between slashes"

// CheckStackName is Invalid unless name can be a stack's. The schema checks
// the same; this is for those who want to know before reading a report.
func CheckStackName(name string) error {
	bad := name == "" || len(name) > maxStackName
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		bad = bad || !letter && !strings.ContainsRune("._/:@+=~-", rune(c))
	}
	for part := range strings.SplitSeq(name, "/") {
		bad = bad || part == "" || part == "." || part == ".."
	}
	if bad {
		return fault.BadField("stack", "must be "+stackNameRule)
	}
	return nil
}

// Stack is a stack as a transaction that locked it sees it.
type Stack struct {
	ID   uuid.UUID
	Name string
	// LastTakenAt is when the newest applied report was taken; zero when there
	// is none. A report taken before it is superseded.
	LastTakenAt time.Time

	coverage [2]coverage // in the order of drift.Origins
}

// coverage is how many complete scans have covered an origin of a stack.
type coverage struct {
	scans     int64
	scannedAt time.Time // zero when there was none
}

// LockStack returns the stack of that name, creating it when there is none,
// and keeps every other transaction that wants to change its drifts waiting
// until this one ends.
func (tx *Tx) LockStack(ctx context.Context, name string, now time.Time) (*Stack, error) {
	_, err := tx.tx.Exec(ctx, `-- name: CreateStack
		WITH created AS (
			INSERT INTO stacks (id, name, created_at) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO NOTHING
			RETURNING id
		)
		INSERT INTO coverage (stack_id, origin)
		SELECT id, origin FROM created, unnest($4::text[]) AS origin`,
		NewID(now), name, storedTime(now), drift.Origins())
	if err != nil {
		return nil, classify(fmt.Errorf("create stack: %w", err))
	}
	// Not FOR UPDATE: that would also keep waiting whoever inserts a row that
	// refers to the stack.
	row := tx.tx.QueryRow(ctx, `-- name: LockStack
		SELECT id, name, last_taken_at FROM stacks WHERE name = $1 FOR NO KEY UPDATE`, name)
	return tx.lockedStack(ctx, row)
}

// lockedStack reads the stack's row and then, because only the lock keeps it
// still, its coverage.
func (tx *Tx) lockedStack(ctx context.Context, row pgx.Row) (*Stack, error) {
	var s Stack
	var taken *time.Time
	if err := row.Scan(&s.ID, &s.Name, &taken); err != nil {
		return nil, classify(fmt.Errorf("lock stack: %w", err))
	}
	s.LastTakenAt = orZero(taken)
	tx.seal.locked(s.ID)
	rows, err := tx.tx.Query(ctx, `-- name: StackCoverage
		SELECT origin, scans, scanned_at FROM coverage WHERE stack_id = $1`, s.ID)
	if err != nil {
		return nil, classify(fmt.Errorf("coverage of the stack: %w", err))
	}
	var origin drift.Origin
	var scans int64
	var at *time.Time
	_, err = pgx.ForEachRow(rows, []any{&origin, &scans, &at}, func() error {
		s.coverage[originIndex(origin)] = coverage{scans: scans, scannedAt: orZero(at)}
		return nil
	})
	if err != nil {
		return nil, classify(fmt.Errorf("coverage of the stack: %w", err))
	}
	return &s, nil
}

func originIndex(o drift.Origin) int {
	if o == drift.Pending {
		return 1
	}
	return 0
}

// orZero is the time that a nullable column holds.
func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// orNull is t as a nullable column takes it.
func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = storedTime(t)
	return &t
}
