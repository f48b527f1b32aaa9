package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/fault"
)

// APIKey is a key for a program. The key itself is nowhere, only its hash.
type APIKey struct {
	ID         uuid.UUID
	Name       string // no two keys that are not revoked have the same
	Prefix     string // the part of the key that may be shown
	Hash       [32]byte
	Role       auth.Role
	Stacks     auth.Pattern // zero: every stack
	CreatedAt  time.Time
	ExpiresAt  time.Time // zero: never
	LastUsedAt time.Time // zero: not yet
	RevokedAt  time.Time // zero: not
	CreatedBy  string    // an actor's name
}

var errNoAPIKey = fault.New(fault.NotFound, "no such API key")

const keyColumns = `a.id, a.name, a.prefix, a.hash, a.role, a.stacks, a.created_at, a.expires_at, a.last_used_at,
	a.revoked_at, a.created_by`

func scanAPIKey(row pgx.CollectableRow) (APIKey, error) {
	var k APIKey
	var hash []byte
	var stacks *string
	var expires, used, revoked *time.Time
	err := row.Scan(&k.ID, &k.Name, &k.Prefix, &hash, &k.Role, &stacks, &k.CreatedAt, &expires, &used, &revoked, &k.CreatedBy)
	if err != nil {
		return APIKey{}, fmt.Errorf("read an API key: %w", err)
	}
	if stacks != nil {
		// A pattern that cannot be read must not become the one for everything.
		if k.Stacks, err = auth.ParsePattern(*stacks); err != nil {
			return APIKey{}, fmt.Errorf("the stored pattern of API key %s: %v", k.ID, err) //nolint:errorlint // it is no fault of the caller's input
		}
	}
	copy(k.Hash[:], hash)
	k.CreatedAt, k.ExpiresAt, k.LastUsedAt, k.RevokedAt = k.CreatedAt.UTC(), orZero(expires), orZero(used), orZero(revoked)
	return k, nil
}

// oneAPIKey is the one row of a query, NotFound when there is none.
func oneAPIKey(ctx context.Context, q querier, what, sql string, args ...any) (*APIKey, error) {
	return one(ctx, q, what, scanAPIKey, errNoAPIKey, sql, args...)
}

// APIKeyByHash returns the key whose SHA-256 that is, revoked and expired ones
// too, NotFound when there is none.
func (db *DB) APIKeyByHash(ctx context.Context, hash [32]byte) (*APIKey, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	return oneAPIKey(ctx, db.pool, "API key by hash", `-- name: APIKeyByHash
		SELECT `+keyColumns+` FROM api_keys a WHERE a.hash = $1`, hash[:])
}

// APIKeys returns a page of all keys, revoked and expired ones too, and whether
// there are more.
func (db *DB) APIKeys(ctx context.Context, q ListQuery) ([]APIKey, bool, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	return pageOf(ctx, db.pool, "API keys", scanAPIKey, q.Limit, `-- name: APIKeys
		SELECT `+keyColumns+` FROM api_keys a WHERE a.id > $1 ORDER BY a.id LIMIT $2`, q.After, q.Limit+1)
}

// InsertAPIKey stores a new key and returns it as it is stored. Without an ID
// it gets a UUID v7 of CreatedAt. It is Conflict when a key that is not revoked
// has the name.
func (tx *Tx) InsertAPIKey(ctx context.Context, k APIKey) (*APIKey, error) {
	if k.ID == uuid.Nil {
		k.ID = NewID(k.CreatedAt)
	}
	return oneAPIKey(ctx, tx.tx, "insert API key", `-- name: InsertAPIKey
		INSERT INTO api_keys AS a (id, name, prefix, hash, role, stacks, created_at, expires_at, created_by)
		VALUES ($1, $2, $3, $4, $5, nullif($6, ''), $7, $8, $9) RETURNING `+keyColumns,
		k.ID, k.Name, k.Prefix, k.Hash[:], string(k.Role), k.Stacks.String(), storedTime(k.CreatedAt), orNull(k.ExpiresAt), k.CreatedBy)
}

// RevokeAPIKey ends a key. changed is false when it was revoked already. It is
// NotFound for no key.
func (tx *Tx) RevokeAPIKey(ctx context.Context, id uuid.UUID, at time.Time) (k *APIKey, changed bool, err error) {
	k, err = oneAPIKey(ctx, tx.tx, "revoke API key", `-- name: RevokeAPIKey
		UPDATE api_keys a SET revoked_at = $2 WHERE a.id = $1 AND a.revoked_at IS NULL RETURNING `+keyColumns, id, storedTime(at))
	if err == nil || fault.KindOf(err) != fault.NotFound {
		return k, err == nil, err
	}
	k, err = oneAPIKey(ctx, tx.tx, "API key", `-- name: APIKey
		SELECT `+keyColumns+` FROM api_keys a WHERE a.id = $1`, id)
	return k, false, err
}

// TouchAPIKey notes that a key was used. Callers do so at most once a minute
// for each. No such key is no error: it is not what the caller was about.
func (tx *Tx) TouchAPIKey(ctx context.Context, id uuid.UUID, at time.Time) error {
	_, err := tx.tx.Exec(ctx, `-- name: TouchAPIKey
		UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)`, id, storedTime(at))
	if err != nil {
		return classify(fmt.Errorf("touch API key: %w", err))
	}
	return nil
}
