package accounts

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// UserChange is whose account shall change, and who changes it.
type UserChange struct {
	ID uuid.UUID
	// Self is the user who asks; Nil when it is none.
	Self uuid.UUID
	By   audit.Actor
	// EvenTheLastAdmin may be changed by the command on the machine itself, which
	// can make another one. Over HTTP nobody could.
	EvenTheLastAdmin bool
}

// ChangedUser is a user after a change.
type ChangedUser struct {
	postgres.User
	// NoAdminLeft says that nobody who may log in is an admin any more.
	NoAdminLeft bool
	// LiveKeys are the keys that a disabled user made and that go on working: they
	// are machines'.
	LiveKeys []postgres.APIKey
}

// DisableUser ends a user's sessions and keeps it from logging in. Disabling
// again changes nothing. It is a Conflict for oneself and for the last admin.
func (s *Service) DisableUser(ctx context.Context, c UserChange) (*ChangedUser, error) {
	if c.ID == c.Self {
		return nil, fault.New(fault.Conflict, "you cannot disable yourself; let another admin do it")
	}
	now := s.Now()
	changed, err := s.changeUser(ctx, audit.UserDisabled, c, func(tx *postgres.Tx, was *postgres.User, _ map[string]any) (*postgres.User, bool, error) {
		return tx.DisableUser(ctx, was.ID, now)
	})
	if err != nil {
		return nil, fmt.Errorf("disable a user: %w", err)
	}
	changed.LiveKeys, err = s.DB.LiveAPIKeysOf(ctx, userPrincipal(&changed.User, uuid.Nil).Actor(), now)
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// EnableUser lets a disabled user log in again, with the same password and role.
// Sessions that were ended stay so. Enabling again changes nothing.
func (s *Service) EnableUser(ctx context.Context, c UserChange) (*ChangedUser, error) {
	changed, err := s.changeUser(ctx, audit.UserEnabled, c, func(tx *postgres.Tx, was *postgres.User, _ map[string]any) (*postgres.User, bool, error) {
		is, err := tx.EnableUser(ctx, was.ID)
		return is, !was.DisabledAt.IsZero(), err
	})
	if err != nil {
		return nil, fmt.Errorf("enable a user: %w", err)
	}
	return changed, nil
}

// SetRole gives a user another role, here at once and on other replicas within
// seconds; who is logged in stays so. It is a Conflict for the last admin.
func (s *Service) SetRole(ctx context.Context, c UserChange, role auth.Role) (*ChangedUser, error) {
	if !slices.Contains(auth.UserRoles(), role) {
		return nil, fault.BadField("role", "must be admin, engineer or viewer")
	}
	changed, err := s.changeUser(ctx, audit.UserRoleChanged, c, func(tx *postgres.Tx, was *postgres.User, facts map[string]any) (*postgres.User, bool, error) {
		facts["from"], facts["to"] = was.Role, role
		is, err := tx.SetRole(ctx, was.ID, role)
		return is, was.Role != role, err
	})
	if err != nil {
		return nil, fmt.Errorf("change a user's role: %w", err)
	}
	return changed, nil
}

// changeUser changes a user in a transaction that holds every admin, so that of
// two who remove the last two only one can.
func (s *Service) changeUser(
	ctx context.Context, action audit.Action, c UserChange,
	change func(tx *postgres.Tx, was *postgres.User, facts map[string]any) (*postgres.User, bool, error),
) (*ChangedUser, error) {
	var result *ChangedUser
	facts := map[string]any{"userId": c.ID}
	err := s.record(ctx, action, c.By, facts, func(tx *postgres.Tx) (bool, error) {
		was, others, err := tx.LockUser(ctx, c.ID)
		if err != nil {
			return false, err
		}
		facts["email"] = was.Email
		is, changed, err := change(tx, was, facts)
		if err != nil {
			return false, err
		}
		result = &ChangedUser{User: *is, NoAdminLeft: others == 0 && !administers(is)}
		if administers(was) && result.NoAdminLeft && !c.EvenTheLastAdmin {
			return false, fault.New(fault.Conflict,
				was.Email+" is the last admin who may log in; make somebody else an admin first, or use the driftsentry user command on the machine")
		}
		return changed, nil
	})
	if err != nil {
		return nil, err
	}
	s.forget(c.ID)
	return result, nil
}

func administers(u *postgres.User) bool { return u.Role == auth.Admin && u.DisabledAt.IsZero() }
