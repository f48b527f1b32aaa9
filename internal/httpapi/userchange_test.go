package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/correlation"
)

func TestUsersChange(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	root, bob := h.user(auth.Admin), h.user(auth.Engineer)
	at := "/api/v1/users/" + bob.ID.String()
	type user struct{ Email, Role, DisabledAt string }
	if is := into[user](h.do(http.MethodPost, at+"/role", `{"role":"admin"}`).is(http.StatusOK)); is.Role != "admin" || is.Email != bob.Email {
		t.Errorf("a user with another role = %+v, want bob as an admin", is)
	}
	byBob := h.as(h.token(bob))
	key := into[struct{ Key string }](byBob.do(http.MethodPost, "/api/v1/api-keys", `{"name":"of bob","role":"viewer"}`).is(http.StatusCreated)).Key
	disabled := h.do(http.MethodPost, at+"/disable", "").is(http.StatusOK)
	is := into[struct {
		DisabledAt string
		LiveKeys   []struct{ Name, CreatedBy string }
	}](disabled)
	if is.DisabledAt == "" || len(is.LiveKeys) != 1 || is.LiveKeys[0].Name != "of bob" || is.LiveKeys[0].CreatedBy != "user:"+bob.Email ||
		strings.Contains(string(disabled.body), key) {
		t.Errorf("a disabled user = %s, want the key that it made named", disabled.body)
	}
	h.as(key).do(http.MethodGet, "/api/v1/me", "").is(http.StatusOK)
	for range 2 {
		if is := into[user](h.do(http.MethodPost, at+"/enable", "").is(http.StatusOK)); is.DisabledAt != "" || is.Role != "admin" {
			t.Errorf("an enabled user = %+v", is)
		}
	}
	h.token(bob)
	h.do(http.MethodPost, at+"/role", `{"role":"viewer"}`).is(http.StatusOK)
	// Now root is the last one.
	rootAt := "/api/v1/users/" + root.ID.String()
	h.do(http.MethodPost, rootAt+"/disable", "").refused(409, "CONFLICT", "last admin")
	h.do(http.MethodPost, rootAt+"/role", `{"role":"viewer"}`).refused(409, "CONFLICT", "last admin")
	h.as(h.token(root)).do(http.MethodPost, rootAt+"/role", `{"role":"viewer"}`).refused(409, "CONFLICT", "last admin")

	h.do(http.MethodPost, at+"/role", `{"role":"ingest"}`).refused(400, "VALIDATION_ERROR", "role")
	h.do(http.MethodPost, at+"/role", `{}`).refused(400, "VALIDATION_ERROR", "role")
	h.do(http.MethodPost, at+"/enable?now=1", "").refused(400, "VALIDATION_ERROR", "it takes no parameters")
	for _, change := range []string{"enable", "role"} {
		h.do(http.MethodPost, "/api/v1/users/0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a/"+change, `{"role":"viewer"}`).refused(404, "NOT_FOUND", "user")
	}
	for action, want := range map[string]int{"user_role_changed": 2, "user_disabled": 1, "user_enabled": 1} {
		if got := len(get[page[eventOf]](h, "/api/v1/audit?action="+action).Items); got != want {
			t.Errorf("%d events %s, want %d", got, action, want)
		}
	}
}

func TestAKeyForNoStacks(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.do(http.MethodPost, "/api/v1/api-keys", `{"name":"ci","role":"ingest","stacks":""}`).refused(400, "VALIDATION_ERROR", "stacks")
	h.do(http.MethodPost, "/api/v1/api-keys", `{"name":"ci","role":"admin","stacks":""}`).refused(400, "VALIDATION_ERROR", "stacks")
	h.do(http.MethodPost, "/api/v1/api-keys", `{"name":"ci","role":"ingest","stacks":7}`).refused(400, "VALIDATION_ERROR", "stacks")
	h.do(http.MethodPost, "/api/v1/api-keys", `{"name":"сi","role":"ingest"}`).refused(400, "VALIDATION_ERROR", "ASCII") // a Cyrillic с
	for _, all := range []string{`{"name":"one","role":"ingest"}`, `{"name":"two","role":"ingest","stacks":null}`} {
		made := into[struct{ Stacks *string }](h.do(http.MethodPost, "/api/v1/api-keys", all).is(http.StatusCreated))
		if made.Stacks != nil {
			t.Errorf("%s made a key for %q, want all stacks", all, *made.Stacks)
		}
	}
}

// TestADossierForSomeStacks shows what is theirs and says nothing of the rest.
func TestADossierForSomeStacks(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i, stack := range []string{"prod/network", "dev/network", "dev/edge"} {
		r := httptest.NewRequestWithContext(correlation.With(t.Context(), correlation.IDs{Correlation: "nightly"}), http.MethodPost,
			"/api/v1/scans?stack="+stack, strings.NewReader(bucket(minute(i), map[string]string{"logs": "public-read"})))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-API-Key", h.credential)
		if w := exchange(t, h, r); w.Code != http.StatusCreated {
			t.Fatalf("upload to %s = %d %s", stack, w.Code, w.Body)
		}
	}
	type dossier struct {
		Scans, Drifts []struct{ Stack string }
		Events        []struct{ Stack *string }
		Truncated     bool
	}
	stacks := func(credential string) map[string]int {
		d := get[dossier](h.as(credential), "/api/v1/correlations/nightly")
		seen := map[string]int{}
		for _, s := range append(d.Scans, d.Drifts...) {
			seen[s.Stack]++
		}
		for _, e := range d.Events {
			seen[*e.Stack]++
		}
		return seen
	}
	if got := stacks(h.credential); len(got) != 3 || got["dev/edge"] != 3 {
		t.Errorf("for all stacks: %v, want a scan, a drift and an event of each of three", got)
	}
	if got := stacks(h.key(auth.Viewer, "prod/*")); len(got) != 1 || got["prod/network"] != 3 {
		t.Errorf("for prod/*: %v, want a scan, a drift and an event of prod/network", got)
	}
	if got := stacks(h.key(auth.Viewer, "dev/**")); len(got) != 2 || got["dev/network"] != 3 || got["dev/edge"] != 3 {
		t.Errorf("for dev/**: %v, want a scan, a drift and an event of the two", got)
	}
	h.as(h.key(auth.Viewer, "test/*")).do(http.MethodGet, "/api/v1/correlations/nightly", "").refused(404, "NOT_FOUND", "")
}
