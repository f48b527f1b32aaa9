package postgres_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/postgres"
)

const window = 15 * time.Minute

// reserve tries to log in.
func reserve(tb testing.TB, db *postgres.DB, at time.Time, subjects ...postgres.Subject) time.Duration {
	tb.Helper()
	var wait time.Duration
	inTx(tb, db, func(ctx context.Context, tx *postgres.Tx) (err error) {
		wait, err = tx.ReserveLogin(ctx, subjects, window, at)
		return err
	})
	return wait
}

func TestLoginsWaitLongerAndLonger(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	alice := postgres.Subject{Hash: [32]byte{1}, Limit: 3}
	at := noon
	for i := range 3 {
		if wait := reserve(t, db, at, alice); wait != 0 {
			t.Fatalf("ReserveLogin() number %d = %v, want it free", i+1, wait)
		}
	}
	for i, want := range []time.Duration{
		time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, 64 * time.Second,
		128 * time.Second, 256 * time.Second, 512 * time.Second, window, window, window,
	} {
		// Too early, twice: it costs nothing and does not make the wait longer.
		for _, early := range []time.Duration{0, want - time.Millisecond} {
			if wait := reserve(t, db, at.Add(early), alice); wait != want-early {
				t.Errorf("ReserveLogin() number %d, %v after the last = %v, want %v", i+4, early, wait, want-early)
			}
		}
		if at = at.Add(want); reserve(t, db, at, alice) != 0 {
			t.Errorf("ReserveLogin() number %d, %v after the last, is refused", i+4, want)
		}
	}
	// The longest wait and a window of rest.
	if wait := reserve(t, db, at.Add(2*window-time.Second), alice); wait != 0 {
		t.Errorf("ReserveLogin() after the wait = %v, want it free", wait)
	}
	if wait := reserve(t, db, at.Add(2*window), alice); wait <= 0 {
		t.Error("ReserveLogin() one second later is free, want it to wait: the rest was not long enough")
	}
	at = at.Add(5 * window)
	for i := range 3 {
		if wait := reserve(t, db, at, alice); wait != 0 {
			t.Errorf("ReserveLogin() number %d after a rest = %v, want it free", i+1, wait)
		}
	}
	if wait := reserve(t, db, at.Add(-time.Hour), alice); wait != time.Second {
		t.Errorf("ReserveLogin() by a clock that is late = %v, want 1s", wait)
	}
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error { return tx.ForgiveLogin(ctx, alice.Hash) })
	if wait := reserve(t, db, at, alice); wait != 0 {
		t.Errorf("ReserveLogin() after being forgiven = %v, want it free", wait)
	}
}

func TestARefusedLoginCountsForNobody(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	alice, address := postgres.Subject{Hash: [32]byte{1}, Limit: 1}, postgres.Subject{Hash: [32]byte{2}, Limit: 5}
	if wait := reserve(t, db, noon, alice, address); wait != 0 {
		t.Fatalf("ReserveLogin() = %v, want it free", wait)
	}
	for range 10 {
		if wait := reserve(t, db, noon, alice, address); wait != time.Second {
			t.Fatalf("ReserveLogin() = %v, want 1s", wait)
		}
	}
	for i := range 4 {
		if wait := reserve(t, db, noon, address, address); wait != 0 {
			t.Errorf("ReserveLogin() number %d of the address = %v, want it free", i+2, wait)
		}
	}
	if wait := reserve(t, db, noon, address); wait != time.Second {
		t.Errorf("ReserveLogin() number 6 of the address = %v, want 1s", wait)
	}
}

// TestManyLoginsAtOnce has fifty callers try at the same moment, naming their
// subjects in either order.
func TestManyLoginsAtOnce(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	var free, refused atomic.Int64
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			subjects := []postgres.Subject{{Hash: [32]byte{1}, Limit: 5}, {Hash: [32]byte{2}, Limit: 20}}
			if i%2 == 0 {
				slices.Reverse(subjects)
			}
			err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
				wait, err := tx.ReserveLogin(t.Context(), subjects, window, noon)
				if err == nil && wait == 0 {
					free.Add(1)
				} else if err == nil {
					refused.Add(1)
				}
				return err
			})
			if err != nil {
				t.Errorf("ReserveLogin() = %v", err)
			}
		})
	}
	wg.Wait()
	if free.Load() != 5 || refused.Load() != 45 {
		t.Errorf("%d of 50 were free and %d refused, want 5 and 45", free.Load(), refused.Load())
	}
	wantRows(t, conn, `SELECT attempts FROM login_throttles ORDER BY subject`, []string{"5"}, []string{"5"})
	wantRows(t, conn, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`, []string{"0"})
}
