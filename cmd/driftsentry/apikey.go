package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/driftsentry/driftsentry/internal/accounts"
	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

func (p process) apikeyCommand() *cobra.Command {
	key := &cobra.Command{
		Use:   "apikey",
		Short: "Create, list and revoke the keys of machines",
		Long: "Works on the database that DATABASE_URL names. A CI job needs a key that can upload and\n" +
			"nothing else:\n\n" +
			"  driftsentry apikey create --name ci --role ingest --stack 'prod/**' --expires 90d",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	key.AddCommand(p.apikeyCreateCommand(), p.apikeyListCommand(), p.apikeyRevokeCommand())
	return key
}

func (p process) apikeyCreateCommand() *cobra.Command {
	var n accounts.NewKey
	var stacks, expires string
	create := &cobra.Command{
		Use:   "create --name NAME [--role ROLE]",
		Short: "Add a key and print it, alone on standard output, this once",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("stack") { // an empty pattern is refused, and not every stack
				n.Stacks = &stacks
			}
			return p.withAccounts(cmd.Context(), func(ctx context.Context, _ *postgres.DB, s *accounts.Service, by audit.Actor) (err error) {
				if n.ExpiresAt, err = lifetime(expires, time.Now()); err != nil {
					return err
				}
				key, text, err := s.CreateKey(ctx, n, by)
				if err != nil {
					return err
				}
				p.say("Key %s (%s) for %s, role %s, expires: %s. It is shown this once:\n",
					key.Prefix, key.Name, allStacks(key.Stacks), key.Role, never(key.ExpiresAt))
				p.print("%s\n", text.Reveal())
				return nil
			})
		},
	}
	create.Flags().StringVar(&n.Name, "name", "", "what the key is for; the audit trail shows it")
	create.Flags().StringVar((*string)(&n.Role), "role", string(auth.Ingest), "ingest, viewer, engineer or admin")
	create.Flags().StringVar(&stacks, "stack", "", "limit it to stacks that match `PATTERN`, such as prod/** (default all)")
	create.Flags().StringVar(&expires, "expires", "never", "when it ends: 90d, 12h, or a date")
	required(create, "name")
	return create
}

func (p process) apikeyListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the keys, without the keys themselves", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withAccounts(cmd.Context(), func(ctx context.Context, db *postgres.DB, _ *accounts.Service, _ audit.Actor) error {
				table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
				_, _ = fmt.Fprintln(table, "NAME\tPREFIX\tROLE\tSTACKS\tCREATED\tLAST USED\tEXPIRES\tREVOKED\tID") // Flush tells what went wrong
				err := everyKey(ctx, db, func(k *postgres.APIKey) {
					_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.Name, k.Prefix, k.Role, allStacks(k.Stacks),
						day(k.CreatedAt), day(k.LastUsedAt), never(k.ExpiresAt), day(k.RevokedAt), k.ID)
				})
				if err != nil {
					return err
				}
				return table.Flush()
			})
		},
	}
}

func (p process) apikeyRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "revoke PREFIX|ID", Short: "End a key", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withAccounts(cmd.Context(), func(ctx context.Context, db *postgres.DB, s *accounts.Service, by audit.Actor) error {
				id, err := uuid.Parse(args[0])
				if err != nil {
					if id, err = keyByPrefix(ctx, db, args[0]); err != nil {
						return err
					}
				}
				key, err := s.RevokeKey(ctx, id, by)
				if err != nil {
					return err
				}
				p.say("Key %s (%s) is revoked; it stops working within seconds.\n", key.Prefix, key.Name)
				return nil
			})
		},
	}
}

// keyByPrefix finds a key by what is shown of it. Somebody who pastes the whole
// key is understood, too.
func keyByPrefix(ctx context.Context, db *postgres.DB, text string) (uuid.UUID, error) {
	if prefix, _, whole := auth.ParseAPIKey(text); whole {
		text = prefix
	}
	id := uuid.Nil
	err := everyKey(ctx, db, func(k *postgres.APIKey) {
		if k.Prefix == text {
			id = k.ID
		}
	})
	if err == nil && id == uuid.Nil {
		err = errors.New("no key has this prefix; driftsentry apikey list shows them")
	}
	return id, err
}

func everyKey(ctx context.Context, db *postgres.DB, show func(*postgres.APIKey)) error {
	return everyPage(
		func(after uuid.UUID) ([]postgres.APIKey, bool, error) {
			return db.APIKeys(ctx, postgres.ListQuery{After: after, Limit: 100})
		},
		func(k *postgres.APIKey) uuid.UUID { return k.ID }, show)
}

func allStacks(p auth.Pattern) string {
	if p.IsZero() {
		return "all stacks"
	}
	return p.String()
}

func never(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return day(t)
}
