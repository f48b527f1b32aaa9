package accounts_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/secret"
)

// failures are the reasons of the failed logins in the trail, and by whom.
func (o *office) failures() (reasons []string) {
	o.t.Helper()
	for _, e := range o.trail() {
		if e.Action == audit.LoginFailed {
			reasons = append(reasons, e.Actor.Name+": "+e.Reason)
		}
	}
	return reasons
}

func wantFailures(t *testing.T, o *office, want ...string) {
	t.Helper()
	got := o.failures()
	if len(got) != len(want) {
		t.Errorf("failed logins in the trail = %q, want %q", got, want)
		return
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("failed login %d in the trail = %q, want %q", i, got[i], want[i])
		}
	}
}

// TestHangingUpLeavesATrace: else one could guess unseen, by not waiting for the
// answers.
func TestHangingUpLeavesATrace(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.user(alice, auth.Viewer)
	ctx, hangUp := context.WithCancel(o.ctx())
	defer hangUp()
	asked := 0
	o.asked = func() {
		if asked++; asked == 2 { // the first time is that of the try
			hangUp()
		}
	}
	_, err := o.Login(ctx, alice, secret.New("wrong "+password), audit.Actor{})
	wantKind(t, "a wrong password of somebody who hung up", err, fault.Unauthenticated)
	o.asked = nil
	wantFailures(t, o, "user:"+alice+": wrong password")
}

// gone is the context of a client that has hung up, before the database has
// heard of it.
type gone struct{ context.Context } //nolint:containedctx // it is one

func (gone) Err() error { return context.Canceled }

// TestATryThatWasGivenUpIsToldOf, as it was counted.
func TestATryThatWasGivenUpIsToldOf(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.user(alice, auth.Viewer)
	if _, err := o.Login(gone{o.ctx()}, alice, secret.New(password), audit.Actor{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Login() of somebody who hung up = %v, want that it was cancelled", err)
	}
	wantFailures(t, o, "user:"+alice+": given up before the password was checked")
}

func TestAWaitIsToldOfOnce(t *testing.T) {
	t.Parallel()
	o := open(t)
	other := openOn(t, o.db)
	o.user(alice, auth.Viewer)
	var want []string
	for range 10 {
		_, err := o.login(alice, "wrong "+password)
		wantKind(t, "a wrong password", err, fault.Unauthenticated)
		want = append(want, "user:"+alice+": wrong password")
	}
	hammer := func() {
		t.Helper()
		for _, from := range []*office{o, other, o, other} {
			_, err := from.login(alice, password)
			wantKind(t, "a login too early", err, fault.RateLimited)
		}
		want = append(want, "user:"+alice+": too many tries")
	}
	hammer()
	wantFailures(t, o, want...)
	// The next wait is another one.
	o.wait(5 * time.Second)
	other.wait(5 * time.Second)
	_, err := o.login(alice, "wrong "+password)
	wantKind(t, "a wrong password after the wait", err, fault.Unauthenticated)
	want = append(want, "user:"+alice+": wrong password")
	hammer()
	wantFailures(t, o, want...)
	for range 15 { // of nobody, who must not be named
		_, _ = o.login("nobody@example.com", password)
	}
	if got := o.failures(); got[len(got)-1] != "anonymous: too many tries" || len(got) != len(want)+11 {
		t.Errorf("failed logins in the trail = %q, want one of too many tries by nobody at the end", got[len(want):])
	}
}
