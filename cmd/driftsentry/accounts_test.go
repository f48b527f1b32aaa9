package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

// piped runs one command with something on its standard input.
func piped(t *testing.T, env []string, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs lockedBuffer
	code = run(t.Context(), process{args: args, env: env, stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs})
	return code, out.String(), errs.String()
}

// someKey is a well-formed key that nobody has been given.
func someKey() string {
	key, _, _ := auth.NewAPIKey()
	return key.Reveal()
}

// login asks for tokens as a person's client would.
func (h *house) login(email, password string) (access, refresh string, status int) {
	h.t.Helper()
	body, err := json.Marshal(map[string]string{"email": email, "password": password})
	if err != nil {
		h.t.Fatal(err)
	}
	a := h.do(http.MethodPost, "/api/v1/auth/login", strings.NewReader(string(body)), "Content-Type", "application/json", "X-API-Key", "")
	var tokens struct{ AccessToken, RefreshToken string }
	if a.status == http.StatusOK {
		if err := json.Unmarshal(a.body, &tokens); err != nil {
			h.t.Fatalf("login: %s: %v", a.body, err)
		}
	}
	return tokens.AccessToken, tokens.RefreshToken, a.status
}

// TestTheFirstAdmin: an installation begins with nobody, and the first admin is
// made on the machine itself, without any default password.
func TestTheFirstAdmin(t *testing.T) {
	t.Parallel()
	env := []string{"DATABASE_URL=" + pgtest.URL(t), "LOG_FORMAT=json"}
	h := runHouse(t, []string{"serve"}, env)
	if a := h.do(http.MethodGet, "/api/v1/drifts", nil); a.status != http.StatusUnauthorized {
		t.Errorf("a request of nobody = %d %s, want 401", a.status, a.body)
	}
	code, password, errs := command(t, env, "user", "create", "--email", "Root@Example.com", "--role", "admin")
	if password = strings.TrimSpace(password); code != exitOK || len(password) < 12 || strings.ContainsAny(password, " \n") ||
		strings.Contains(errs, password) || !strings.Contains(errs, "root@example.com") {
		t.Fatalf("user create = %d %q\n%s\nwant the password alone on stdout", code, password, errs)
	}
	access, _, status := h.login("root@example.com", password)
	if status != http.StatusOK {
		t.Fatalf("login of the first admin = %d, want 200", status)
	}
	if a := h.do(http.MethodGet, "/api/v1/users", nil, "Authorization", "Bearer "+access); a.status != http.StatusOK || strings.Contains(string(a.body), "argon2") {
		t.Errorf("GET /api/v1/users = %d %s, want 200 and no hash", a.status, a.body)
	}

	const own = "seven purple lanterns at sea"
	if code, out, errs := piped(t, env, own+"\n", "user", "password", "root@example.com"); code != exitOK || out != "" {
		t.Errorf("user password = %d %q\n%s", code, out, errs)
	}
	if _, _, status := h.login("root@example.com", own); status != http.StatusOK {
		t.Errorf("login with the piped password = %d, want 200", status)
	}
	if code, _, errs := command(t, env, "user", "disable", "root@example.com"); code != exitOK {
		t.Errorf("user disable = %d\n%s", code, errs)
	}
	if _, _, status := h.login("root@example.com", own); status != http.StatusUnauthorized {
		t.Errorf("login of a disabled user = %d, want 401", status)
	}
	if code, out, errs := command(t, env, "user", "list"); code != exitOK || strings.Count(out, "\n") != 2 || !strings.Contains(out, "root@example.com") {
		t.Errorf("user list = %d\n%s%s", code, out, errs)
	}
	if strings.Contains(h.out.String()+h.errs.String(), own) {
		t.Error("a password is in the log")
	}
}

// TestUsersChangeOnTheMachine: also the last admin, with a warning.
func TestUsersChangeOnTheMachine(t *testing.T) {
	t.Parallel()
	env := []string{"DATABASE_URL=" + pgtest.URL(t), "LOG_FORMAT=json"}
	h := runHouse(t, []string{"serve"}, env)
	const password = "seven purple lanterns at sea"
	if code, _, errs := piped(t, env, password+"\n", "user", "create", "--email", "root@example.com", "--role", "admin"); code != exitOK {
		t.Fatalf("user create = %d\n%s", code, errs)
	}
	access, _, _ := h.login("root@example.com", password)
	a := h.do(http.MethodPost, "/api/v1/api-keys", strings.NewReader(`{"name":"nightly","role":"ingest"}`),
		"Content-Type", "application/json", "Authorization", "Bearer "+access)
	if a.status != http.StatusCreated {
		t.Fatalf("create a key = %d %s", a.status, a.body)
	}
	for _, step := range []struct {
		args     string
		says     []string
		saysNot  string
		login    int
		asUserIs int // GET /api/v1/users with a fresh login
	}{
		{"role root@example.com viewer", []string{"viewer", "no admin is left"}, "nightly", 200, 403},
		{"role root@example.com admin", []string{"admin"}, "no admin", 200, 200},
		{"disable root@example.com", []string{"disabled", "no admin is left", "nightly", "apikey revoke"}, "", 401, 0},
		{"enable root@example.com", []string{"may log in as admin"}, "no admin", 200, 200},
	} {
		code, out, errs := command(t, env, append([]string{"user"}, strings.Fields(step.args)...)...)
		if code != exitOK || out != "" || step.saysNot != "" && strings.Contains(errs, step.saysNot) {
			t.Errorf("user %s = %d %q\n%s", step.args, code, out, errs)
		}
		for _, want := range step.says {
			if !strings.Contains(errs, want) {
				t.Errorf("user %s says\n%s\nwant %q", step.args, errs, want)
			}
		}
		access, _, status := h.login("root@example.com", password)
		if status != step.login {
			t.Errorf("a login after user %s = %d, want %d", step.args, status, step.login)
		}
		if status != http.StatusOK {
			continue
		}
		if a := h.do(http.MethodGet, "/api/v1/users", nil, "Authorization", "Bearer "+access, "X-API-Key", ""); a.status != step.asUserIs {
			t.Errorf("GET /api/v1/users after user %s = %d, want %d", step.args, a.status, step.asUserIs)
		}
	}
}

