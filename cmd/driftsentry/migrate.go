package main

import (
	"context"
	"errors"
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
	applied, err := p.migrations(ctx, postgres.Migrate)
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
	migrations, err := p.migrations(ctx, postgres.Status)
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

// migrations asks the database of the environment. The first signal breaks that
// off in order; the second waits for nobody, whatever the database does.
func (p process) migrations(
	ctx context.Context, ask func(context.Context, string) ([]postgres.Migration, error),
) ([]postgres.Migration, error) {
	database, err := config.LoadDatabase(p.env)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		migrations []postgres.Migration
		err        error
	}
	answered := make(chan answer, 1) // room for one that nobody waits for any more
	go func() {
		migrations, err := ask(ctx, database.URL.Reveal())
		answered <- answer{migrations, err}
	}()
	for range 2 {
		select {
		case a := <-answered:
			return a.migrations, a.err
		case <-p.signals:
			cancel()
		}
	}
	return nil, errors.New("stopped at once; the database may still be at work")
}
