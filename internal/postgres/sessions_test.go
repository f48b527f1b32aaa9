package postgres_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

var (
	alicesClient = audit.Actor{Name: "user:alice@example.com", ClientAddress: "203.0.113.7", UserAgent: "curl/8"}
	caller       = correlation.IDs{Correlation: "c", Trace: "t", Span: "s"}
)

// newSession stores a login whose refresh token has the hash {n}, good for a
// week; the session is for a month.
func newSession(tb testing.TB, db *postgres.DB, u *postgres.User, n byte) uuid.UUID {
	tb.Helper()
	s := postgres.Session{ID: postgres.NewID(noon), UserID: u.ID, CreatedAt: noon, ExpiresAt: noon.AddDate(0, 1, 0)}
	inTx(tb, db, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.InsertSession(ctx, s, u.PasswordHash, [32]byte{n}, noon.AddDate(0, 0, 7), alicesClient)
	})
	return s.ID
}

func TestARefreshTokenWorksOnce(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	alice := newUser(t, db, "alice")
	session := newSession(t, db, alice, 1)
	lock := func(n byte) postgres.Refresh {
		var r postgres.Refresh
		inTx(t, db, func(ctx context.Context, tx *postgres.Tx) (err error) {
			r, err = tx.LockRefresh(ctx, [32]byte{n})
			return err
		})
		return r
	}
	want := postgres.Refresh{
		Session:   postgres.Session{ID: session, UserID: alice.ID, CreatedAt: noon, ExpiresAt: noon.AddDate(0, 1, 0)},
		User:      *alice,
		ExpiresAt: noon.AddDate(0, 0, 7),
	}
	if diff := cmp.Diff(want, lock(1)); diff != "" {
		t.Errorf("LockRefresh() (-want +got):\n%s", diff)
	}
	at, later := noon.Add(time.Hour), noon.AddDate(0, 0, 8)
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.RotateRefresh(ctx, [32]byte{1}, [32]byte{2}, at, later)
	})
	want.UsedAt = at
	if diff := cmp.Diff(want, lock(1)); diff != "" {
		t.Errorf("LockRefresh() of the used one (-want +got):\n%s", diff)
	}
	want.UsedAt, want.ExpiresAt = time.Time{}, later
	if diff := cmp.Diff(want, lock(2)); diff != "" {
		t.Errorf("LockRefresh() of the new one (-want +got):\n%s", diff)
	}
	err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
		return tx.RotateRefresh(t.Context(), [32]byte{1}, [32]byte{3}, at, later)
	})
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("RotateRefresh() of a used token = %v, want a conflict", err)
	}
	for i := range 2 { // the first stays
		inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
			return tx.RevokeSession(ctx, session, at.Add(time.Duration(i)*time.Hour), "logged out")
		})
	}
	if r := lock(2); !r.Session.RevokedAt.Equal(at) {
		t.Errorf("LockRefresh() of an ended session = %+v, want it revoked at %v", r, at)
	}
	wantRows(t, conn, `SELECT client_address, user_agent, revoked_why FROM sessions`, []string{"203.0.113.7", "curl/8", "logged out"})
}

// TestManyBringOneRefreshTokenAtOnce does what a client and a thief do.
func TestManyBringOneRefreshTokenAtOnce(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	session := newSession(t, db, newUser(t, db, "alice"), 1)
	used := errors.New("used")
	var won, lost atomic.Int64
	var wg sync.WaitGroup
	for n := range byte(16) {
		wg.Go(func() {
			err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
				r, err := tx.LockRefresh(t.Context(), [32]byte{1})
				if err != nil {
					return err
				}
				if !r.UsedAt.IsZero() {
					return used
				}
				return tx.RotateRefresh(t.Context(), [32]byte{1}, [32]byte{2, n}, noon, noon.Add(time.Hour))
			})
			switch {
			case err == nil:
				won.Add(1)
			case errors.Is(err, used):
				lost.Add(1)
			default:
				t.Errorf("InTx() = %v", err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || lost.Load() != 15 {
		t.Errorf("%d of 16 got new tokens and %d were told it was used, want 1 and 15", won.Load(), lost.Load())
	}
	wantRows(t, conn, `SELECT count(*), count(used_at), count(DISTINCT session_id) FROM refresh_tokens`, []string{"2", "1", "1"})
	wantRows(t, conn, `SELECT id FROM sessions`, []string{session.String()})
}

// TestManyLoginsOfOneUserAtOnce does what a login does; none may deadlock.
func TestManyLoginsOfOneUserAtOnce(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	alice := newUser(t, db, "alice")
	var wg sync.WaitGroup
	for n := range byte(16) {
		wg.Go(func() {
			err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
				s := postgres.Session{ID: uuid.New(), UserID: alice.ID, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}
				return errors.Join(
					tx.InsertSession(t.Context(), s, alice.PasswordHash, [32]byte{n}, noon.Add(time.Hour), alicesClient),
					tx.TouchLogin(t.Context(), alice.ID, noon),
					tx.RecordEvent(t.Context(), audit.Event{At: noon, Action: audit.LoggedIn, Actor: alicesClient}),
				)
			})
			if err != nil {
				t.Errorf("InTx() = %v", err)
			}
		})
	}
	wg.Wait()
	wantRows(t, conn, `SELECT count(*), (SELECT count(*) FROM events) FROM sessions`, []string{"16", "16"})
	wantRows(t, conn, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`, []string{"0"})
}

func TestPurgeRemovesOnlyWhatIsLongOver(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	newSession(t, db, newUser(t, db, "alice"), 1) // token for 7 days, session for a month
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.ReserveLogin(ctx, []postgres.Subject{{Hash: [32]byte{1}, Limit: 1}}, time.Hour, noon)
		return err
	})
	for _, tc := range []struct {
		days    int
		removed int64
		left    []string
	}{
		{0, 0, []string{"1", "1", "1"}},
		{1, 0, []string{"1", "1", "1"}},
		{2, 1, []string{"1", "1", "0"}},
		{37, 0, []string{"1", "1", "0"}},
		{38, 1, []string{"1", "0", "0"}},
		{61, 0, []string{"1", "0", "0"}},
		{62, 1, []string{"0", "0", "0"}},
	} {
		var removed int64
		inTx(t, db, func(ctx context.Context, tx *postgres.Tx) (err error) {
			removed, err = tx.Purge(ctx, noon.AddDate(0, 0, tc.days))
			return err
		})
		if removed != tc.removed {
			t.Errorf("Purge() after %d days removed %d rows, want %d", tc.days, removed, tc.removed)
		}
		wantRows(t, conn, `SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM refresh_tokens), (SELECT count(*) FROM login_throttles)`, tc.left)
	}
	if _, err := db.UserByEmail(t.Context(), "alice@example.com"); err != nil {
		t.Errorf("UserByEmail() = %v, want the user to stay", err)
	}
}
