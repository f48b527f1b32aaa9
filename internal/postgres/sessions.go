package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/fault"
)

// Session is one login of a user and all that it was refreshed to.
type Session struct {
	ID        uuid.UUID
	UserID    uuid.UUID
	CreatedAt time.Time
	ExpiresAt time.Time
	RevokedAt time.Time // zero while nobody ended it
}

// Standing is a session with its user as both are now.
type Standing struct {
	User    User
	Session Session
}

// Refresh is a refresh token with its session and user as they are now.
type Refresh struct {
	Session   Session
	User      User
	UsedAt    time.Time // when it was used up; zero for one that still is good
	ExpiresAt time.Time
}

var (
	errNoSession = fault.New(fault.NotFound, "no such session")
	errNoRefresh = fault.New(fault.NotFound, "no such refresh token")
)

const sessionColumns = `s.id, s.user_id, s.created_at, s.expires_at, s.revoked_at`

// sessionRow takes a session's columns from a row.
type sessionRow struct {
	Session
	revoked *time.Time
}

func (r *sessionRow) targets() []any {
	return []any{&r.ID, &r.UserID, &r.CreatedAt, &r.ExpiresAt, &r.revoked}
}

func (r *sessionRow) session() Session {
	r.CreatedAt, r.ExpiresAt, r.RevokedAt = r.CreatedAt.UTC(), r.ExpiresAt.UTC(), orZero(r.revoked)
	return r.Session
}

// SessionStanding returns a session, ended or not, and its user, disabled or
// not: what an access token is checked against. NotFound for no session.
func (db *DB) SessionStanding(ctx context.Context, id uuid.UUID) (Standing, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	var s sessionRow
	var u userRow
	err := db.pool.QueryRow(ctx, `-- name: SessionStanding
		SELECT `+sessionColumns+`, `+userColumns+` FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE s.id = $1`, id).Scan(append(s.targets(), u.targets()...)...)
	if err = classify(err); fault.KindOf(err) == fault.NotFound {
		return Standing{}, errNoSession
	}
	if err != nil {
		return Standing{}, fmt.Errorf("session: %w", err)
	}
	return Standing{User: u.user(), Session: s.session()}, nil
}

// InsertSession stores a login and the hash of its first refresh token, which
// is good until expires. checked is the hash that the password was held
// against. It is Conflict when the user is disabled or has another password by
// now, also when that happens at the same moment.
func (tx *Tx) InsertSession(
	ctx context.Context, s Session, checked string, refresh [32]byte, expires time.Time, from audit.Actor,
) error {
	// The lock makes DisableUser wait for this session, to end it. A weaker one
	// would do, but a login goes on to write the user's row: two would deadlock.
	tag, err := tx.tx.Exec(ctx, `-- name: InsertSession
		WITH owner AS (SELECT id FROM users WHERE id = $2 AND disabled_at IS NULL AND password_hash = $7 FOR NO KEY UPDATE)
		INSERT INTO sessions (id, user_id, created_at, expires_at, client_address, user_agent)
		SELECT $1, id, $3, $4, nullif($5, ''), nullif($6, '') FROM owner`,
		s.ID, s.UserID, storedTime(s.CreatedAt), storedTime(s.ExpiresAt), from.ClientAddress, from.UserAgent, checked)
	if err != nil {
		return classify(fmt.Errorf("insert session: %w", err))
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.Conflict, "the user is disabled, or has another password by now")
	}
	return tx.insertRefresh(ctx, s.ID, refresh, s.CreatedAt, expires)
}

func (tx *Tx) insertRefresh(ctx context.Context, session uuid.UUID, hash [32]byte, at, expires time.Time) error {
	_, err := tx.tx.Exec(ctx, `-- name: InsertRefreshToken
		INSERT INTO refresh_tokens (hash, session_id, created_at, expires_at) VALUES ($1, $2, $3, $4)`,
		hash[:], session, storedTime(at), storedTime(expires))
	if err != nil {
		return classify(fmt.Errorf("insert refresh token: %w", err))
	}
	return nil
}

