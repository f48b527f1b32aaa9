package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/driftsentry/driftsentry/internal/accounts"
	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

func (p process) userDisableCommand() *cobra.Command {
	return &cobra.Command{
		Use: "disable ADDRESS|ID", Short: "End a user's sessions and keep it from logging in", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.changeUser(cmd.Context(), args[0], func(ctx context.Context, s *accounts.Service, c accounts.UserChange) (*accounts.ChangedUser, error) {
				user, err := s.DisableUser(ctx, c)
				if err != nil {
					return nil, err
				}
				p.say("%s is disabled; what it is logged in with ends within seconds.\n", user.Email)
				if len(user.LiveKeys) > 0 {
					p.say("API keys that it created go on working; end those that should not with driftsentry apikey revoke PREFIX:\n")
				}
				for i := range user.LiveKeys {
					k := &user.LiveKeys[i]
					p.say("  %s (%s) for %s, role %s, expires: %s\n", k.Prefix, k.Name, allStacks(k.Stacks), k.Role, never(k.ExpiresAt))
				}
				return user, nil
			})
		},
	}
}

func (p process) userEnableCommand() *cobra.Command {
	return &cobra.Command{
		Use: "enable ADDRESS|ID", Short: "Let a disabled user log in again", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.changeUser(cmd.Context(), args[0], func(ctx context.Context, s *accounts.Service, c accounts.UserChange) (*accounts.ChangedUser, error) {
				user, err := s.EnableUser(ctx, c)
				if err != nil {
					return nil, err
				}
				p.say("%s may log in as %s, with the password it had.\n", user.Email, user.Role)
				return user, nil
			})
		},
	}
}

func (p process) userRoleCommand() *cobra.Command {
	return &cobra.Command{
		Use: "role ADDRESS|ID ROLE", Short: "Make a user an admin, engineer or viewer", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.changeUser(cmd.Context(), args[0], func(ctx context.Context, s *accounts.Service, c accounts.UserChange) (*accounts.ChangedUser, error) {
				user, err := s.SetRole(ctx, c, auth.Role(args[1]))
				if err != nil {
					return nil, err
				}
				p.say("The role of %s is %s, within seconds also where it is logged in.\n", user.Email, user.Role)
				return user, nil
			})
		},
	}
}

// changeUser changes a user by what a person calls it. Here even the last admin
// may go: who can run this can make another one.
func (p process) changeUser(
	ctx context.Context, who string, change func(context.Context, *accounts.Service, accounts.UserChange) (*accounts.ChangedUser, error),
) error {
	return p.withAccounts(ctx, func(ctx context.Context, db *postgres.DB, s *accounts.Service, by audit.Actor) error {
		id, err := userID(ctx, db, who)
		if err != nil {
			return err
		}
		user, err := change(ctx, s, accounts.UserChange{ID: id, By: by, EvenTheLastAdmin: true})
		if err != nil {
			return err
		}
		if user.NoAdminLeft {
			p.say("Warning: no admin is left who may log in. Make one with driftsentry user create, enable or role.\n")
		}
		return nil
	})
}
