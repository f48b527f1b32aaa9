package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/driftsentry/driftsentry/internal/config"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

func (p process) migrateCommand() *cobra.Command {
	migrate := &cobra.Command{
		Use:   "migrate up|status",
		Short: "Bring the database's schema up to date, or show where it stands",
		Long: "Migrations go forward only and are safe to run from several replicas at once: one\n" +
			"works, the others wait. The database is DATABASE_URL of the environment.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	migrate.AddCommand(
		&cobra.Command{
			Use: "up", Short: "Apply every migration that is missing", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return p.migrateUp(cmd.Context()) },
		},
		&cobra.Command{
			Use: "status", Short: "List the migrations; exit code 1 when one is missing", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return p.migrateStatus(cmd.Context()) },
		},
	)
	return migrate
}

func (p process) migrateUp(ctx context.Context) error {
	ctx, stop := p.untilSignal(ctx)
	defer stop()
	database, err := config.LoadDatabase(p.env)
	if err != nil {
		return err
	}
	applied, err := postgres.Migrate(ctx, database.URL.Reveal())
	if err != nil {
		return err
	}
	for _, m := range applied {
		if _, err := fmt.Fprintf(p.stdout, "applied %s in %s\n", m.Name, m.Took.Round(time.Millisecond)); err != nil {
			return err
		}
	}
	if len(applied) == 0 {
		_, err = fmt.Fprintln(p.stdout, "the schema is up to date")
	}
	return err
}

func (p process) migrateStatus(ctx context.Context) error {
	ctx, stop := p.untilSignal(ctx)
	defer stop()
	database, err := config.LoadDatabase(p.env)
	if err != nil {
		return err
	}
	migrations, err := postgres.Status(ctx, database.URL.Reveal())
	if err != nil {
		return err
	}
	missing := 0
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, m := range migrations {
		state := "missing"
		if m.AppliedAt.IsZero() {
			missing++
		} else {
			state = "applied " + m.AppliedAt.UTC().Format(time.RFC3339)
		}
		if _, err := fmt.Fprintf(table, "%s\t%s\n", m.Name, state); err != nil {
			return err
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if missing > 0 {
		return fmt.Errorf("%d of %d migrations are missing; run driftsentry migrate up", missing, len(migrations))
	}
	return nil
}

// untilSignal is a context that ends with the first signal.
func (p process) untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-p.signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
