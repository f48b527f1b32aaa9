package accounts_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/accounts"
	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
	"github.com/driftsentry/driftsentry/internal/secret"
)

const (
	alice    = "alice@example.com"
	password = "seven purple lanterns at sea"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// office is a service on a database of its own, whose clock the test moves.
type office struct {
	*accounts.Service
	t  *testing.T
	db *postgres.DB

	mu  sync.Mutex
	now time.Time
	// asked, unless nil, is called whenever the time is asked for.
	asked func()
}

func open(t *testing.T) *office {
	t.Helper()
	return openOn(t, pgtest.Open(t))
}

// openOn is one more replica on the same database.
func openOn(t *testing.T, db *postgres.DB) *office {
	t.Helper()
	o := &office{t: t, now: noon, db: db}
	s, err := accounts.New(accounts.Options{
		DB: o.db, Passwords: auth.NewPasswords(2), Now: o.clock,
		Signer: auth.NewSigner([]byte(strings.Repeat("k", 32)), nil, 15*time.Minute),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	o.Service = s
	return o
}

// ctx is a request's, with its correlation id.
func (o *office) ctx() context.Context {
	return correlation.With(o.t.Context(), correlation.IDs{Correlation: "c-1"})
}

// clock never says the same twice, so that events are ordered by their time.
func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(time.Millisecond)
	if o.asked != nil {
		o.asked()
	}
	return o.now
}

// near reports whether a time is what it should be, but for the ticks since.
func near(got, want time.Time) bool { return got.Sub(want).Abs() < time.Second }

func (o *office) wait(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

var operator = audit.Operator()

func (o *office) user(email string, role auth.Role) *postgres.User {
	o.t.Helper()
	u, _, err := o.CreateUser(o.ctx(), accounts.NewUser{Email: email, Role: role, Password: secret.New(password)}, operator)
	if err != nil {
		o.t.Fatalf("CreateUser(%s) = %v", email, err)
	}
	return u
}

func (o *office) login(email, password string) (accounts.Tokens, error) {
	return o.Login(o.ctx(), email, secret.New(password), audit.Actor{ClientAddress: "203.0.113.7", UserAgent: "test"})
}

func (o *office) mustLogin(email string) accounts.Tokens {
	o.t.Helper()
	tokens, err := o.login(email, password)
	if err != nil {
		o.t.Fatalf("Login(%s) = %v", email, err)
	}
	return tokens
}

func (o *office) bearer(token secret.String) (*auth.Principal, error) {
	return o.Authenticate(o.ctx(), accounts.Credential{Bearer: token})
}

// trail is the audit trail, oldest first.
func (o *office) trail() []audit.Event {
	o.t.Helper()
	events, more, err := o.db.Events(o.t.Context(), postgres.AuditQuery{Limit: 100})
	if err != nil || more {
		o.t.Fatalf("Events() = %v, more %v", err, more)
	}
	slices.Reverse(events)
	return events
}

func (o *office) wantTrail(actions ...audit.Action) {
	o.t.Helper()
	var got []audit.Action
	for _, e := range o.trail() {
		got = append(got, e.Action)
		if e.IDs.Correlation != "c-1" || e.Actor.Name == "" {
			o.t.Errorf("event %+v has no actor or correlation id", e)
		}
	}
	if !slices.Equal(got, actions) {
		o.t.Errorf("the trail is %v, want %v", got, actions)
	}
}

func wantKind(t *testing.T, what string, err error, want fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != want {
		t.Errorf("%s = %v, want fault kind %d", what, err, want)
	}
}

func TestALoginFromBeginningToEnd(t *testing.T) {
	t.Parallel()
	o := open(t)
	u := o.user(alice, auth.Engineer)

	tokens, err := o.login("Alice@Example.com", password)
	if err != nil {
		t.Fatalf("Login() = %v", err)
	}
	p, err := o.bearer(tokens.Access)
	if err != nil || p.ID != u.ID || p.Role != auth.Engineer || p.Name != alice || !near(p.Expires, noon.Add(15*time.Minute)) {
		t.Fatalf("Authenticate() = %+v, %v, want alice as engineer for 15 minutes", p, err)
	}
	o.wait(14 * time.Minute)
	next, err := o.Refresh(o.ctx(), tokens.Refresh, audit.Actor{})
	if err != nil {
		t.Fatalf("Refresh() = %v", err)
	}
	o.wait(2 * time.Minute)
	_, err = o.bearer(tokens.Access)
	wantKind(t, "Authenticate() with an expired token", err, fault.Unauthenticated)
	if _, err := o.bearer(next.Access); err != nil {
		t.Errorf("Authenticate() with the new token = %v", err)
	}
	for range 2 { // a second time is no error
		if err := o.Logout(o.ctx(), next.Refresh, audit.Actor{}); err != nil {
			t.Errorf("Logout() = %v", err)
		}
	}
	_, err = o.bearer(next.Access)
	wantKind(t, "Authenticate() after logout", err, fault.Unauthenticated)
	_, err = o.Refresh(o.ctx(), next.Refresh, audit.Actor{})
	wantKind(t, "Refresh() after logout", err, fault.Unauthenticated)
	o.wantTrail(audit.UserCreated, audit.LoggedIn, audit.LoggedOut)
}

func TestARefreshTokenUsedTwiceEndsItsSession(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.user(alice, auth.Viewer)
	stolen, other := o.mustLogin(alice), o.mustLogin(alice)

	next, err := o.Refresh(o.ctx(), stolen.Refresh, audit.Actor{})
	if err != nil {
		t.Fatalf("Refresh() = %v", err)
	}
	_, err = o.Refresh(o.ctx(), stolen.Refresh, audit.Actor{})
	wantKind(t, "Refresh() with a used token", err, fault.Unauthenticated)
	_, err = o.Refresh(o.ctx(), next.Refresh, audit.Actor{})
	wantKind(t, "Refresh() with the token it was changed for", err, fault.Unauthenticated)
	_, err = o.bearer(next.Access)
	wantKind(t, "Authenticate() in the ended session", err, fault.Unauthenticated)
	if _, err := o.bearer(other.Access); err != nil {
		t.Errorf("Authenticate() in another session = %v, want it untouched", err)
	}
	o.wantTrail(audit.UserCreated, audit.LoggedIn, audit.LoggedIn, audit.TokenReused)
}

func TestASessionEndsAfterAMonthHoweverOftenItIsRefreshed(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.user(alice, auth.Viewer)
	tokens := o.mustLogin(alice)
	var err error
	for day := 0; day < 30; day += 6 {
		if tokens, err = o.Refresh(o.ctx(), tokens.Refresh, audit.Actor{}); err != nil {
			t.Fatalf("Refresh() on day %d = %v", day, err)
		}
		o.wait(6 * 24 * time.Hour)
	}
	_, err = o.Refresh(o.ctx(), tokens.Refresh, audit.Actor{})
	wantKind(t, "Refresh() after a month", err, fault.Unauthenticated)

	tokens = o.mustLogin(alice)
	o.wait(7 * 24 * time.Hour)
	_, err = o.Refresh(o.ctx(), tokens.Refresh, audit.Actor{})
	wantKind(t, "Refresh() of a token that was not used for a week", err, fault.Unauthenticated)
}

func TestBadLoginsAllLookTheSame(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.user(alice, auth.Viewer)
	gone := o.user("gone@example.com", auth.Viewer)
	if _, err := o.DisableUser(o.ctx(), accounts.UserChange{ID: gone.ID, By: operator}); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, email, password, actor, reason string }{
		{"wrong password", alice, "wrong " + password, "user:" + alice, "wrong password"},
		{"empty password", alice, "", "user:" + alice, "wrong password"},
		{"unknown e-mail", "nobody@example.com", password, "anonymous", "unknown e-mail"},
		{"disabled user", "gone@example.com", password, "user:gone@example.com", "the user is disabled"},
	}
	var messages []string
	for _, tt := range tests {
		_, err := o.login(tt.email, tt.password)
		wantKind(t, tt.name, err, fault.Unauthenticated)
		if e, ok := fault.As(err); ok {
			messages = append(messages, e.Message)
		}
		trail := o.trail()
		if last := trail[len(trail)-1]; last.Action != audit.LoginFailed || last.Actor.Name != tt.actor || last.Reason != tt.reason ||
			last.Actor.ClientAddress != "203.0.113.7" {
			t.Errorf("%s: the trail says %+v, want %s by %s", tt.name, last, tt.reason, tt.actor)
		}
	}
	if slices.Sort(messages); len(slices.Compact(messages)) != 1 {
		t.Errorf("bad logins are told apart: %q", messages)
	}
	_, err := o.login("аlice@example.com", password) // a Cyrillic а
	wantKind(t, "a look-alike e-mail", err, fault.Invalid)
}

func TestGuessingIsSlowedDownOnEveryReplica(t *testing.T) {
	t.Parallel()
	o := open(t)
	other := openOn(t, o.db)
	o.user(alice, auth.Viewer)
	for i := range 10 {
		from := []*office{o, other}[i%2]
		_, err := from.login(alice, "wrong "+password)
		wantKind(t, "a wrong password", err, fault.Unauthenticated)
	}
	_, err := other.login(alice, password)
	wantKind(t, "the right password after ten wrong ones", err, fault.RateLimited)
	if e, ok := fault.As(err); !ok || e.RetryAfter <= 0 {
		t.Errorf("%v does not say when to try again", err)
	}
	restarted := openOn(t, o.db)
	restarted.wait(time.Hour)
	if _, err := restarted.login(alice, password); err != nil {
		t.Errorf("Login() an hour later = %v", err)
	}
	restarted.user("bob@example.com", auth.Viewer)
	if _, err := restarted.login("bob@example.com", password); err != nil {
		t.Errorf("Login() of somebody else = %v", err)
	}
}

func TestADisabledUserIsOutAtOnce(t *testing.T) {
	t.Parallel()
	o := open(t)
	u := o.user(alice, auth.Engineer)
	tokens := o.mustLogin(alice)
	if _, err := o.bearer(tokens.Access); err != nil {
		t.Fatal(err)
	}
	_, err := o.DisableUser(o.ctx(), accounts.UserChange{ID: u.ID, Self: u.ID, By: operator})
	wantKind(t, "disabling oneself", err, fault.Conflict)
	for range 2 { // the second time changes nothing
		if _, err := o.DisableUser(o.ctx(), accounts.UserChange{ID: u.ID, By: operator}); err != nil {
			t.Fatalf("DisableUser() = %v", err)
		}
	}
	_, err = o.bearer(tokens.Access)
	wantKind(t, "Authenticate() of a disabled user", err, fault.Unauthenticated)
	_, err = o.Refresh(o.ctx(), tokens.Refresh, audit.Actor{})
	wantKind(t, "Refresh() of a disabled user", err, fault.Unauthenticated)
	_, err = o.DisableUser(o.ctx(), accounts.UserChange{ID: uuid.New(), By: operator})
	wantKind(t, "disabling nobody", err, fault.NotFound)
	o.wantTrail(audit.UserCreated, audit.LoggedIn, audit.UserDisabled)
}

func TestANewPasswordEndsWhatTheOldOneOpened(t *testing.T) {
	t.Parallel()
	o := open(t)
	u := o.user(alice, auth.Admin)
	tokens := o.mustLogin(alice)
	madeUp, err := o.SetPassword(o.ctx(), u.ID, secret.String{}, operator)
	if err != nil || madeUp.IsZero() {
		t.Fatalf("SetPassword() = %v, %v, want one that was made up", madeUp, err)
	}
	_, err = o.bearer(tokens.Access)
	wantKind(t, "Authenticate() in the old session", err, fault.Unauthenticated)
	_, err = o.login(alice, password)
	wantKind(t, "Login() with the old password", err, fault.Unauthenticated)
	if _, err := o.login(alice, madeUp.Reveal()); err != nil {
		t.Errorf("Login() with the new password = %v", err)
	}
	_, err = o.SetPassword(o.ctx(), u.ID, secret.New("short"), operator)
	wantKind(t, "a short password", err, fault.Invalid)
}

func TestUsersThatCannotBe(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.user(alice, auth.Viewer)
	for _, tt := range []struct {
		name string
		user accounts.NewUser
		want fault.Kind
	}{
		{"the same e-mail in capitals", accounts.NewUser{Email: "ALICE@example.com", Role: auth.Viewer}, fault.Conflict},
		{"no e-mail", accounts.NewUser{Email: "alice", Role: auth.Viewer}, fault.Invalid},
		{"a look-alike", accounts.NewUser{Email: "аlice@example.com", Role: auth.Viewer}, fault.Invalid},
		{"a person as ingest", accounts.NewUser{Email: "x@example.com", Role: auth.Ingest}, fault.Invalid},
		{"no role", accounts.NewUser{Email: "x@example.com"}, fault.Invalid},
		{"a common password", accounts.NewUser{Email: "x@example.com", Role: auth.Viewer, Password: secret.New("password1234")}, fault.Invalid},
	} {
		_, _, err := o.CreateUser(o.ctx(), tt.user, operator)
		wantKind(t, tt.name, err, tt.want)
	}
	o.wantTrail(audit.UserCreated)
}

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	o := open(t)
	key, text, err := o.CreateKey(o.ctx(), accounts.NewKey{Name: "ci", Role: auth.Ingest, Stacks: new("prod/*"), ExpiresAt: noon.Add(time.Hour)}, operator)
	if err != nil {
		t.Fatalf("CreateKey() = %v", err)
	}
	for _, c := range []accounts.Credential{{APIKey: text}, {Bearer: text}} {
		p, err := o.Authenticate(o.ctx(), c)
		if err != nil || p.ID != key.ID || p.Role != auth.Ingest || !p.Stacks.Match("prod/network") || p.Stacks.Match("dev/network") || p.Actor() != "key:ci" {
			t.Errorf("Authenticate() = %+v, %v, want the key ci for prod/*", p, err)
		}
	}
	page, _, err := o.db.APIKeys(o.ctx(), postgres.ListQuery{Limit: 10})
	if err != nil || len(page) != 1 || !near(page[0].LastUsedAt, noon) {
		t.Errorf("APIKeys() = %+v, %v, want one, used at noon", page, err)
	}
	o.wait(time.Hour)
	_, err = o.Authenticate(o.ctx(), accounts.Credential{APIKey: text})
	wantKind(t, "Authenticate() with an expired key", err, fault.Unauthenticated)

	forever, text, err := o.CreateKey(o.ctx(), accounts.NewKey{Name: "grafana", Role: auth.Viewer}, operator)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Authenticate(o.ctx(), accounts.Credential{APIKey: text}); err != nil {
		t.Errorf("Authenticate() = %v", err)
	}
	if _, err := o.RevokeKey(o.ctx(), forever.ID, operator); err != nil {
		t.Fatal(err)
	}
	_, err = o.Authenticate(o.ctx(), accounts.Credential{APIKey: text})
	wantKind(t, "Authenticate() with a revoked key", err, fault.Unauthenticated)
	for name, bad := range map[string]string{"junk": "dsk_junk", "empty": "", "a jwt": "eyJhbGciOiJub25lIn0.e30."} {
		_, err := o.Authenticate(o.ctx(), accounts.Credential{APIKey: secret.New(bad)})
		wantKind(t, name, err, fault.Unauthenticated)
	}
	o.wantTrail(audit.APIKeyCreated, audit.APIKeyCreated, audit.APIKeyRevoked)
}

func TestKeysThatCannotBe(t *testing.T) {
	t.Parallel()
	o := open(t)
	if _, _, err := o.CreateKey(o.ctx(), accounts.NewKey{Name: "ci", Role: auth.Ingest}, operator); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		key  accounts.NewKey
		want fault.Kind
	}{
		{"a name twice", accounts.NewKey{Name: " ci ", Role: auth.Ingest}, fault.Conflict},
		{"no name", accounts.NewKey{Name: " ", Role: auth.Ingest}, fault.Invalid},
		{"a control character", accounts.NewKey{Name: "a\x1b[2J", Role: auth.Ingest}, fault.Invalid},
		{"a long name", accounts.NewKey{Name: strings.Repeat("x", 101), Role: auth.Ingest}, fault.Invalid},
		{"a look-alike name", accounts.NewKey{Name: "сi", Role: auth.Ingest}, fault.Invalid}, // a Cyrillic с
		{"an invisible character", accounts.NewKey{Name: "ci\u00ad", Role: auth.Ingest}, fault.Invalid},
		{"broken UTF-8", accounts.NewKey{Name: "ci\xff", Role: auth.Ingest}, fault.Invalid},
		{"a secret as a name", accounts.NewKey{Name: "AKIAIOSFODNN7EXAMPLE", Role: auth.Ingest}, fault.Invalid},
		{"no role", accounts.NewKey{Name: "x"}, fault.Invalid},
		{"a bad pattern", accounts.NewKey{Name: "x", Role: auth.Ingest, Stacks: new("prod/[a")}, fault.Invalid},
		{"a pattern that is empty", accounts.NewKey{Name: "x", Role: auth.Ingest, Stacks: new("")}, fault.Invalid},
		{"an admin for an empty pattern", accounts.NewKey{Name: "x", Role: auth.Admin, Stacks: new("")}, fault.Invalid},
		{"a limited admin", accounts.NewKey{Name: "x", Role: auth.Admin, Stacks: new("prod/*")}, fault.Invalid},
		{"an end in the past", accounts.NewKey{Name: "x", Role: auth.Ingest, ExpiresAt: noon}, fault.Invalid},
		{"an end nobody lives to see", accounts.NewKey{Name: "x", Role: auth.Ingest, ExpiresAt: noon.AddDate(11, 0, 0)}, fault.Invalid},
	} {
		_, _, err := o.CreateKey(o.ctx(), tt.key, operator)
		wantKind(t, tt.name, err, tt.want)
	}
	o.wantTrail(audit.APIKeyCreated)
}

