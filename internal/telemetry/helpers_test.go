package telemetry

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/driftsentry/driftsentry/internal/transcript"
)

// TestMain fails when a test leaves a goroutine behind: everything Start
// begins, Shutdown ends. pgtest's server ends with the process.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/driftsentry/driftsentry/internal/devpg.startProcess.func1"))
}

// output collects log lines.
type output struct{ transcript.Buffer }

// lines are the JSON lines so far.
func (o *output) lines(t *testing.T) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(o.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		all = append(all, m)
	}
	return all
}

// named are the lines with this message.
func (o *output) named(t *testing.T, msg string) []map[string]any {
	t.Helper()
	var found []map[string]any
	for _, line := range o.lines(t) {
		if line["msg"] == msg {
			found = append(found, line)
		}
	}
	return found
}

// one is the only line with this message.
func (o *output) one(t *testing.T, msg string) map[string]any {
	t.Helper()
	found := o.named(t, msg)
	if len(found) != 1 {
		t.Fatalf("%d lines %q, want 1, in:\n%s", len(found), msg, o)
	}
	return found[0]
}

// silence is the environment without anybody to export to, whatever the
// machine's own is.
var silence = []string{
	"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
	"OTEL_TRACES_EXPORTER", "OTEL_LOGS_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_SDK_DISABLED", "OTEL_SERVICE_NAME",
	"OTEL_RESOURCE_ATTRIBUTES", "OTEL_TRACES_SAMPLER",
}

// start starts telemetry that logs into the returned output and is shut down
// when the test ends.
func start(tb testing.TB, o Options) (*Telemetry, *output) {
	tb.Helper()
	out := &output{}
	if o.Output == nil {
		o.Output = out
	}
	if o.Env == "" {
		o.Env = "production"
	}
	tel, err := Start(context.Background(), o)
	if err != nil {
		tb.Fatalf("Start(%+v): %v", o, err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := tel.Shutdown(ctx); err != nil {
			tb.Errorf("Shutdown: %v", err)
		}
	})
	return tel, out
}

// api is a mux like the service's, with handlers that fail in every way.
func api(tel *Telemetry) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/drifts/{id}", func(w http.ResponseWriter, r *http.Request) {
		tel.Identify(r.Context(), "user-7")
		tel.Logger().With("module", "drifts").InfoContext(r.Context(), "drift read", "driftId", r.PathValue("id"))
		answer(w, `{"id":"x"}`)
	})
	mux.HandleFunc("POST /api/v1/drifts/{id}/approve", func(w http.ResponseWriter, r *http.Request) {
		tel.ReportRequest(r, errFor(r), http.StatusConflict, "CONFLICT")
		w.WriteHeader(http.StatusConflict)
	})
	mux.HandleFunc("GET /api/v1/summary", func(w http.ResponseWriter, r *http.Request) {
		tel.ReportRequest(r, errFor(r), http.StatusInternalServerError, "INTERNAL_ERROR")
		w.WriteHeader(http.StatusInternalServerError)
	})
	mux.HandleFunc("GET /api/v1/panic", func(_ http.ResponseWriter, r *http.Request) {
		panic(errFor(r))
	})
	mux.HandleFunc("GET /api/v1/late", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, "half an ans")
		panic("too late")
	})
	mux.HandleFunc("GET /health/live", func(w http.ResponseWriter, _ *http.Request) { answer(w, "{}") })
	mux.HandleFunc("GET /health/ready", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	mux.Handle("GET /metrics", tel.MetricsHandler())
	return tel.Handler(mux, HTTPOptions{
		WriteError: func(w http.ResponseWriter, _ *http.Request, _ error) (int, string) {
			w.WriteHeader(http.StatusInternalServerError)
			return http.StatusInternalServerError, codeInternal
		},
		ClientIP: func(*http.Request) netip.Addr { return netip.MustParseAddr("198.51.100.7") },
	})
}

// answer writes a body to somebody who may have gone.
func answer(w io.Writer, body string) { fmt.Fprint(w, body) }

type errorKey struct{}

// errFor is the error a test put into the request's context.
func errFor(r *http.Request) error {
	if err, ok := r.Context().Value(errorKey{}).(error); ok {
		return err
	}
	return errTest
}

// serve answers one request.
func serve(h http.Handler, method, target string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, http.NoBody)
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// scrape is what a scrape in this format shows; plain text if it is empty.
func scrape(tb testing.TB, tel *Telemetry, accept string) string {
	tb.Helper()
	w := serve(tel.MetricsHandler(), http.MethodGet, "/metrics", header("Accept", accept))
	if w.Code != http.StatusOK {
		tb.Fatalf("scrape: status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}
