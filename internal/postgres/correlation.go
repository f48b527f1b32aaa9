package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/audit"
)

// Correlation is everything stored under one correlation id, oldest first,
// and no more than was asked for of each.
type Correlation struct {
	Scans  []Scan
	Drifts []Drift // found by these scans
	Events []audit.Event
	// Set when there was more than was asked for.
	MoreScans, MoreDrifts, MoreEvents bool
}

// Correlation returns what is stored under the id and about these stacks, at most
// limit of each kind; nil stacks are everything, also what is about none. Nothing
// at all is not an error.
func (db *DB) Correlation(ctx context.Context, id string, stacks []uuid.UUID, limit int) (*Correlation, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	var c Correlation
	var err error
	if c.Scans, c.MoreScans, err = firstOf(ctx, db, limit, stacks, scanScan, `-- name: ScansByCorrelation
		SELECT `+scanColumns+` FROM scans s JOIN stacks k ON k.id = s.stack_id
		WHERE s.correlation_id = $1 AND ($3::uuid[] IS NULL OR s.stack_id = ANY ($3)) ORDER BY s.id LIMIT $2`, id); err != nil {
		return nil, err
	}
	if c.Drifts, c.MoreDrifts, err = firstOf(ctx, db, limit, stacks, scanDrift, `-- name: DriftsByCorrelation`+driftSelect+`
		FROM (
			SELECT f.id FROM scans r CROSS JOIN LATERAL (
				SELECT d.id FROM drifts d WHERE d.scan_id = r.id ORDER BY d.id LIMIT $2
			) AS f
			WHERE r.correlation_id = $1 AND ($3::uuid[] IS NULL OR r.stack_id = ANY ($3)) ORDER BY f.id LIMIT $2
		) AS found
		JOIN drifts d ON d.id = found.id`+driftJoins+`
		ORDER BY d.id`, id); err != nil {
		return nil, err
	}
	if c.Events, c.MoreEvents, err = firstOf(ctx, db, limit, stacks, scanEvent, `-- name: EventsByCorrelation
		SELECT `+eventColumns+` FROM events e
		WHERE e.correlation_id = $1 AND ($3::uuid[] IS NULL OR e.stack_id = ANY ($3)) ORDER BY e.id LIMIT $2`, id); err != nil {
		return nil, err
	}
	return &c, nil
}

// firstOf runs a query of an id, a limit and stacks.
func firstOf[T any](
	ctx context.Context, db *DB, limit int, stacks []uuid.UUID, scan pgx.RowToFunc[T], sql, id string,
) ([]T, bool, error) {
	return pageOf(ctx, db.pool, "correlation", scan, limit, sql, id, limit+1, stacks)
}
