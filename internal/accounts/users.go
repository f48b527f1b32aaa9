package accounts

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/secret"
)

// NewUser is somebody who shall be able to log in, unchecked.
type NewUser struct {
	Email string
	Role  auth.Role
	// Password may be empty: then one is made up.
	Password secret.String
}

// CreateUser adds a user. The password is returned only when it was made up
// here, and is not kept: this is the one time it can be shown.
func (s *Service) CreateUser(ctx context.Context, n NewUser, by audit.Actor) (*postgres.User, secret.String, error) {
	email, err := auth.ParseEmail(n.Email)
	if err != nil {
		return nil, secret.String{}, err
	}
	if !slices.Contains(auth.UserRoles(), n.Role) {
		return nil, secret.String{}, fault.BadField("role", "must be admin, engineer or viewer")
	}
	password, madeUp := n.Password, secret.String{}
	if password.IsZero() {
		madeUp = auth.NewPassword()
		password = madeUp
	} else if err := auth.CheckPassword(password, email); err != nil {
		return nil, secret.String{}, err
	}
	hash, err := s.Passwords.Hash(ctx, password)
	if err != nil {
		return nil, secret.String{}, fmt.Errorf("hash a password: %w", err)
	}
	now := s.Now()
	row := postgres.User{ID: postgres.NewID(now), Email: email, Role: n.Role, PasswordHash: hash, CreatedAt: now}
	var user *postgres.User
	err = s.record(ctx, audit.UserCreated, by, map[string]any{"userId": row.ID, "email": email, "role": n.Role},
		func(tx *postgres.Tx) (_ bool, err error) {
			user, err = tx.InsertUser(ctx, row)
			return true, err
		})
	if err != nil {
		return nil, secret.String{}, fmt.Errorf("create a user: %w", err)
	}
	return user, madeUp, nil
}

// SetPassword gives a user another password, made up here when it is empty, and
// ends what the user is logged in with and any wait for its next login. It
// returns a password that was made up, which is not kept.
func (s *Service) SetPassword(ctx context.Context, id uuid.UUID, password secret.String, by audit.Actor) (madeUp secret.String, err error) {
	user, err := s.DB.User(ctx, id)
	if err != nil {
		return secret.String{}, err
	}
	if password.IsZero() {
		madeUp = auth.NewPassword()
		password = madeUp
	} else if err := auth.CheckPassword(password, user.Email); err != nil {
		return secret.String{}, err
	}
	hash, err := s.Passwords.Hash(ctx, password)
	if err != nil {
		return secret.String{}, fmt.Errorf("hash a password: %w", err)
	}
	now := s.Now()
	err = s.record(ctx, audit.PasswordChanged, by, map[string]any{"userId": id, "email": user.Email},
		func(tx *postgres.Tx) (bool, error) {
			if err := tx.SetPassword(ctx, id, hash); err != nil {
				return false, err
			}
			// The way out for an account whose logins a stranger keeps waiting.
			if err := tx.ForgiveLogin(ctx, accountSubject(user.Email)); err != nil {
				return false, err
			}
			return true, tx.RevokeSessions(ctx, id, now, "the password was changed")
		})
	if err != nil {
		return secret.String{}, fmt.Errorf("set a password: %w", err)
	}
	s.forget(id)
	return madeUp, nil
}

// record runs change in a transaction and, when it changed something, adds what
// happened to the audit trail.
func (s *Service) record(
	ctx context.Context, action audit.Action, by audit.Actor, facts map[string]any, change func(*postgres.Tx) (bool, error),
) error {
	return s.DB.InTx(ctx, func(tx *postgres.Tx) error {
		if changed, err := change(tx); err != nil || !changed {
			return err
		}
		detail, err := json.Marshal(facts) // change may have added some
		if err != nil {
			return fmt.Errorf("facts of an event: %w", err)
		}
		return tx.RecordEvent(ctx, audit.Event{At: s.Now(), Action: action, Actor: by, Detail: detail, IDs: correlation.From(ctx)})
	})
}

// forget makes the next request of a user or key ask the database.
func (s *Service) forget(id uuid.UUID) {
	for key, st := range s.standings.All() {
		if st.principal != nil && st.principal.ID == id {
			s.standings.Invalidate(key)
		}
	}
}
