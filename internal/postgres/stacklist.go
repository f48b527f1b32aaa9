package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
)

// StackState is what is known of a stack, and how fresh that is.
type StackState struct {
	ID             uuid.UUID
	Name           string
	CreatedAt      time.Time
	LastScanID     uuid.UUID
	LastScanAt     time.Time
	LastScanStatus drift.Completeness
	// LastCompleteAt is when the last complete scan was received; zero means
	// never: then "no drift" is not known.
	LastCompleteAt time.Time
	Open           []OpenCount
}

// OpenCount is how many open drifts there are of one kind.
type OpenCount struct {
	Status   drift.Status
	Severity drift.Severity
	Origin   drift.Origin
	Drifts   int64
}

func newOpenCount(b int16, n int64) OpenCount {
	return OpenCount{Status: bucket(b).status(), Severity: bucket(b).severity(), Origin: bucket(b).origin(), Drifts: n}
}

// StackQuery asks for one page of stacks, by name.
type StackQuery struct {
	Search string // a part of the name, in any case
	After  string // the last name of the page before; empty for the first page
	Limit  int
}

const stackColumns = `id, name, created_at, last_scan_id, last_scan_at, last_scan_status, last_complete_at`

func scanStack(row pgx.CollectableRow) (StackState, error) {
	var s StackState
	var scan uuid.NullUUID
	var at, complete *time.Time
	var status *string
	if err := row.Scan(&s.ID, &s.Name, &s.CreatedAt, &scan, &at, &status, &complete); err != nil {
		return StackState{}, fmt.Errorf("read a stack: %w", err)
	}
	s.CreatedAt, s.LastScanAt, s.LastCompleteAt = s.CreatedAt.UTC(), orZero(at), orZero(complete)
	s.LastScanID, s.LastScanStatus = scan.UUID, drift.Completeness(orEmpty(status))
	return s, nil
}

// Stack returns one stack, NotFound when there is none of that name.
func (db *DB) Stack(ctx context.Context, name string) (*StackState, error) {
	stacks, err := db.stacks(ctx, `-- name: Stack
		SELECT `+stackColumns+` FROM stacks WHERE name = $1`, name)
	if err != nil {
		return nil, err
	}
	if len(stacks) == 0 {
		return nil, fault.New(fault.NotFound, "no such stack: it has never been scanned")
	}
	return &stacks[0], nil
}

// Stacks returns the page that q asks for and whether there are more after it.
func (db *DB) Stacks(ctx context.Context, q StackQuery) ([]StackState, bool, error) {
	stacks, err := db.stacks(ctx, `-- name: ListStacks
		SELECT `+stackColumns+` FROM stacks WHERE name > $1 AND name ILIKE $2 ORDER BY name LIMIT $3`,
		q.After, "%"+likeEscaper.Replace(q.Search)+"%", q.Limit+1)
	if err != nil {
		return nil, false, err
	}
	page, more := cutPage(stacks, q.Limit)
	return page, more, nil
}

// stacks reads the stacks that sql selects, with the counts of their drifts.
func (db *DB) stacks(ctx context.Context, sql string, args ...any) ([]StackState, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	rows, err := db.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, classify(fmt.Errorf("stacks: %w", err))
	}
	stacks, err := pgx.CollectRows(rows, scanStack)
	if err != nil {
		return nil, classify(fmt.Errorf("stacks: %w", err))
	}
	place := make(map[uuid.UUID]int, len(stacks))
	ids := make([]uuid.UUID, len(stacks))
	for i, s := range stacks {
		place[s.ID], ids[i] = i, s.ID
	}
	rows, err = db.pool.Query(ctx, `-- name: OpenCountsOfStacks
		SELECT stack_id, bucket, drifts FROM drift_counts
		WHERE stack_id = ANY ($1) AND bucket < $2 AND drifts > 0 ORDER BY stack_id, bucket`, ids, int16(firstResolved))
	if err != nil {
		return nil, classify(fmt.Errorf("stacks: %w", err))
	}
	var id uuid.UUID
	var b int16
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&id, &b, &n}, func() error {
		s := &stacks[place[id]]
		s.Open = append(s.Open, newOpenCount(b, n))
		return nil
	})
	if err != nil {
		return nil, classify(fmt.Errorf("stacks: %w", err))
	}
	return stacks, nil
}
