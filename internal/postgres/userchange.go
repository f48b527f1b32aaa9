package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/auth"
)

// LockUser returns a user, disabled or not, and how many others are admins who
// may log in. Until the transaction is over nobody else changes any of them, so
// that of two who remove the last two admins the second sees that it would. It
// is NotFound for no user.
func (tx *Tx) LockUser(ctx context.Context, id uuid.UUID) (u *User, otherAdmins int, err error) {
	// In one order, so that nobody waits in a circle. Rows that changed while we
	// waited are looked at again: a former admin is not counted.
	rows, err := tx.tx.Query(ctx, `-- name: LockUserAndAdmins
		SELECT u.id FROM users u WHERE u.id = $1 OR u.role = 'admin' AND u.disabled_at IS NULL
		ORDER BY u.id FOR NO KEY UPDATE`, id)
	if err != nil {
		return nil, 0, classify(fmt.Errorf("lock user: %w", err))
	}
	locked, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, 0, classify(fmt.Errorf("lock user: %w", err))
	}
	for _, one := range locked {
		if one != id {
			otherAdmins++
		}
	}
	u, err = oneUser(ctx, tx.tx, "locked user", `-- name: LockedUser
		SELECT `+userColumns+` FROM users u WHERE u.id = $1`, id)
	return u, otherAdmins, err
}

// UserByEmail is DB.UserByEmail inside a transaction.
func (tx *Tx) UserByEmail(ctx context.Context, email string) (*User, error) {
	return oneUser(ctx, tx.tx, "user by e-mail", `-- name: UserByEmailInTx
		SELECT `+userColumns+` FROM users u WHERE lower(u.email) = lower($1::text COLLATE "C")`, email)
}

// EnableUser lets a user log in again. NotFound for no user.
func (tx *Tx) EnableUser(ctx context.Context, id uuid.UUID) (*User, error) {
	return oneUser(ctx, tx.tx, "enable user", `-- name: EnableUser
		UPDATE users u SET disabled_at = NULL WHERE u.id = $1 RETURNING `+userColumns, id)
}

// SetRole gives a user another role. NotFound for no user.
func (tx *Tx) SetRole(ctx context.Context, id uuid.UUID, role auth.Role) (*User, error) {
	return oneUser(ctx, tx.tx, "set role", `-- name: SetRole
		UPDATE users u SET role = $2 WHERE u.id = $1 RETURNING `+userColumns, id, string(role))
}
