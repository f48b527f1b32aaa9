package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// newKey stores a key of that name for stacks below prod.
func newKey(tb testing.TB, db *postgres.DB, name string, n byte) (*postgres.APIKey, error) {
	tb.Helper()
	prod, err := auth.ParsePattern("prod/**")
	if err != nil {
		tb.Fatal(err)
	}
	var k *postgres.APIKey
	err = db.InTx(tb.Context(), func(tx *postgres.Tx) (err error) {
		k, err = tx.InsertAPIKey(tb.Context(), postgres.APIKey{
			Name: name, Prefix: "dsk_abcdefgh", Hash: [32]byte{n}, Role: auth.Ingest, Stacks: prod,
			CreatedAt: noon, ExpiresAt: noon.AddDate(0, 3, 0), CreatedBy: "user:alice@example.com",
		})
		return err
	})
	return k, err
}

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	k, err := newKey(t, db, "ci", 1)
	if err != nil {
		t.Fatalf("InsertAPIKey() = %v", err)
	}
	prod, err := auth.ParsePattern("prod/**")
	if err != nil {
		t.Fatal(err)
	}
	want := &postgres.APIKey{
		ID: k.ID, Name: "ci", Prefix: "dsk_abcdefgh", Hash: [32]byte{1}, Role: auth.Ingest, Stacks: prod,
		CreatedAt: noon, ExpiresAt: noon.AddDate(0, 3, 0), CreatedBy: "user:alice@example.com",
	}
	got, err := db.APIKeyByHash(t.Context(), [32]byte{1})
	if diff := cmp.Diff(want, got); err != nil || diff != "" || k.ID.Version() != 7 {
		t.Errorf("APIKeyByHash() = %v, id %s (-want +got):\n%s", err, k.ID, diff)
	}
	if _, err = newKey(t, db, "ci", 2); fault.KindOf(err) != fault.Conflict {
		t.Errorf("InsertAPIKey() of the same name = %v, want a conflict", err)
	}
	if f, ok := fault.As(err); !ok || f.Message != "there is an API key with this name already; revoke that one first, or take another name" {
		t.Errorf("InsertAPIKey() of the same name = %v, want it to say what to do", err)
	}
	at := noon.Add(time.Hour)
	for _, touched := range []time.Time{at, noon} { // the second comes late
		inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error { return tx.TouchAPIKey(ctx, k.ID, touched) })
	}
	for i, first := range []bool{true, false} {
		inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
			got, changed, err := tx.RevokeAPIKey(ctx, k.ID, at.Add(time.Duration(i)*time.Hour))
			if err == nil && (changed != first || !got.RevokedAt.Equal(at) || !got.LastUsedAt.Equal(at)) {
				t.Errorf("RevokeAPIKey() number %d = %+v, %v, want changed %v, used and revoked at %v", i, got, changed, first, at)
			}
			return err
		})
	}
	again, err := newKey(t, db, "ci", 2)
	if err != nil {
		t.Fatalf("InsertAPIKey() of a revoked one's name = %v", err)
	}
	page, more, err := db.APIKeys(t.Context(), postgres.ListQuery{Limit: 1})
	if err != nil || !more || len(page) != 1 {
		t.Fatalf("APIKeys() = %v, %v, %v, want one and more", page, more, err)
	}
	rest, more, err := db.APIKeys(t.Context(), postgres.ListQuery{After: page[0].ID, Limit: 1})
	if err != nil || more || len(rest) != 1 || page[0].ID == rest[0].ID || rest[0].ID != again.ID && rest[0].ID != k.ID {
		t.Errorf("APIKeys(after) = %v, %v, %v, want the other one", rest, more, err)
	}
}

// TestABrokenPatternIsNotEveryStack has somebody write a pattern that nobody
// can read into the database.
func TestABrokenPatternIsNotEveryStack(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	if _, err := newKey(t, db, "ci", 1); err != nil {
		t.Fatal(err)
	}
	query(t, conn, `UPDATE api_keys SET stacks = '//'`)
	if k, err := db.APIKeyByHash(t.Context(), [32]byte{1}); err == nil || fault.KindOf(err) != fault.Internal {
		t.Errorf("APIKeyByHash() = %+v, %v, want an internal error", k, err)
	}
}
