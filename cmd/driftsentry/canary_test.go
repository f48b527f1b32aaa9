package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
	"github.com/driftsentry/driftsentry/internal/telemetry/otlptest"
)

// What must be found: in every sink one of these, or the sink was not looked
// into and finding no secret there proves nothing.
const (
	controlID    = "run-control-0f6c2e"
	controlStack = "canary/control-0f6c2e"
)

// sink is a place where words of the service end up.
type sink struct {
	text    string
	control string
	// own are canaries that belong there: it can't work without them.
	own []string
}

// TestNoSecretComesOut plants a distinct secret in every way in, and looks for
// each of them, in every spelling, in every way out.
func TestNoSecretComesOut(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "pretty"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			secrets := maps.Clone(canaries)
			plans, made := madePlans(t)
			for _, secret := range made {
				secrets[secret] = secret
			}
			secrets["basic credential"] = basicCredential()
			sinks, issued := plantAll(t, format, append(plans, canaryPlan(t)))
			maps.Copy(secrets, issued)
			for name, sink := range sinks {
				if !strings.Contains(sink.text, sink.control) {
					t.Errorf("%s: the control %q is not in it, so it proves nothing; it has %d bytes", name, sink.control, len(sink.text))
				}
				for way, secret := range secrets {
					if found := leak(sink.text, secret); found != "" && !slices.Contains(sink.own, way) {
						t.Errorf("%s holds the canary of: %s\n…%s…", name, way, found)
					}
				}
			}
		})
	}
}

// TestLeaksAreSeen: what the test above relies on.
func TestLeaksAreSeen(t *testing.T) {
	t.Parallel()
	const secret = `p@ss "w0rd"/x`
	for _, text := range []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), `{"a":"p@ss \"w0rd\"/x"}`, hex.EncodeToString([]byte("<" + secret)),
		base64.StdEncoding.EncodeToString([]byte(secret + " and more")), base64.RawURLEncoding.EncodeToString([]byte(secret)),
	} {
		if leak("before "+text+" after", secret) == "" {
			t.Errorf("%q is not seen in %q", secret, text)
		}
	}
	if leak("nothing here", secret) != "" {
		t.Error("a leak where there is none")
	}
}

// leak is where text holds the secret, in whatever spelling; empty if nowhere.
func leak(text, secret string) string {
	quoted, err := json.Marshal(secret)
	if err != nil {
		return err.Error()
	}
	whole := len(secret) / 3 * 3 // of base64, what no neighbour can change
	for _, spelling := range []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), strings.Trim(string(quoted), `"`), hex.EncodeToString([]byte(secret)),
		base64.StdEncoding.EncodeToString([]byte(secret[:whole])), base64.URLEncoding.EncodeToString([]byte(secret[:whole])),
	} {
		if i := strings.Index(text, spelling); i >= 0 {
			return text[max(0, i-150):min(len(text), i+len(spelling)+50)]
		}
	}
	return ""
}

func basicCredential() string {
	return base64.StdEncoding.EncodeToString([]byte("ci:" + canaries["basic password"]))
}

// plantAll runs the program, plants everything, stops it, and returns all it
// has said, to whomever.
func plantAll(t *testing.T, format string, plans [][]byte) (sinks map[string]sink, issued map[string]string) {
	t.Helper()
	sentry := new(lockedBuffer)
	sentryServer := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(sentry, r.Body); err != nil {
			t.Errorf("Sentry's body: %v", err)
		}
	}))
	t.Cleanup(sentryServer.Close)
	var first sync.Once
	collector := otlptest.Start(t, func(w http.ResponseWriter, r *http.Request) (answered bool) {
		if r.URL.Path == "/v1/metrics" { // once, a collector that repeats what it refuses
			first.Do(func() {
				answered = true
				w.WriteHeader(http.StatusUnauthorized)
				fmt.Fprintf(w, "bad token %s, bad key %s", strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), r.Header.Get("X-Api-Key"))
			})
		}
		return answered
	})

	database := pgtest.URL(t)
	pgtest.Exec(t, database, brokenDatabase)
	temporary := t.TempDir()
	env := []string{
		"APP_ENV=production", "LOG_LEVEL=trace", "LOG_FORMAT=" + format, "DATABASE_URL=" + withPassword(t, database),
		"JWT_SECRET=" + canaries["JWT secret"], "FINGERPRINT_KEY=" + canaries["fingerprint key"],
		"SENTRY_DSN=" + strings.Replace(sentryServer.URL, "://", "://"+canaries["Sentry key"]+"@", 1) + "/7",
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL, "OTEL_METRICS_EXPORTER=otlp", "OTEL_METRIC_EXPORT_INTERVAL=100",
		"OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20" + canaries["OTLP token"] + ",x-api-key=" + url.PathEscape(canaries["OTLP key"]),
		"SLOW_REQUEST_THRESHOLD=1ms", "SHUTDOWN_DELAY=0s", "TMPDIR=" + temporary,
		panics + "=the password is " + canaries["panic"] + "; keys " + canaries["JWT secret"] + " " + canaries["fingerprint key"] +
			"; sentry " + canaries["Sentry key"] + "; dial " + withPassword(t, database) + " with " + canaries["database password"] +
			"; sent " + canaries["OTLP token"],
	}
	key := apiKey(t, env, "admin")
	h := runProgram(t, env...)
	h.key = key
	a := &attack{house: h}
	a.everything(plans)
	tracked := string(a.do(http.MethodGet, "/api/v1/errors", nil).body)
	plain := string(a.do(http.MethodGet, "/metrics", nil).body)
	open := string(a.do(http.MethodGet, "/metrics", nil, "Accept", "application/openmetrics-text; version=1.0.0").body)
	if code := h.stop(); code != exitOK {
		t.Errorf("exit code %d\n%s", code, h.errs)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) != 0 {
		t.Errorf("the program left %v behind: %v", left, err)
	}
	for _, what := range []string{`driftsentry_redactions_total{rule="known",sink="log"}`, `sink="span"`, `sink="sentry"`} {
		if !strings.Contains(plain, what) {
			t.Errorf("no redaction %s was counted: the secrets were not planted", what)
		}
	}
	return map[string]sink{
		"stdout":             {text: h.out.String(), control: controlID},
		"stderr":             {text: h.errs.String()},
		"OTLP logs":          {text: collector.Text("/v1/logs"), control: controlID},
		"OTLP spans":         {text: collector.Text("/v1/traces"), control: controlID},
		"OTLP metrics":       {text: collector.Text("/v1/metrics"), control: controlStack},
		"metrics":            {text: plain, control: controlStack},
		"OpenMetrics":        {text: open, control: controlStack},
		"answers":            {text: a.answers.String(), control: controlID},
		"the error tracker":  {text: tracked, control: controlID},
		"Sentry":             {text: sentry.String(), control: controlID, own: []string{"Sentry key"}},
		"the whole database": {text: pgtest.Dump(t, database), control: controlID},
	}, a.issued
}

// withPassword is the database's URL with the canary for a password, which a
// private server does not ask for.
func withPassword(t *testing.T, database string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	if _, has := u.User.Password(); !has {
		u.User = url.UserPassword(u.User.Username(), canaries["database password"])
	}
	return u.String()
}
