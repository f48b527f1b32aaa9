package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// Noise is a resource whose only differences are no news.
type Noise struct {
	Address     string
	Origin      drift.Origin
	Type        string
	Changes     json.RawMessage
	ScanID      uuid.UUID // the scan that last wrote it
	FirstSeenAt time.Time
	ChangedAt   time.Time
}

// NoiseQuery asks for one page of a stack's noise, by address.
type NoiseQuery struct {
	Stack string
	After NoiseCursor // zero for the first page
	Limit int
}

// NoiseCursor is the place of a resource in the list of a stack's noise.
type NoiseCursor struct {
	Address string
	Origin  drift.Origin
}

// Cursor is where a page that follows n goes on.
func (n *Noise) Cursor() NoiseCursor { return NoiseCursor{Address: n.Address, Origin: n.Origin} }

// Noise returns the page that q asks for and whether there is more after it;
// nothing for a stack that is not there.
func (db *DB) Noise(ctx context.Context, q NoiseQuery) ([]Noise, bool, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	scan := func(row pgx.CollectableRow) (Noise, error) {
		var n Noise
		err := row.Scan(&n.Address, &n.Origin, &n.Type, &n.Changes, &n.ScanID, &n.FirstSeenAt, &n.ChangedAt)
		n.FirstSeenAt, n.ChangedAt = n.FirstSeenAt.UTC(), n.ChangedAt.UTC()
		return n, err
	}
	return pageOf(ctx, db.pool, "noise", scan, q.Limit, `-- name: ListNoise
		SELECT n.address, n.origin, n.type, n.changes, n.scan_id, n.first_seen_at, n.changed_at FROM noise n
		WHERE n.stack_id = (SELECT id FROM stacks WHERE name = $1) AND (n.address, n.origin) > ($2, $3)
		ORDER BY n.address, n.origin LIMIT $4`, q.Stack, q.After.Address, q.After.Origin, q.Limit+1)
}
