package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/driftsentry/driftsentry/internal/fault"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migration is one step of the schema.
type Migration struct {
	Version   int64
	Name      string
	AppliedAt time.Time // zero while it is pending
	// Took is how long this call needed to apply it; zero when it did not.
	Took time.Duration
}

// Migrate brings the schema of the database at url up to date and returns the
// steps it took, none when there was nothing to do. It is safe from several
// processes at once: one works, the others wait for it, at most five minutes.
func Migrate(ctx context.Context, url string) ([]Migration, error) {
	provider, closeDB, err := migrations(ctx, url)
	if err != nil {
		return nil, err
	}
	defer closeDB()
	results, err := provider.Up(ctx)
	if err != nil {
		return nil, classify(fmt.Errorf("migrate: %w", err))
	}
	done := make([]Migration, len(results))
	for i, r := range results {
		done[i] = Migration{Version: r.Source.Version, Name: migrationName(r.Source.Path), AppliedAt: time.Now(), Took: r.Duration}
	}
	return done, nil
}

// Status returns every migration this binary knows, in order, with when it was
// applied to the database at url. It changes nothing.
func Status(ctx context.Context, url string) ([]Migration, error) {
	conf, err := connConfig(url)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return nil, classify(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // what it was for is done
	applied, err := appliedMigrations(ctx, conn)
	if err != nil {
		return nil, err
	}
	known, err := knownMigrations()
	if err != nil {
		return nil, err
	}
	for i := range known {
		known[i].AppliedAt = applied[known[i].Version]
	}
	return known, nil
}

func appliedMigrations(ctx context.Context, conn *pgx.Conn) (map[int64]time.Time, error) {
	applied := make(map[int64]time.Time)
	rows, err := conn.Query(ctx, `-- name: AppliedMigrations
		SELECT version_id, tstamp AT TIME ZONE current_setting('TimeZone') FROM goose_db_version WHERE is_applied AND version_id > 0`)
	var version int64
	var at time.Time
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&version, &at}, func() error {
			applied[version] = at
			return nil
		})
	}
	if missingTable(err) {
		return applied, nil // nothing has ever been migrated here
	}
	return applied, classify(err)
}

// SchemaVersion is the newest migration this binary brings. A database at it
// or past it can be served: migrations keep the previous release running.
func SchemaVersion() int64 {
	known, err := knownMigrations()
	if err != nil {
		panic(err) // a misnamed file in the binary; a test catches it
	}
	return known[len(known)-1].Version
}

// knownMigrations lists the embedded files; ReadDir sorts them by name, which
// begins with the version.
func knownMigrations() ([]Migration, error) {
	entries, err := fs.ReadDir(migrationFiles, "migrations")
	if err != nil {
		return nil, fmt.Errorf("embedded migrations: %w", err)
	}
	known := make([]Migration, len(entries))
	for i, e := range entries {
		number, _, _ := strings.Cut(e.Name(), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("embedded migration %s: %w", e.Name(), err)
		}
		known[i] = Migration{Version: version, Name: migrationName(e.Name())}
	}
	return known, nil
}

// migrationName is what stands between the number and the ending.
func migrationName(file string) string {
	_, name, _ := strings.Cut(strings.TrimSuffix(path.Base(file), ".sql"), "_")
	return name
}

// migrations opens url for goose, which works on database/sql.
func migrations(ctx context.Context, url string) (*goose.Provider, func(), error) {
	conf, err := connConfig(url)
	if err != nil {
		return nil, nil, err
	}
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return nil, nil, fmt.Errorf("embedded migrations: %w", err)
	}
	// A session lock ends with its session, so a killed migration blocks nobody.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return nil, nil, fmt.Errorf("migration lock: %w", err)
	}
	db := stdlib.OpenDB(*conf)
	// One that cannot be reached should say so before goose starts retrying.
	if err := db.PingContext(ctx); err != nil {
		return nil, nil, errors.Join(classify(fmt.Errorf("migrate: %w", err)), db.Close())
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("migrations: %w", err), db.Close())
	}
	return provider, func() { closeQuietly(db) }, nil
}

// closeQuietly ends connections whose work is done: an error here has nothing
// left to tell.
func closeQuietly(db *sql.DB) { _ = db.Close() }

// ErrNotMigrated tells readiness that the schema is older than this binary.
var ErrNotMigrated = fault.New(fault.Unavailable, "the database lacks migrations")