// LockRefresh returns what belongs to the refresh token with that hash and
// keeps everybody else who brings a token of the same session, or wants to end
// it, waiting until the transaction is over. Of two who bring one token at once
// the second therefore sees it used. NotFound for no such token.
func (tx *Tx) LockRefresh(ctx context.Context, hash [32]byte) (Refresh, error) {
	_, err := tx.tx.Exec(ctx, `-- name: LockSessionOfRefreshToken
		SELECT id FROM sessions WHERE id = (SELECT session_id FROM refresh_tokens WHERE hash = $1) FOR NO KEY UPDATE`, hash[:])
	if err != nil {
		return Refresh{}, classify(fmt.Errorf("lock session: %w", err))
	}
	// A new statement: it sees what was committed while we waited.
	var s sessionRow
	var u userRow
	var used *time.Time
	var r Refresh
	err = tx.tx.QueryRow(ctx, `-- name: RefreshToken
		SELECT t.used_at, t.expires_at, `+sessionColumns+`, `+userColumns+`
		FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
		WHERE t.hash = $1`, hash[:]).Scan(append(append([]any{&used, &r.ExpiresAt}, s.targets()...), u.targets()...)...)
	if err = classify(err); fault.KindOf(err) == fault.NotFound {
		return Refresh{}, errNoRefresh
	}
	if err != nil {
		return Refresh{}, fmt.Errorf("refresh token: %w", err)
	}
	r.UsedAt, r.ExpiresAt, r.Session, r.User = orZero(used), r.ExpiresAt.UTC(), s.session(), u.user()
	return r, nil
}

// RotateRefresh uses up a refresh token, as LockRefresh returned it in the same
// transaction, and gives its session another one. It is Conflict when the old
// one was used before.
func (tx *Tx) RotateRefresh(ctx context.Context, used, next [32]byte, at, expires time.Time) error {
	var session uuid.UUID
	err := tx.tx.QueryRow(ctx, `-- name: UseRefreshToken
		UPDATE refresh_tokens SET used_at = $2 WHERE hash = $1 AND used_at IS NULL RETURNING session_id`,
		used[:], storedTime(at)).Scan(&session)
	if err = classify(err); fault.KindOf(err) == fault.NotFound {
		return fault.New(fault.Conflict, "the refresh token was used already")
	}
	if err != nil {
		return fmt.Errorf("use refresh token: %w", err)
	}
	return tx.insertRefresh(ctx, session, next, at, expires)
}

// RevokeSessions ends all sessions of a user. It waits for a login of the user
// that is under way, and ends it too.
func (tx *Tx) RevokeSessions(ctx context.Context, user uuid.UUID, at time.Time, why string) error {
	// A login holds the user's row until its session is there to be seen.
	_, err := tx.tx.Exec(ctx, `-- name: LockUser
		SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE`, user)
	if err != nil {
		return classify(fmt.Errorf("lock user: %w", err))
	}
	_, err = tx.tx.Exec(ctx, `-- name: RevokeSessionsOfUser
		UPDATE sessions SET revoked_at = $2, revoked_why = $3 WHERE user_id = $1 AND revoked_at IS NULL`,
		user, storedTime(at), why)
	if err != nil {
		return classify(fmt.Errorf("revoke sessions: %w", err))
	}
	return nil
}

// RevokeSession ends a session: none of its tokens is good any more. One that
// has ended stays as it is.
func (tx *Tx) RevokeSession(ctx context.Context, id uuid.UUID, at time.Time, why string) error {
	_, err := tx.tx.Exec(ctx, `-- name: RevokeSession
		UPDATE sessions SET revoked_at = $2, revoked_why = $3 WHERE id = $1 AND revoked_at IS NULL`, id, storedTime(at), why)
	if err != nil {
		return classify(fmt.Errorf("revoke session: %w", err))
	}
	return nil
}
