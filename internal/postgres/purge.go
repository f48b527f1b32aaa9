package postgres

import (
	"context"
	"fmt"
	"time"
)

// How long what is over is kept. A refresh token that is used again after its
// time is refused either way; kept, it is also known for stolen.
const (
	keepSessions  = 30 * 24 * time.Hour
	keepThrottles = 24 * time.Hour
)

// purgeAtMost is how many rows of a kind one call removes.
const purgeAtMost = 10_000

// Purge removes sessions and refresh tokens that expired a month ago, and what
// was counted of logins that nobody has tried for a day. It returns how many
// rows it removed; at most 10,000 of each kind, so call it again while there are
// many. Users, API keys, drifts and events are never removed.
func (tx *Tx) Purge(ctx context.Context, now time.Time) (int64, error) {
	var removed int64
	for _, step := range []struct {
		sql  string
		keep time.Duration
	}{
		{`-- name: PurgeRefreshTokens
			DELETE FROM refresh_tokens WHERE hash IN (
				SELECT hash FROM refresh_tokens WHERE expires_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`, keepSessions},
		{`-- name: PurgeSessions
			DELETE FROM sessions WHERE id IN (
				SELECT id FROM sessions WHERE expires_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`, keepSessions},
		{`-- name: PurgeThrottles
			DELETE FROM login_throttles WHERE subject IN (
				SELECT subject FROM login_throttles WHERE last_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`, keepThrottles},
	} {
		tag, err := tx.tx.Exec(ctx, step.sql, storedTime(now.Add(-step.keep)), purgeAtMost)
		if err != nil {
			return 0, classify(fmt.Errorf("purge: %w", err))
		}
		removed += tag.RowsAffected()
	}
	return removed, nil
}