func TestKeysOfMachines(t *testing.T) {
	t.Parallel()
	env := []string{"DATABASE_URL=" + pgtest.URL(t), "LOG_FORMAT=json"}
	h := runHouse(t, []string{"serve"}, env)
	h.key = apiKey(t, env, "ingest", "--stack", "prod/*", "--expires", "90d")
	if _, status := h.upload("prod/edge", demoPlan(t, "prod-edge/plan-1.json")); status != http.StatusCreated {
		t.Errorf("an upload with an ingest key = %d, want 201", status)
	}
	for path, want := range map[string]int{
		"/api/v1/drifts": http.StatusForbidden, "/api/v1/users": http.StatusForbidden, "/api/v1/me": http.StatusOK,
	} {
		if a := h.do(http.MethodGet, path, nil); a.status != want {
			t.Errorf("GET %s with an ingest key = %d %s, want %d", path, a.status, a.body, want)
		}
	}
	if a := h.do(http.MethodPost, "/api/v1/scans?stack=dev/edge", strings.NewReader("{}")); a.status != http.StatusForbidden {
		t.Errorf("an upload to a stack the key is not for = %d %s, want 403", a.status, a.body)
	}
	if code, out, errs := command(t, env, "apikey", "revoke", h.key); code != exitOK || strings.Contains(out+errs, h.key) {
		t.Errorf("apikey revoke = %d\n%s%s", code, out, errs)
	}
	code, out, errs := command(t, env, "apikey", "list")
	if code != exitOK || !strings.Contains(out, h.key[:12]) || strings.Contains(out, h.key) || !strings.Contains(out, "prod/*") {
		t.Errorf("apikey list = %d\n%s%s\nwant its prefix and no more", code, out, errs)
	}
}

func TestCommandsOnAccountsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	env := []string{"DATABASE_URL=" + pgtest.URL(t)}
	for _, tt := range []struct {
		env   []string
		stdin string
		args  string
		want  string
	}{
		{env, "", "user create", `"email" not set`},
		{env, "", "user create --email alice --role admin", "email"},
		{env, "", "user create --email а@example.com --role admin", "U+0430"},
		{env, "", "user create --email a@example.com --role ingest", "role must be admin, engineer or viewer"},
		{env, "short\n", "user create --email a@example.com --role admin", "password"},
		{env, "", "user disable nobody@example.com", "no such user"},
		{env, "", "user enable nobody@example.com", "no such user"},
		{env, "", "user role nobody@example.com admin", "no such user"},
		{env, "", "user role nobody@example.com", "accepts 2 arg(s)"},
		{env, "", "apikey create --name x --role root", "role must be"},
		{env, "", "apikey create --name x --stack=", "stacks must be a pattern"},
		{env, "", "apikey create --name x --role admin --stack prod/*", "stacks cannot limit an admin key"},
		{env, "", "apikey create --name сi", "name must be of printable ASCII"}, // a Cyrillic с
		{env, "", "apikey create --name x --expires soon", "--expires"},
		{env, "", "apikey create --name x --expires 2020-01-01 --stack [", "not done:\n  stacks"},
		{env, "", "apikey revoke dsk_nothing0", "no key has this prefix"},
		{[]string{"DATABASE_URL=" + pgtest.EmptyURL(t)}, "", "user list", "driftsentry migrate up"},
		{[]string{"DATABASE_URL=postgres://u:planted@127.0.0.1:1/x"}, "", "user list", "database"},
		{[]string{"APP_ENV=production", "DATABASE_URL=postgres://127.0.0.1:1/x"}, "", "user list", "JWT_SECRET"},
	} {
		code, out, errs := piped(t, tt.env, tt.stdin, strings.Fields(tt.args)...)
		if code != exitFailure || !strings.Contains(errs, tt.want) || out != "" || strings.Contains(errs, "planted") {
			t.Errorf("driftsentry %s = %d %q\n%s\nwant 1 and %q", tt.args, code, out, errs, tt.want)
		}
	}
}

func TestLifetimes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"": {}, "never": {}, "90d": now.AddDate(0, 0, 90), "2w": now.AddDate(0, 0, 14), "12h": now.Add(12 * time.Hour),
		"2027-01-31": time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC),
	} {
		if got, err := lifetime(text, now); err != nil || !got.Equal(want) {
			t.Errorf("lifetime(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"soon", "-1d", "0d", "d", "90", "-5m", "1e9d", "2027-13-01", "99999999d"} {
		if got, err := lifetime(text, now); err == nil {
			t.Errorf("lifetime(%q) = %v, want an error", text, got)
		}
	}
}
