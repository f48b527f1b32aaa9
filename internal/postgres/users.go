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

// User is a person who may log in. Users are never deleted: the audit trail
// names them.
type User struct {
	ID           uuid.UUID
	Email        string // as auth.ParseEmail returns it
	Role         auth.Role
	PasswordHash string // a PHC string
	CreatedAt    time.Time
	DisabledAt   time.Time // zero while the user may log in
	LastLoginAt  time.Time // zero before the first login
}

// ListQuery asks for one page of a list that is ordered by id, oldest first.
type ListQuery struct {
	After uuid.UUID // the last one of the page before; Nil for the first page
	Limit int
}

var errNoUser = fault.New(fault.NotFound, "no such user")

const userColumns = `u.id, u.email, u.role, u.password_hash, u.created_at, u.disabled_at, u.last_login_at`

// userRow takes a user's columns from a row, before or beside others.
type userRow struct {
	User
	disabled, login *time.Time
}

func (r *userRow) targets() []any {
	return []any{&r.ID, &r.Email, &r.Role, &r.PasswordHash, &r.CreatedAt, &r.disabled, &r.login}
}

func (r *userRow) user() User {
	r.CreatedAt, r.DisabledAt, r.LastLoginAt = r.CreatedAt.UTC(), orZero(r.disabled), orZero(r.login)
	return r.User
}

func scanUser(row pgx.CollectableRow) (User, error) {
	var r userRow
	if err := row.Scan(r.targets()...); err != nil {
		return User{}, fmt.Errorf("read a user: %w", err)
	}
	return r.user(), nil
}

// oneUser is the one row of a query, NotFound when there is none.
func oneUser(ctx context.Context, q querier, what, sql string, args ...any) (*User, error) {
	return one(ctx, q, what, scanUser, errNoUser, sql, args...)
}

// User returns a user, disabled or not, NotFound when there is none.
func (db *DB) User(ctx context.Context, id uuid.UUID) (*User, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	return oneUser(ctx, db.pool, "user", `-- name: User
		SELECT `+userColumns+` FROM users u WHERE u.id = $1`, id)
}

// UserByEmail returns the user with that e-mail, however it is capitalised,
// disabled or not, NotFound when there is none.
func (db *DB) UserByEmail(ctx context.Context, email string) (*User, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	return oneUser(ctx, db.pool, "user by e-mail", `-- name: UserByEmail
		SELECT `+userColumns+` FROM users u WHERE lower(u.email) = lower($1::text COLLATE "C")`, email)
}

// Users returns a page of all users, disabled ones too, and whether there are
// more.
func (db *DB) Users(ctx context.Context, q ListQuery) ([]User, bool, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	return pageOf(ctx, db.pool, "users", scanUser, q.Limit, `-- name: Users
		SELECT `+userColumns+` FROM users u WHERE u.id > $1 ORDER BY u.id LIMIT $2`, q.After, q.Limit+1)
}

// InsertUser stores a new user and returns it as it is stored. Without an ID
// it gets a UUID v7 of CreatedAt. It is Conflict when somebody has the e-mail.
func (tx *Tx) InsertUser(ctx context.Context, u User) (*User, error) {
	if u.ID == uuid.Nil {
		u.ID = NewID(u.CreatedAt)
	}
	return oneUser(ctx, tx.tx, "insert user", `-- name: InsertUser
		INSERT INTO users AS u (id, email, role, password_hash, created_at, disabled_at, last_login_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING `+userColumns,
		u.ID, u.Email, string(u.Role), u.PasswordHash, storedTime(u.CreatedAt), orNull(u.DisabledAt), orNull(u.LastLoginAt))
}

// DisableUser keeps a user from logging in and ends all sessions. changed is
// false when the user was disabled already. It is NotFound for no user.
func (tx *Tx) DisableUser(ctx context.Context, id uuid.UUID, at time.Time) (u *User, changed bool, err error) {
	_, err = oneUser(ctx, tx.tx, "disable user", `-- name: DisableUser
		UPDATE users u SET disabled_at = $2 WHERE u.id = $1 AND u.disabled_at IS NULL RETURNING `+userColumns, id, storedTime(at))
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return nil, false, err
	}
	changed = err == nil
	if err := tx.RevokeSessions(ctx, id, at, "the user was disabled"); err != nil {
		return nil, false, err
	}
	u, err = oneUser(ctx, tx.tx, "disabled user", `-- name: DisabledUser
		SELECT `+userColumns+` FROM users u WHERE u.id = $1`, id)
	return u, changed && err == nil, err
}

// SetPassword gives a user another password. NotFound for no user.
func (tx *Tx) SetPassword(ctx context.Context, id uuid.UUID, hash string) error {
	return tx.changeUser(ctx, "set password", `-- name: SetPassword
		UPDATE users SET password_hash = $2 WHERE id = $1`, id, hash)
}

// RehashPassword stores the same password under newer parameters. Nothing
// happens when was is not what is stored any more: then the password has been
// changed meanwhile.
func (tx *Tx) RehashPassword(ctx context.Context, id uuid.UUID, was, hash string) error {
	_, err := tx.tx.Exec(ctx, `-- name: RehashPassword
		UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2`, id, was, hash)
	if err != nil {
		return classify(fmt.Errorf("rehash password: %w", err))
	}
	return nil
}

// TouchLogin notes when a user last logged in. NotFound for no user.
func (tx *Tx) TouchLogin(ctx context.Context, id uuid.UUID, at time.Time) error {
	return tx.changeUser(ctx, "touch login", `-- name: TouchLogin
		UPDATE users SET last_login_at = greatest(last_login_at, $2) WHERE id = $1`, id, storedTime(at))
}

// changeUser runs a statement that changes one user.
func (tx *Tx) changeUser(ctx context.Context, what, sql string, args ...any) error {
	tag, err := tx.tx.Exec(ctx, sql, args...)
	if err != nil {
		return classify(fmt.Errorf("%s: %w", what, err))
	}
	if tag.RowsAffected() == 0 {
		return errNoUser
	}
	return nil
}
