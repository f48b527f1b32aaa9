package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

func TestOpenDoesNotNeedTheDatabase(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(t.Context(), postgres.Options{URL: "postgres://u@/d?host=" + t.TempDir()})
	if err != nil {
		t.Fatalf("Open() = %v", err)
	}
	t.Cleanup(db.Close)
	_, errRead := db.OpenCounts(t.Context())
	for what, err := range map[string]error{
		"Ping": db.Ping(t.Context()), "Ready": db.Ready(t.Context()), "OpenCounts": errRead,
		"InTx": db.InTx(t.Context(), func(*postgres.Tx) error { return nil }),
	} {
		f, ok := fault.As(err)
		if !ok || f.Kind != fault.Unavailable || f.RetryAfter == 0 {
			t.Errorf("%s() without a database = %v, want Unavailable and when to retry", what, err)
		}
	}
}

func TestABadURLIsNotRepeated(t *testing.T) {
	t.Parallel()
	const secret = "hunter2hunter2"
	for _, url := range []string{
		"postgres://u:" + secret + "@host:port/d", "postgres://u:" + secret + "@%zz/", "nonsense " + secret,
		"host=x password=" + secret + " port=y", "postgres://u:" + secret + "@h/d?pool_max_conns=many",
	} {
		_, errOpen := postgres.Open(t.Context(), postgres.Options{URL: url})
		_, errMigrate := postgres.Migrate(t.Context(), url)
		_, errStatus := postgres.Status(t.Context(), url)
		for what, err := range map[string]error{"Open": errOpen, "Migrate": errMigrate, "Status": errStatus} {
			if err == nil && what != "Open" || err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("%s(%s) = %v, want an error without the password", what, url, err)
			}
		}
	}
}

func TestErrorsAreClassified(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	first := apply(t, db, "s", noon, report(noon), resource("a", "1"))

	over, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancelLate := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancelLate()
	nul := resource("a\x00b", "1")
	_, errCancelled := db.Drift(over, uuid.New())
	_, errLate := db.Drift(late, uuid.New())
	for _, tc := range []struct {
		name string
		err  error
		want fault.Kind
	}{
		{"cancelled by the caller", errCancelled, fault.ClientClosed},
		{"no time left", errLate, fault.Timeout},
		{"cancelled before a transaction", db.InTx(over, func(*postgres.Tx) error { return nil }), fault.ClientClosed},
		{"same payload", db.InTx(t.Context(), func(tx *postgres.Tx) error {
			stack, err := tx.LockStack(t.Context(), "s", noon)
			if err != nil {
				return err
			}
			again := first.scan
			again.ID = uuid.New()
			return tx.InsertScan(t.Context(), &postgres.Upload{Stack: stack, Scan: again})
		}), fault.Conflict},
		{"bad name", db.InTx(t.Context(), func(tx *postgres.Tx) error {
			_, err := tx.LockStack(t.Context(), "a b", noon)
			return err
		}), fault.Invalid},
		{"NUL", applyErr(t, db, nul), fault.Invalid},
		{"endless address", applyErr(t, db, resource(strings.Repeat("x", 5000), "1")), fault.Invalid},
		{"backend terminated", db.InTx(t.Context(), func(tx *postgres.Tx) error {
			if _, err := tx.LockStack(t.Context(), "s", noon); err != nil {
				return err
			}
			query(t, conn, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
			_, err := tx.LockStack(t.Context(), "s", noon)
			return err
		}), fault.Unavailable},
	} {
		f, ok := fault.As(tc.err)
		if !ok || f.Kind != tc.want {
			t.Errorf("%s: %v is not of kind %d", tc.name, tc.err, tc.want)
			continue
		}
		if errors.Unwrap(f) == nil && tc.want != fault.Invalid || strings.Contains(f.Message, "SQLSTATE") || strings.Contains(f.Message, "drifts_") {
			t.Errorf("%s: the public message is %q, wrapping %v", tc.name, f.Message, errors.Unwrap(f))
		}
	}
}

// applyErr is what storing a report fails with.
func applyErr(t *testing.T, db *postgres.DB, r *drift.Resource) error {
	t.Helper()
	return db.InTx(t.Context(), func(tx *postgres.Tx) error {
		_, err := applyIn(t.Context(), tx, "other", noon, report(noon), []*drift.Resource{r})
		return err
	})
}

func TestATransactionThatLostIsRunAgain(t *testing.T) {
	t.Parallel()
	db := pgtest.Open(t)
	for lost, want := range map[int]int{0: 1, 1: 2, 2: 3, 3: 3, 9: 3} {
		runs := 0
		err := db.InTx(t.Context(), func(*postgres.Tx) error {
			if runs++; runs <= lost {
				return &pgconn.PgError{Code: "40P01"}
			}
			return nil
		})
		if runs != want || (err != nil) != (lost >= 3) || err != nil && fault.KindOf(err) != fault.Conflict {
			t.Errorf("InTx() that lost %d times ran %d times and returned %v, want %d runs", lost, runs, err, want)
		}
	}
}

// privateServer is a migrated database on a server that the test may stop.
func privateServer(t *testing.T) (db *postgres.DB, url string, stop func() error) {
	t.Helper()
	url, stop = pgtest.Server(t)
	if _, err := postgres.Migrate(t.Context(), url); err != nil {
		t.Fatalf("Migrate() = %v", err)
	}
	db, err := postgres.Open(t.Context(), postgres.Options{URL: url})
	if err != nil {
		t.Fatalf("Open() = %v", err)
	}
	t.Cleanup(db.Close)
	return db, url, stop
}

func TestAKilledServerIsUnavailable(t *testing.T) {
	t.Parallel()
	db, _, stop := privateServer(t)
	apply(t, db, "s", noon, report(noon), resource("a", "1"))
	if err := stop(); err != nil {
		t.Fatalf("stop() = %v", err)
	}
	_, _, errRead := db.Drifts(t.Context(), postgres.DriftQuery{Limit: 1})
	for what, err := range map[string]error{
		"Ping": db.Ping(t.Context()), "Drifts": errRead,
		"InTx": db.InTx(t.Context(), func(tx *postgres.Tx) error { return nil }),
	} {
		if fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s() after the server was stopped = %v, want Unavailable", what, err)
		}
	}
}
