package httpapi_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestWhoMayDoWhat asks every route with every kind of credential and compares
// who was let in with testdata/matrix.golden. "yes" is any answer but 401 and
// 403: what is asked for is not there, or makes no sense.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	credentials := everyCredential(t, h)
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(table, strings.Join(cells, "\t")) }
	names := []string{"route", "needs"}
	for _, c := range credentials {
		names = append(names, c.name)
	}
	row(names...)
	for _, route := range h.Routes() {
		for _, target := range targets(route.Path) {
			cells := []string{route.Method + " " + target, route.Needs.String()}
			for _, c := range credentials {
				body := ""
				if route.Method == http.MethodPost || route.Method == http.MethodPut {
					body = "{}"
				}
				a := h.as(c.credential).do(route.Method, target, body)
				switch a.status {
				case http.StatusUnauthorized:
					cells = append(cells, "401")
					a.refused(401, "AUTH_ERROR", "")
					if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer ") {
						t.Errorf("%s as %s: a 401 with WWW-Authenticate %q", a.what, c.name, a.header.Get("WWW-Authenticate"))
					}
				case http.StatusForbidden:
					cells = append(cells, "403")
					a.refused(403, "FORBIDDEN", "")
				default:
					cells = append(cells, "yes")
					if a.status >= http.StatusInternalServerError {
						t.Errorf("%s as %s = %d %s", a.what, c.name, a.status, a.body)
					}
				}
			}
			row(cells...)
		}
	}
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/matrix.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(text.String(), "\n")); diff != "" {
		t.Errorf("who may do what (-want +got); if it is meant, run with -update and say why in the commit:\n%s", diff)
	}
}

// targets are what a route is asked for. Some are asked for twice, because a key
// for some stacks is let in to one and not to the other.
func targets(path string) []string {
	switch path {
	case "/api/v1/scans", "/api/v1/drifts", "/api/v1/noise":
		return []string{path + "?stack=prod/network", path + "?stack=dev/network"}
	case "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/auth/logout":
		return []string{path}
	}
	path = strings.ReplaceAll(path, "{id}", "0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a")
	return []string{strings.ReplaceAll(path, "{name...}", "prod/network")}
}

type namedCredential struct{ name, credential string }

func everyCredential(t *testing.T, h *house) []namedCredential {
	t.Helper()
	all := []namedCredential{{"none", ""}}
	add := func(name, credential string) { all = append(all, namedCredential{name, credential}) }
	var valid string
	for _, role := range auth.UserRoles() {
		valid = h.token(h.user(role))
		add(string(role)+"-user", valid)
	}
	for _, role := range auth.Roles() {
		add(string(role)+"-key", h.key(role, ""))
	}
	add("prod-viewer-key", h.key(auth.Viewer, "prod/**"))
	add("prod-ingest-key", h.key(auth.Ingest, "prod/**"))
	add("expired-key", expiredKey(t, h))
	add("revoked-key", revokedKey(t, h))
	add("disabled-user", disabledUser(t, h))
	add("expired-token", expiredToken(t, valid))
	add("stranger's-token", strangersToken(t, valid))
	return all
}

// expiredKey is an admin's key that was good until a minute ago.
func expiredKey(t *testing.T, h *house) string {
	t.Helper()
	key, prefix, hash := auth.NewAPIKey()
	now := time.Now()
	err := h.DB.InTx(t.Context(), func(tx *postgres.Tx) error {
		_, err := tx.InsertAPIKey(t.Context(), postgres.APIKey{
			ID: postgres.NewID(now), Name: "old", Prefix: prefix, Hash: hash, Role: auth.Admin, CreatedBy: "operator",
			CreatedAt: now.Add(-time.Hour), ExpiresAt: now.Add(-time.Minute),
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return key.Reveal()
}

func revokedKey(t *testing.T, h *house) string {
	t.Helper()
	key := h.key(auth.Admin, "")
	me := get[struct{ ID string }](h.as(key), "/api/v1/me")
	h.do(http.MethodPost, "/api/v1/api-keys/"+me.ID+"/revoke", "").is(http.StatusOK)
	return key
}

func disabledUser(t *testing.T, h *house) string {
	t.Helper()
	u, made, err := h.Accounts.CreateUser(t.Context(), newUser("gone@example.com", auth.Admin), audit.Operator())
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := h.Accounts.Login(t.Context(), u.Email, made, audit.Actor{})
	if err != nil {
		t.Fatal(err)
	}
	h.do(http.MethodPost, "/api/v1/users/"+u.ID.String()+"/disable", "").is(http.StatusOK)
	return tokens.Access.Reveal()
}

// expiredToken is a token of a session that is good, issued an hour ago.
func expiredToken(t *testing.T, valid string) string {
	t.Helper()
	p, err := signer.Verify(valid, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := signer.Issue(p, time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return token.Reveal()
}

// strangersToken is a token for a session that is good, signed with another key.
func strangersToken(t *testing.T, valid string) string {
	t.Helper()
	p, err := signer.Verify(valid, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := auth.NewSigner([]byte(strings.Repeat("s", 32)), nil, time.Hour).Issue(p, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return token.Reveal()
}
