//go:build e2e

package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// app is the service as an operator runs it: built, migrated, with a user and a
// key made on the command line.
type app struct {
	*process
	t        *testing.T
	binary   string
	url      string
	database string
	key      string // an administrator's API key
	email    string // of a user with password
	password string
	secrets  []string // what nobody may find anywhere
}

// maximalWait is REQUEST_TIMEOUT here: short, because requests of the traffic wait
// for it.
const maximalWait = 3 * time.Second

// startApp starts it on an empty database, with the collector at this URL.
func startApp(t *testing.T, binary, database, otlp string) *app {
	t.Helper()
	a := &app{
		t: t, binary: binary, database: database,
		email: "operator@example.com", password: "Pw-" + rand.Text(),
	}
	port, signing := freePorts(t, 1)[0], rand.Text()+rand.Text()
	a.url = "http://" + local + port
	environment := []string{
		"APP_ENV=production", "HOST=127.0.0.1", "PORT=" + port, "DATABASE_URL=" + a.database, "JWT_SECRET=" + signing,
		"REQUEST_TIMEOUT=" + maximalWait.String(), "SHUTDOWN_DELAY=0s", "RATE_LIMIT_PER_MINUTE=0",
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + otlp, "OTEL_BSP_SCHEDULE_DELAY=500",
	}
	run(t, environment, "", a.binary, "migrate", "up")
	run(t, environment, a.password+"\n", a.binary, "user", "create", "--email", a.email, "--role", "admin")
	a.key = strings.TrimSpace(run(t, environment, "", a.binary, "apikey", "create", "--name", "e2e", "--role", "admin"))
	a.secrets = []string{a.password, signing, a.key}
	a.process = start(t, "driftsentry", a.binary, environment, "serve")
	a.healthy(t, a.url+"/health/ready")
	return a
}

// build makes the program.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "driftsentry")
	command := exec.Command("go", "build", "-o", binary, "./cmd/driftsentry")
	command.Dir = checkout
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build driftsentry: %v\n%s", err, out)
	}
	return binary
}

// answer is what came back, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do asks the API as an administrator. headers are names and values in turn.
func (a *app) do(method, path string, body []byte, headers ...string) answer {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, bytes.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("X-API-Key", a.key)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	response, err := outside.Do(r)
	if err != nil {
		a.t.Errorf("%s %s: %v", method, path, err)
		return answer{header: http.Header{}}
	}
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Errorf("%s %s: %v", method, path, err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: all}
}

// must asks, and wants this status.
func (a *app) must(status int, method, path string, body any, headers ...string) answer {
	a.t.Helper()
	var sent []byte
	switch b := body.(type) {
	case nil:
	case []byte:
		sent = b
	default:
		var err error
		if sent, err = json.Marshal(b); err != nil {
			a.t.Fatal(err)
		}
	}
	got := a.do(method, path, sent, headers...)
	if got.status != status {
		a.t.Errorf("%s %s = %d %.300s, want %d", method, path, got.status, got.body, status)
	}
	return got
}

// receipt is what an upload answers, as far as it matters here.
type receipt struct {
	ID, CorrelationID, TraceID string
	Drifts                     []struct{ ID string }
}

// upload sends one of the recorded plans.
func (a *app) upload(stack, plan string, headers ...string) receipt {
	a.t.Helper()
	got := a.must(http.StatusCreated, http.MethodPost, "/api/v1/scans?stack="+stack,
		[]byte(read(a.t, checkout+"/"+plan)), headers...)
	var r receipt
	if err := json.Unmarshal(got.body, &r); err != nil {
		a.t.Errorf("receipt of %s: %v", plan, err)
	}
	return r
}
