package accounts_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/accounts"
	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/secret"
)

func TestADisabledUserIsLetInAgain(t *testing.T) {
	t.Parallel()
	o := open(t)
	u := o.user(alice, auth.Engineer)
	tokens := o.mustLogin(alice)
	c := accounts.UserChange{ID: u.ID, By: operator}
	if _, err := o.DisableUser(o.ctx(), c); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time changes nothing
		if is, err := o.EnableUser(o.ctx(), c); err != nil || !is.DisabledAt.IsZero() || is.Email != alice {
			t.Fatalf("EnableUser() = %+v, %v, want alice enabled", is, err)
		}
	}
	_, err := o.bearer(tokens.Access)
	wantKind(t, "Authenticate() in a session that was ended", err, fault.Unauthenticated)
	o.mustLogin(alice)
	o.wantTrail(audit.UserCreated, audit.LoggedIn, audit.UserDisabled, audit.UserEnabled, audit.LoggedIn)
}

func TestARoleChangesAtOnce(t *testing.T) {
	t.Parallel()
	o := open(t)
	u := o.user(alice, auth.Viewer)
	tokens := o.mustLogin(alice)
	if _, err := o.bearer(tokens.Access); err != nil {
		t.Fatal(err)
	}
	c := accounts.UserChange{ID: u.ID, By: operator}
	for range 2 { // the second time changes nothing
		if is, err := o.SetRole(o.ctx(), c, auth.Engineer); err != nil || is.Role != auth.Engineer {
			t.Fatalf("SetRole() = %+v, %v, want an engineer", is, err)
		}
	}
	if p, err := o.bearer(tokens.Access); err != nil || p.Role != auth.Engineer {
		t.Errorf("Authenticate() = %+v, %v, want an engineer", p, err)
	}
	_, err := o.SetRole(o.ctx(), c, auth.Ingest)
	wantKind(t, "a person as ingest", err, fault.Invalid)
	_, err = o.SetRole(o.ctx(), accounts.UserChange{By: operator}, auth.Viewer)
	wantKind(t, "the role of nobody", err, fault.NotFound)
	o.wantTrail(audit.UserCreated, audit.LoggedIn, audit.UserRoleChanged)
	var facts struct{ Email, From, To string }
	if err := json.Unmarshal(o.trail()[2].Detail, &facts); err != nil || facts.Email != alice || facts.From != "viewer" || facts.To != "engineer" {
		t.Errorf("the event says %+v, %v, want from viewer to engineer", facts, err)
	}
}

func TestTheLastAdminStays(t *testing.T) {
	t.Parallel()
	o := open(t)
	last := accounts.UserChange{ID: o.user(alice, auth.Admin).ID, By: operator}
	gone := o.user("gone@example.com", auth.Admin)
	if _, err := o.DisableUser(o.ctx(), accounts.UserChange{ID: gone.ID, By: operator}); err != nil {
		t.Fatalf("DisableUser() of one of two admins = %v", err)
	}
	_, err := o.DisableUser(o.ctx(), last)
	wantKind(t, "DisableUser() of the last admin", err, fault.Conflict)
	_, err = o.SetRole(o.ctx(), last, auth.Viewer)
	wantKind(t, "SetRole() of the last admin", err, fault.Conflict)
	if !strings.Contains(err.Error(), "last admin") {
		t.Errorf("SetRole() of the last admin = %v, want it to say why", err)
	}
	if is, err := o.SetRole(o.ctx(), last, auth.Admin); err != nil || is.NoAdminLeft {
		t.Errorf("SetRole() to what it was = %+v, %v", is, err)
	}
	last.EvenTheLastAdmin = true
	if is, err := o.DisableUser(o.ctx(), last); err != nil || !is.NoAdminLeft {
		t.Errorf("DisableUser() on the machine = %+v, %v, want that no admin is left", is, err)
	}
	o.wantTrail(audit.UserCreated, audit.UserCreated, audit.UserDisabled, audit.UserDisabled)
}

// TestOfTwoWhoRemoveTheLastAdminsOneCan, however close together they come.
func TestOfTwoWhoRemoveTheLastAdminsOneCan(t *testing.T) {
	t.Parallel()
	o := open(t)
	ids := []postgres.User{*o.user(alice, auth.Admin), *o.user("bob@example.com", auth.Admin)}
	for range 10 {
		errs := make([]error, 2)
		var both sync.WaitGroup
		for i := range ids {
			both.Go(func() {
				c := accounts.UserChange{ID: ids[i].ID, By: operator}
				if i == 0 {
					_, errs[i] = o.DisableUser(o.ctx(), c)
				} else {
					_, errs[i] = o.SetRole(o.ctx(), c, auth.Engineer)
				}
			})
		}
		both.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("removing the last two admins at once = %v and %v, want one of them refused", errs[0], errs[1])
		}
		if _, err := o.EnableUser(o.ctx(), accounts.UserChange{ID: ids[0].ID, By: operator}); err != nil {
			t.Fatal(err)
		}
		if _, err := o.SetRole(o.ctx(), accounts.UserChange{ID: ids[1].ID, By: operator}, auth.Admin); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDisablingNamesTheKeysThatGoOn(t *testing.T) {
	t.Parallel()
	o := open(t)
	u := o.user(alice, auth.Engineer)
	by := audit.Actor{Name: "user:" + alice}
	for name, n := range map[string]accounts.NewKey{
		"lives": {}, "ends": {ExpiresAt: noon.Add(time.Minute)}, "revoked": {}, "lasts": {ExpiresAt: noon.Add(time.Hour)},
	} {
		n.Name, n.Role = name, auth.Ingest
		key, _, err := o.CreateKey(o.ctx(), n, by)
		if err != nil {
			t.Fatal(err)
		}
		if name == "revoked" {
			if _, err := o.RevokeKey(o.ctx(), key.ID, by); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, _, err := o.CreateKey(o.ctx(), accounts.NewKey{Name: "somebody else's", Role: auth.Ingest}, operator); err != nil {
		t.Fatal(err)
	}
	o.wait(10 * time.Minute)
	is, err := o.DisableUser(o.ctx(), accounts.UserChange{ID: u.ID, By: operator})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, k := range is.LiveKeys {
		names[k.Name] = true
	}
	if len(names) != 2 || !names["lives"] || !names["lasts"] {
		t.Errorf("DisableUser() names the keys %v, want lives and lasts", names)
	}
}

// TestANewPasswordEndsTheWait: it is the way out for somebody whose account a
// stranger keeps guessing at.
func TestANewPasswordEndsTheWait(t *testing.T) {
	t.Parallel()
	o := open(t)
	u := o.user(alice, auth.Viewer)
	for range 10 {
		_, err := o.login(alice, "wrong "+password)
		wantKind(t, "a wrong password", err, fault.Unauthenticated)
	}
	_, err := o.login(alice, password)
	wantKind(t, "the right password after ten wrong ones", err, fault.RateLimited)
	if _, err := o.SetPassword(o.ctx(), u.ID, secret.New(password), operator); err != nil {
		t.Fatal(err)
	}
	o.mustLogin(alice)
}
