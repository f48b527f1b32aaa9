package postgres_test

import (
	"context"
	"errors"
	"testing"

	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

func TestAlone(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	one, other := jobPool(t, db), jobPool(t, db)
	never := func(context.Context) error { t.Error("the work was done twice at the same time"); return nil }
	errWork := errors.New("the work's own")
	done := 0
	alone, err := one.Alone(t.Context(), "purge", func(ctx context.Context) error {
		if alone, err := other.Alone(ctx, "purge", never); alone || err != nil {
			t.Errorf("Alone(purge) beside another = %t, %v, want false", alone, err)
		}
		if alone, err := one.Alone(ctx, "purge", never); alone || err != nil {
			t.Errorf("Alone(purge) within itself = %t, %v, want false", alone, err)
		}
		if alone, err := other.Alone(ctx, "reopen", func(context.Context) error { done++; return nil }); !alone || err != nil {
			t.Errorf("Alone(reopen) beside purge = %t, %v, want true", alone, err)
		}
		done++
		return errWork
	})
	if !alone || !errors.Is(err, errWork) || done != 2 {
		t.Errorf("Alone() = %t, %v after %d pieces of work, want true, %v after 2", alone, err, done, errWork)
	}
	if alone, err := other.Alone(t.Context(), "purge", func(context.Context) error { return nil }); !alone || err != nil {
		t.Errorf("Alone() after the other's end = %t, %v, want true", alone, err)
	}
}

// TestAloneOutlivesServersLimits: servers are set up to end transactions that
// do nothing, and this one does nothing.
func TestAloneOutlivesServersLimits(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	db, err := postgres.Open(t.Context(), postgres.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	pool := jobPool(t, db)
	if _, err := pool.Exec(t.Context(), `DO $$ BEGIN
		EXECUTE format('ALTER DATABASE %I SET idle_in_transaction_session_timeout = 300', current_database()); END $$`); err != nil {
		t.Fatal(err)
	}
	limited := jobPool(t, db) // connects from now on
	if _, err := limited.Alone(t.Context(), "purge", func(ctx context.Context) error {
		// Far longer than the limit, and on the server, so that nobody sleeps here.
		_, err := pool.Exec(ctx, `SELECT pg_sleep(0.9)`)
		if alone, err := pool.Alone(ctx, "purge", func(context.Context) error { return nil }); alone || err != nil {
			t.Errorf("Alone() beside one that waits = %t, %v, want false", alone, err)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

func TestAloneWithoutDatabase(t *testing.T) {
	t.Parallel()
	url, stop := pgtest.Server(t)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Open(t.Context(), postgres.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	alone, err := jobPool(t, db).Alone(t.Context(), "purge", func(context.Context) error { t.Error("done unlocked"); return nil })
	if alone || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Alone() = %t, %v, want false and Unavailable", alone, err)
	}
}

func jobPool(t *testing.T, db *postgres.DB) *postgres.JobPool {
	t.Helper()
	pool, err := db.JobPool(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}
