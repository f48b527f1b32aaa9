package accounts_test

import (
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/accounts"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/secret"
)

func TestPlausible(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.user(alice, auth.Viewer)
	tokens := o.mustLogin(alice)
	_, key, err := o.CreateKey(o.ctx(), accounts.NewKey{Name: "ci", Role: auth.Ingest}, operator)
	if err != nil {
		t.Fatal(err)
	}
	revoked, old, err := o.CreateKey(o.ctx(), accounts.NewKey{Name: "old", Role: auth.Ingest}, operator)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.RevokeKey(o.ctx(), revoked.ID, operator); err != nil {
		t.Fatal(err)
	}
	invented, _, _ := auth.NewAPIKey()
	fresh := openOn(t, o.db) // a replica that remembers nobody
	fresh.wait(time.Minute)
	for _, tt := range []struct {
		name       string
		credential accounts.Credential
		want       bool
	}{
		{"a token", accounts.Credential{Bearer: tokens.Access}, true},
		{"a key", accounts.Credential{APIKey: key}, true},
		{"a key as a token", accounts.Credential{Bearer: key}, true},
		{"a key that was invented", accounts.Credential{APIKey: invented}, false},
		{"a key that was invented, as a token", accounts.Credential{Bearer: invented}, false},
		{"a revoked key", accounts.Credential{APIKey: old}, false},
		{"junk", accounts.Credential{APIKey: secret.New("dsk_junk")}, false},
		{"a token that is none", accounts.Credential{Bearer: secret.New("eyJhbGciOiJub25lIn0.e30.")}, false},
		{"nothing", accounts.Credential{}, false},
	} {
		if got := fresh.Plausible(t.Context(), tt.credential); got != tt.want {
			t.Errorf("Plausible(%s) = %v, want %v", tt.name, got, tt.want)
		}
	}
	if _, key, err = fresh.CreateKey(o.ctx(), accounts.NewKey{Name: "new", Role: auth.Ingest}, operator); err != nil {
		t.Fatal(err)
	}
	if !fresh.Plausible(t.Context(), accounts.Credential{APIKey: key}) {
		t.Error("a key that was made here is not plausible at once")
	}
}

// TestGuessesCostOneLookup for all of them together.
func TestGuessesCostOneLookup(t *testing.T) {
	t.Parallel()
	o := open(t)
	before := o.db.Stat().Acquires
	for range 1000 {
		key, _, _ := auth.NewAPIKey()
		if o.Plausible(t.Context(), accounts.Credential{APIKey: key}) {
			t.Fatal("a key that was invented is plausible")
		}
	}
	if asked := o.db.Stat().Acquires - before; asked != 1 {
		t.Errorf("a thousand guesses asked the database %d times, want 1", asked)
	}
}

// TestAnAccessTokenEndsWithItsSession, though it would live longer.
func TestAnAccessTokenEndsWithItsSession(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.user(alice, auth.Viewer)
	tokens := o.mustLogin(alice)
	refresh := func(after time.Duration) error {
		o.wait(after)
		next, err := o.Refresh(o.ctx(), tokens.Refresh, operator)
		if err == nil {
			tokens = next
		}
		return err
	}
	const day = 24 * time.Hour
	for _, after := range []time.Duration{6 * day, 6 * day, 6 * day, 6 * day, 6*day - 5*time.Minute} {
		if err := refresh(after); err != nil {
			t.Fatalf("Refresh() after %v = %v", after, err)
		}
	}
	if end := noon.Add(30 * day); tokens.AccessExpires.After(end.Add(time.Second)) || tokens.AccessExpires.Before(end.Add(-2*time.Second)) {
		t.Errorf("the last access token ends at %v, want at the end of the session, %v", tokens.AccessExpires, end)
	}
	wantKind(t, "Refresh() in the last second", refresh(5*time.Minute-500*time.Millisecond), fault.Unauthenticated)
}
