package httpapi_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/driftsentry/driftsentry/internal/httpapi"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

func ask(t *testing.T, h http.Handler, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	return exchange(t, h, httptest.NewRequestWithContext(t.Context(), method, target, http.NoBody))
}

// silent is the URL of a server that takes connections and never says a word.
func silent(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return "postgres://nobody@" + l.Addr().String() + "/nothing?sslmode=disable"
}

// refused is the URL of a server that is not there.
func refused(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return "postgres://nobody@" + l.Addr().String() + "/nothing?sslmode=disable"
}

func TestProbes(t *testing.T) {
	t.Parallel()
	good, empty, hung, down := pgtest.URL(t), pgtest.EmptyURL(t), silent(t), refused(t)
	drain := func(s *httpapi.Server) { s.Drain() }
	tests := []struct {
		name, url, path string
		prepare         func(*httpapi.Server)
		status          int
		body            map[string]any // what must be in the body
	}{
		{"alive", good, "/health/live", nil, 200, map[string]any{"status": "alive"}},
		{"alive without a database", down, "/health/live", nil, 200, map[string]any{"status": "alive"}},
		{"alive while shutting down", good, "/health/live", drain, 200, map[string]any{"status": "alive"}},
		{
			"ready", good, "/health/ready", nil, 200,
			map[string]any{"status": "ready", "checks": map[string]any{"database": "ok"}},
		},
		{
			"no database", down, "/health/ready", nil, 503,
			map[string]any{"status": "not_ready", "checks": map[string]any{"database": "error"}, "error": "Connection failed"},
		},
		{
			"a database that hangs", hung, "/health/ready", nil, 503,
			map[string]any{"status": "not_ready", "checks": map[string]any{"database": "error"}, "error": "Connection failed"},
		},
		{
			"migrations missing", empty, "/health/ready", nil, 503,
			map[string]any{"status": "not_ready", "checks": map[string]any{"database": "error"}, "error": "Connection failed"},
		},
		{
			"shutting down", good, "/health/ready", drain, 503,
			map[string]any{"status": "not_ready", "checks": map[string]any{"database": "ok"}, "error": "shutting down"},
		},
		{"in detail", good, "/health/detailed", nil, 200, map[string]any{"status": "ok", "version": "1.2.3"}},
		{"in detail without a database", down, "/health/detailed", nil, 503, map[string]any{"status": "error", "version": "1.2.3"}},
		{"in detail without migrations", empty, "/health/detailed", nil, 503, map[string]any{"status": "error"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, tt.url)
			if tt.prepare != nil {
				tt.prepare(s)
			}
			w := ask(t, s, http.MethodGet, tt.path)
			var got map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatalf("%s: %v", w.Body, err)
			}
			if w.Code != tt.status {
				t.Errorf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			at, _ := got["timestamp"].(string)
			if _, err := time.Parse(time.RFC3339, at); err != nil {
				t.Error(err)
			}
			only := cmpopts.IgnoreMapEntries(func(k string, _ any) bool { _, named := tt.body[k]; return !named && k != "error" && k != "database" })
			if diff := cmp.Diff(tt.body, got, only); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAHangingDatabaseHoldsUpNoProbe also asks many at once: they must share
// the one look at the database and each answer in time.
func TestAHangingDatabaseHoldsUpNoProbe(t *testing.T) {
	t.Parallel()
	s := newServer(t, silent(t))
	const probes = 50
	done := make(chan int, probes)
	for range probes {
		go func() { done <- ask(t, s, http.MethodGet, "/health/ready").Code }()
	}
	timeout := time.After(5 * time.Second) // a deadline for the test, not for the probes
	for range probes {
		select {
		case code := <-done:
			if code != http.StatusServiceUnavailable {
				t.Errorf("status %d, want 503", code)
			}
		case <-timeout:
			t.Fatal("probes still unanswered after 5 s")
		}
	}
}

func TestDetailTellsWhatIsPromised(t *testing.T) {
	t.Parallel()
	s := newServer(t, pgtest.URL(t), func(o *httpapi.Options) {
		o.Exports = func() any { return map[string]any{"traces": map[string]bool{"enabled": true}} }
	})
	w := ask(t, s, http.MethodGet, "/health/detailed")
	var got struct {
		Uptime *int64
		Memory struct{ HeapUsedMB, HeapTotalMB float64 }
		Checks struct {
			Database struct {
				Status          string
				QueryDurationMs *float64
			}
		}
		Pool      struct{ Max int }
		Telemetry struct{ Traces struct{ Enabled bool } }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Uptime == nil || got.Memory.HeapUsedMB <= 0 || got.Memory.HeapTotalMB < got.Memory.HeapUsedMB ||
		got.Checks.Database.Status != "ok" || got.Checks.Database.QueryDurationMs == nil || got.Pool.Max != 4 || !got.Telemetry.Traces.Enabled {
		t.Errorf("detail = %s", w.Body)
	}
}
