// Package pgtest gives each test a PostgreSQL database of its own, migrated
// and empty, on a real server. It is for tests alone.
//
// The server is the one that TEST_DATABASE_URL names, or else a private one,
// started once per test binary. Where there is no PostgreSQL the test is
// skipped, but fails when CI is set: a build that tested nothing must not pass.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/devpg"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// serverVariable names the environment variable that points at a server to
// use instead of a private one. Its role must be allowed to create databases.
const serverVariable = "TEST_DATABASE_URL"

// startTimeout bounds everything that is done for one test before it runs.
const startTimeout = 2 * time.Minute

// Open returns a fresh migrated database. It is closed and dropped when the
// test ends.
func Open(tb testing.TB) *postgres.DB {
	tb.Helper()
	db, err := postgres.Open(context.Background(), postgres.Options{URL: URL(tb), MaxConns: 8})
	if err != nil {
		tb.Fatalf("open the test's database: %v", err)
	}
	tb.Cleanup(db.Close)
	return db
}

// URL is how to connect to a fresh migrated database, which is dropped when
// the test ends, connections or not.
func URL(tb testing.TB) string {
	tb.Helper()
	s := require(tb)
	return s.create(tb, s.template)
}

// EmptyURL is URL without the migrations.
func EmptyURL(tb testing.TB) string {
	tb.Helper()
	return require(tb).create(tb, "template0")
}

// Server starts a server for one test, which may stop or kill it, and returns
// how to connect to its empty database and how to stop it. It ends with the
// test in any case. It is always a private one.
func Server(tb testing.TB) (url string, stop func() error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	s, err := devpg.Start(ctx, devpg.Options{InMemory: true})
	if err != nil && maySkip(err) {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatalf("a PostgreSQL server of its own for the test: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Stop(); err != nil {
			tb.Errorf("stop the test's server: %v", err)
		}
	})
	return s.URL(), s.Stop
}

// server is where the databases are made.
type server struct {
	url string
	// template is a migrated database to copy; empty on a server that is not
	// ours, where it would be left behind: there each database is migrated.
	template string
}

// start runs once per test binary. Nobody stops the private server: it ends
// with this process and its folder is removed, however the process ends, which
// no TestMain could promise. One server for all packages of a run would have
// to outlive them to save its half second, and then who would stop it?
var start = sync.OnceValues(func() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if u := os.Getenv(serverVariable); u != "" {
		return &server{url: u}, nil
	}
	private, err := devpg.Start(ctx, devpg.Options{MaxConns: 300, InMemory: true})
	if err != nil {
		return nil, err
	}
	s := &server{url: private.URL(), template: "template_driftsentry"}
	if err := s.exec(ctx, "CREATE DATABASE "+s.template); err != nil {
		return nil, err
	}
	if _, err := postgres.Migrate(ctx, s.database(s.template)); err != nil {
		return nil, err
	}
	return s, nil
})

// require is start for one test: it skips or fails when there is no server.
func require(tb testing.TB) *server {
	tb.Helper()
	s, err := start()
	switch {
	case err == nil:
		return s
	case maySkip(err):
		tb.Skip(err)
	default:
		tb.Fatalf("a PostgreSQL server for tests: %v", err)
	}
	return nil
}

// maySkip reports whether err is that this machine has no PostgreSQL, and
// nobody relies on the tests having run.
func maySkip(err error) bool {
	return errors.Is(err, devpg.ErrNoBinaries) && os.Getenv("CI") == ""
}

// create makes a database as a copy of template and drops it after the test.
func (s *server) create(tb testing.TB, template string) string {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	name := "driftsentry_test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	statement := "CREATE DATABASE " + name
	if template != "" {
		// Copying a small database's files beats writing them through the log.
		statement += " TEMPLATE " + template + " STRATEGY FILE_COPY"
	}
	err := s.exec(ctx, statement)
	if err != nil && strings.Contains(err.Error(), "42601") { // before PostgreSQL 15 there is no choice of strategy
		err = s.exec(ctx, strings.TrimSuffix(statement, " STRATEGY FILE_COPY"))
	}
	if err != nil {
		tb.Fatalf("create a database: %v", err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		if err := s.exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("drop the test's database: %v", err)
		}
	})
	u := s.database(name)
	if template == "" {
		if _, err := postgres.Migrate(ctx, u); err != nil {
			tb.Fatalf("migrate the test's database: %v", err)
		}
	}
	return u
}

// exec runs one statement on a connection of its own: databases can be made
// and dropped neither in a transaction nor from within.
func (s *server) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }() // what it was for is done
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// database is the server's URL with another database.
func (s *server) database(name string) string {
	u, err := url.Parse(s.url)
	if err != nil || u.Scheme == "" {
		return s.url + " dbname=" + name // a DSN of key=value settings
	}
	u.Path = "/" + name
	return u.String()
}
