package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// inTx runs what must not fail.
func inTx(tb testing.TB, db *postgres.DB, do func(ctx context.Context, tx *postgres.Tx) error) {
	tb.Helper()
	if err := db.InTx(tb.Context(), func(tx *postgres.Tx) error { return do(tb.Context(), tx) }); err != nil {
		tb.Fatalf("InTx() = %v", err)
	}
}

// newUser stores a user of that name.
func newUser(tb testing.TB, db *postgres.DB, name string) *postgres.User {
	tb.Helper()
	var u *postgres.User
	inTx(tb, db, func(ctx context.Context, tx *postgres.Tx) (err error) {
		u, err = tx.InsertUser(ctx, postgres.User{Email: name + "@example.com", Role: auth.Engineer, PasswordHash: "$argon2id$1", CreatedAt: noon})
		return err
	})
	return u
}

func TestUsers(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	alice := newUser(t, db, "alice")
	want := &postgres.User{ID: alice.ID, Email: "alice@example.com", Role: auth.Engineer, PasswordHash: "$argon2id$1", CreatedAt: noon}
	if diff := cmp.Diff(want, alice); diff != "" || alice.ID.Version() != 7 {
		t.Errorf("InsertUser() has id %s (-want +got):\n%s", alice.ID, diff)
	}
	for _, email := range []string{"alice@example.com", "Alice@Example.COM"} {
		got, err := db.UserByEmail(t.Context(), email)
		if err != nil || got.ID != alice.ID {
			t.Errorf("UserByEmail(%s) = %+v, %v, want alice", email, got, err)
		}
		err = db.InTx(t.Context(), func(tx *postgres.Tx) error {
			_, err := tx.InsertUser(t.Context(), postgres.User{Email: email, Role: auth.Viewer, PasswordHash: "x", CreatedAt: noon})
			return err
		})
		if f, ok := fault.As(err); !ok || f.Kind != fault.Conflict || f.Message != "there is a user with this e-mail already" {
			t.Errorf("InsertUser(%s) again = %v, want a conflict that says so", email, err)
		}
	}
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		if err := tx.TouchLogin(ctx, alice.ID, noon.Add(time.Hour)); err != nil {
			return err
		}
		if err := tx.RehashPassword(ctx, alice.ID, "not it", "$argon2id$0"); err != nil {
			return err
		}
		if err := tx.RehashPassword(ctx, alice.ID, "$argon2id$1", "$argon2id$2"); err != nil {
			return err
		}
		return tx.TouchLogin(ctx, alice.ID, noon) // an older one, from a slower replica
	})
	want.LastLoginAt, want.PasswordHash = noon.Add(time.Hour), "$argon2id$2"
	got, err := db.User(t.Context(), alice.ID)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("User() = %v (-want +got):\n%s", err, diff)
	}
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error { return tx.SetPassword(ctx, alice.ID, "$argon2id$3") })
	if got, err = db.User(t.Context(), alice.ID); err != nil || got.PasswordHash != "$argon2id$3" {
		t.Errorf("User() after SetPassword = %+v, %v, want the new hash", got, err)
	}
	bob, carol := newUser(t, db, "bob"), newUser(t, db, "carol")
	page, more, err := db.Users(t.Context(), postgres.ListQuery{Limit: 2})
	if err != nil || !more || len(page) != 2 {
		t.Fatalf("Users() = %v, %v, %v, want two and more", page, more, err)
	}
	rest, more, err := db.Users(t.Context(), postgres.ListQuery{After: page[1].ID, Limit: 2})
	ids := map[uuid.UUID]bool{page[0].ID: true, page[1].ID: true, rest[0].ID: true}
	if err != nil || more || len(rest) != 1 || !ids[alice.ID] || !ids[bob.ID] || !ids[carol.ID] {
		t.Errorf("Users(after) = %v, %v, %v, want the third", rest, more, err)
	}
}

func TestADisabledUserHasNoSessions(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	alice, bob := newUser(t, db, "alice"), newUser(t, db, "bob")
	of := map[*postgres.User]uuid.UUID{alice: newSession(t, db, alice, 1), bob: newSession(t, db, bob, 2)}
	at := noon.Add(time.Hour)
	for i, want := range []bool{true, false} {
		inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
			u, changed, err := tx.DisableUser(ctx, alice.ID, at.Add(time.Duration(i)*time.Hour))
			if err == nil && (changed != want || !u.DisabledAt.Equal(at)) {
				t.Errorf("DisableUser() number %d = %+v, %v, want changed %v, disabled at %v", i, u, changed, want, at)
			}
			return err
		})
	}
	for u, session := range of {
		standing, err := db.SessionStanding(t.Context(), session)
		if ended := !standing.Session.RevokedAt.IsZero(); err != nil || ended != (u == alice) || !standing.User.DisabledAt.IsZero() != (u == alice) {
			t.Errorf("SessionStanding(%s) = %+v, %v", u.Email, standing, err)
		}
	}
	err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
		return tx.InsertSession(t.Context(), postgres.Session{ID: uuid.New(), UserID: alice.ID, CreatedAt: noon, ExpiresAt: noon}, alice.PasswordHash, [32]byte{9}, noon, alicesClient)
	})
	if f, ok := fault.As(err); !ok || f.Kind != fault.Conflict || !strings.Contains(f.Message, "the user is disabled") {
		t.Errorf("InsertSession() of a disabled user = %v, want a conflict that says so", err)
	}
}

