package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/driftsentry/driftsentry/internal/accounts"
	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/secret"
)

func (p process) userCommand() *cobra.Command {
	user := &cobra.Command{
		Use:   "user",
		Short: "Create, list, change and disable the people who may log in",
		Long: "Works on the database that DATABASE_URL names, so it also makes the first admin:\n\n" +
			"  driftsentry user create --email you@example.com --role admin",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	user.AddCommand(p.userCreateCommand(), p.userPasswordCommand(), p.userListCommand(),
		p.userDisableCommand(), p.userEnableCommand(), p.userRoleCommand())
	return user
}

func (p process) userCreateCommand() *cobra.Command {
	var n accounts.NewUser
	create := &cobra.Command{
		Use:   "create --email ADDRESS [--role ROLE]",
		Short: "Add a user; the password is piped in, or made up and shown once",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withAccounts(cmd.Context(), func(ctx context.Context, _ *postgres.DB, s *accounts.Service, by audit.Actor) (err error) {
				if n.Password, err = p.pipedPassword(); err != nil {
					return err
				}
				created, madeUp, err := s.CreateUser(ctx, n, by)
				if err != nil {
					return err
				}
				p.say("%s may log in as %s.\n", created.Email, created.Role)
				p.showPassword(madeUp)
				return nil
			})
		},
	}
	create.Flags().StringVar(&n.Email, "email", "", "`address` to log in with")
	create.Flags().StringVar((*string)(&n.Role), "role", string(auth.Viewer), "admin, engineer or viewer")
	required(create, "email")
	return create
}

// showPassword prints a password that was made up, alone on standard output.
func (p process) showPassword(madeUp secret.String) {
	if !madeUp.IsZero() {
		p.say("The password, which is shown this once:\n")
		p.print("%s\n", madeUp.Reveal())
	}
}

func (p process) userPasswordCommand() *cobra.Command {
	return &cobra.Command{
		Use: "password ADDRESS|ID", Short: "Set another password, piped in or made up, and end the user's sessions", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withAccounts(cmd.Context(), func(ctx context.Context, db *postgres.DB, s *accounts.Service, by audit.Actor) error {
				id, err := userID(ctx, db, args[0])
				if err != nil {
					return err
				}
				password, err := p.pipedPassword()
				if err != nil {
					return err
				}
				madeUp, err := s.SetPassword(ctx, id, password, by)
				if err != nil {
					return err
				}
				p.say("The password is changed; what the user is logged in with ends within seconds.\n")
				p.showPassword(madeUp)
				return nil
			})
		},
	}
}

func (p process) userListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the users", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withAccounts(cmd.Context(), func(ctx context.Context, db *postgres.DB, _ *accounts.Service, _ audit.Actor) error {
				table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
				_, _ = fmt.Fprintln(table, "EMAIL\tROLE\tCREATED\tLAST LOGIN\tDISABLED\tID") // Flush tells what went wrong
				err := everyPage(
					func(after uuid.UUID) ([]postgres.User, bool, error) {
						return db.Users(ctx, postgres.ListQuery{After: after, Limit: 100})
					},
					func(u *postgres.User) uuid.UUID { return u.ID },
					func(u *postgres.User) {
						_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n",
							u.Email, u.Role, day(u.CreatedAt), day(u.LastLoginAt), day(u.DisabledAt), u.ID)
					})
				if err != nil {
					return err
				}
				return table.Flush()
			})
		},
	}
}

// userID finds a user by what a person calls it.
func userID(ctx context.Context, db *postgres.DB, text string) (uuid.UUID, error) {
	if id, err := uuid.Parse(text); err == nil {
		return id, nil
	}
	email, err := auth.ParseEmail(text)
	if err != nil {
		return uuid.Nil, err
	}
	user, err := db.UserByEmail(ctx, email)
	if err != nil {
		return uuid.Nil, err
	}
	return user.ID, nil
}

// required marks flags that a command cannot do without.
func required(cmd *cobra.Command, flags ...string) {
	for _, name := range flags {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // a misspelt flag in this file
		}
	}
}