// TestNoCredentialIsStored looks for everything that was handed out in every row
// of every table.
func TestNoCredentialIsStored(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	db, err := postgres.Open(t.Context(), postgres.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	o := openOn(t, db)
	o.user(alice, auth.Admin)
	tokens := o.mustLogin(alice)
	if tokens, err = o.Refresh(o.ctx(), tokens.Refresh, audit.Actor{}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.login("bob@example.com", "typed into the wrong field"); err == nil {
		t.Error("nobody could log in")
	}
	_, key, err := o.CreateKey(o.ctx(), accounts.NewKey{Name: "ci", Role: auth.Ingest}, operator)
	if err != nil {
		t.Fatal(err)
	}
	dump := pgtest.Dump(t, url)
	if !strings.Contains(dump, alice) || !strings.Contains(dump, "$argon2id$") {
		t.Fatal("the dump holds neither the user nor its hash: it would show nothing")
	}
	for name, text := range map[string]string{
		"password": password, "access token": tokens.Access.Reveal(), "refresh token": tokens.Refresh.Reveal(), "key": key.Reveal(),
		"an unknown e-mail": "bob@example.com", "what was typed": "typed into",
	} {
		if strings.Contains(dump, text) {
			t.Errorf("the %s is in the database", name)
		}
	}
}