// TestALoginWhileBeingDisabled has the login commit while the other waits: its
// session ends with the rest.
func TestALoginWhileBeingDisabled(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	alice := newUser(t, db, "alice")
	session := postgres.Session{ID: uuid.New(), UserID: alice.ID, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}
	disabled := make(chan error, 1)
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		if err := tx.InsertSession(ctx, session, alice.PasswordHash, [32]byte{1}, noon.Add(time.Hour), alicesClient); err != nil {
			return err
		}
		go func() {
			disabled <- db.InTx(ctx, func(tx *postgres.Tx) error {
				_, _, err := tx.DisableUser(ctx, alice.ID, noon)
				return err
			})
		}()
		waitForLock(t, conn)
		return nil
	})
	if err := <-disabled; err != nil {
		t.Fatalf("DisableUser() = %v", err)
	}
	if s, err := db.SessionStanding(t.Context(), session.ID); err != nil || s.Session.RevokedAt.IsZero() {
		t.Errorf("SessionStanding() = %+v, %v, want it revoked", s, err)
	}
}

func TestAccountsThatAreNotThere(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	_, errUser := db.User(t.Context(), uuid.New())
	_, errEmail := db.UserByEmail(t.Context(), "nobody@example.com")
	_, errSession := db.SessionStanding(t.Context(), uuid.New())
	_, errKey := db.APIKeyByHash(t.Context(), [32]byte{})
	errs := map[string]error{"User": errUser, "UserByEmail": errEmail, "SessionStanding": errSession, "APIKeyByHash": errKey}
	for name, do := range map[string]func(tx *postgres.Tx) error{
		"DisableUser":  func(tx *postgres.Tx) error { _, _, err := tx.DisableUser(t.Context(), uuid.New(), noon); return err },
		"SetPassword":  func(tx *postgres.Tx) error { return tx.SetPassword(t.Context(), uuid.New(), "x") },
		"TouchLogin":   func(tx *postgres.Tx) error { return tx.TouchLogin(t.Context(), uuid.New(), noon) },
		"LockRefresh":  func(tx *postgres.Tx) error { _, err := tx.LockRefresh(t.Context(), [32]byte{}); return err },
		"RevokeAPIKey": func(tx *postgres.Tx) error { _, _, err := tx.RevokeAPIKey(t.Context(), uuid.New(), noon); return err },
		"ReopenExpired": func(tx *postgres.Tx) error {
			_, err := tx.ReopenExpired(t.Context(), uuid.New(), noon, caller)
			return err
		},
	} {
		errs[name] = db.InTx(t.Context(), do)
	}
	for name, err := range errs {
		if fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s() = %v, want NotFound", name, err)
		}
	}
}

// TestTheSchemaRefusesAccounts breaks constraints that callers should not.
func TestTheSchemaRefusesAccounts(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	newSession(t, db, newUser(t, db, "alice"), 1)
	for _, sql := range []string{
		`UPDATE users SET role = 'ingest'`, `UPDATE users SET role = ''`, `UPDATE users SET password_hash = ''`, `UPDATE users SET email = ''`,
		`DELETE FROM users`, `UPDATE refresh_tokens SET hash = 'short'`, `UPDATE sessions SET user_id = gen_random_uuid()`,
		`INSERT INTO api_keys (id, name, prefix, hash, role, created_at, created_by) VALUES (gen_random_uuid(), 'n', 'p', sha256(''), 'root', now(), 'x')`,
		`INSERT INTO api_keys (id, name, prefix, hash, role, created_at, created_by) VALUES (gen_random_uuid(), '', 'p', sha256(''), 'admin', now(), 'x')`,
		`INSERT INTO api_keys (id, name, prefix, hash, role, stacks, created_at, created_by) VALUES (gen_random_uuid(), 'n', 'p', sha256(''), 'admin', '', now(), 'x')`,
		`INSERT INTO login_throttles VALUES (sha256(''), -1, now())`,
		`INSERT INTO audit_seals VALUES ('c', 0, gen_random_uuid(), now(), 1, sha256(''), sha256(''), sha256(''))`,
		`INSERT INTO audit_seals VALUES ('c', 1, gen_random_uuid(), now(), 1, sha256(''), sha256(''), sha256(''), 'key')`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s = nil, want it refused", sql)
		}
	}
}
