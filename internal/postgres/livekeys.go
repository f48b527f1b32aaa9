package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// maxLiveKeys bounds how many keys are named at once.
const maxLiveKeys = 50_000

// LiveAPIKeysOf returns the keys that an actor created and that are neither
// revoked nor expired by then, oldest first.
func (db *DB) LiveAPIKeysOf(ctx context.Context, createdBy string, at time.Time) ([]APIKey, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	rows, err := db.pool.Query(ctx, `-- name: LiveAPIKeysOf
		SELECT `+keyColumns+` FROM api_keys a
		WHERE a.created_by = $1 AND a.revoked_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > $2)
		ORDER BY a.id LIMIT $3`, createdBy, storedTime(at), maxLiveKeys)
	if err != nil {
		return nil, classify(fmt.Errorf("live API keys: %w", err))
	}
	keys, err := pgx.CollectRows(rows, scanAPIKey)
	if err != nil {
		return nil, classify(fmt.Errorf("live API keys: %w", err))
	}
	return keys, nil
}

// LiveAPIKeyHashes returns the hashes of all keys that are not revoked, of the
// newest if there are more than 50,000.
func (db *DB) LiveAPIKeyHashes(ctx context.Context) (map[[32]byte]struct{}, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	rows, err := db.pool.Query(ctx, `-- name: LiveAPIKeyHashes
		SELECT a.hash FROM api_keys a WHERE a.revoked_at IS NULL ORDER BY a.id DESC LIMIT $1`, maxLiveKeys)
	if err != nil {
		return nil, classify(fmt.Errorf("hashes of API keys: %w", err))
	}
	hashes := map[[32]byte]struct{}{}
	var hash []byte
	_, err = pgx.ForEachRow(rows, []any{&hash}, func() error {
		hashes[[32]byte(hash)] = struct{}{} // the schema has checked the length
		return nil
	})
	if err != nil {
		return nil, classify(fmt.Errorf("hashes of API keys: %w", err))
	}
	return hashes, nil
}
