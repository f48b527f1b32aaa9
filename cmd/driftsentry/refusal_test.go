package main

import (
	"net/http"
	"strings"
	"testing"
)

// TestRefusalsKeepSecrets: what is wrong with a secret, or with the place it is
// for, is told without it.
func TestRefusalsKeepSecrets(t *testing.T) {
	t.Parallel()
	const unreachable = "DATABASE_URL=postgres://app:canary-9f2@127.0.0.1:1/drift?connect_timeout=2"
	for name, tt := range map[string]struct {
		args []string
		env  []string
		says string
	}{
		"too short":           {[]string{"serve"}, []string{"JWT_SECRET=canary-9f2", "FINGERPRINT_KEY=canary-9f2"}, "JWT_SECRET"},
		"database, no URL":    {[]string{"serve"}, []string{"DATABASE_URL=postgres://app:%zzcanary-9f2@db/x"}, "DATABASE_URL"},
		"database, a port":    {[]string{"serve"}, []string{"DATABASE_URL=postgres://app:canary-9f2@db:port/x"}, "DATABASE_URL"},
		"database, keywords":  {[]string{"migrate", "up"}, []string{"DATABASE_URL=host=db password=canary-9f2 sslmode=maybe"}, "DATABASE_URL"},
		"database, not there": {[]string{"migrate", "up"}, []string{unreachable}, "refused"},
		"Sentry":              {[]string{"serve"}, []string{"SENTRY_DSN=https://canary-9f2@sentry.example"}, "SENTRY_DSN"},
		"collector":           {[]string{"serve"}, []string{"OTEL_EXPORTER_OTLP_HEADERS=canary-9f2"}, "OTEL_EXPORTER_OTLP_HEADERS"},
		"a file, not there":   {[]string{"serve"}, []string{"JWT_SECRET_FILE=/no/such/file", "JWT_SECRET=canary-9f2"}, "JWT_SECRET"},
	} {
		var out, errs lockedBuffer
		code := run(t.Context(), process{
			args: tt.args, env: append([]string{"PORT=0"}, tt.env...), stdout: &out, stderr: &errs,
			listening: func(string) { t.Errorf("%s: it listens", name) },
		})
		said := out.String() + errs.String()
		if code != exitFailure || !strings.Contains(said, tt.says) {
			t.Errorf("%s: exit code %d, want 1 and a word about %s:\n%s", name, code, tt.says, said)
		}
		if found := leak(said, "canary-9f2"); found != "" {
			t.Errorf("%s: the secret is told: %s", name, found)
		}
	}

	h := runHouse(t, []string{"serve"}, []string{unreachable, "LOG_LEVEL=trace", "LOG_FORMAT=json"})
	h.key = someKey()
	var answers strings.Builder
	for _, path := range []string{"/health/ready", "/health/detailed", "/api/v1/drifts", "/api/v1/errors", "/metrics"} {
		answers.Write(h.do(http.MethodGet, path, nil).body)
	}
	if code := h.stop(); code != exitOK {
		t.Errorf("exit code %d\n%s", code, h.out)
	}
	for what, text := range map[string]string{"log": h.out.String(), "answers": answers.String()} {
		if found := leak(text, "canary-9f2"); found != "" || !strings.Contains(text, "DATABASE_UNAVAILABLE") {
			t.Errorf("a database that is not there: the %s tells the password, or nothing: %s", what, found)
		}
	}
}
