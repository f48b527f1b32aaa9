package telemetry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/driftsentry/driftsentry/internal/correlation"
)

func TestRequestLines(t *testing.T) {
	t.Parallel()
	tel, out := start(t, Options{})
	w := serve(api(tel), "GET", "/api/v1/drifts/d1?q=x", header(correlation.Header, "abc123"), header("User-Agent", "curl/8"))
	if got := w.Header().Get(correlation.Header); got != "abc123" {
		t.Errorf("%s = %q, want the one that was sent", correlation.Header, got)
	}
	lines := out.lines(t)
	if len(lines) != 3 {
		t.Fatalf("%d lines, want started, the handler's, completed:\n%s", len(lines), out)
	}
	for i, line := range lines {
		for _, key := range []string{"timestamp", "traceId", "spanId", "duration"} {
			delete(line, key)
		}
		if line["correlationId"] != "abc123" {
			t.Errorf("line %d has correlationId %v, want abc123", i, line["correlationId"])
		}
		delete(line, "correlationId")
	}
	want := []map[string]any{
		{
			"level": "info", "msg": "Request started", "service": "driftsentry", "env": "production",
			"method": "GET", "path": "/api/v1/drifts/d1", "userAgent": "curl/8", "clientIp": "198.51.100.7",
		},
		{"level": "info", "msg": "drift read", "service": "driftsentry", "env": "production", "userId": "user-7", "module": "drifts", "driftId": "d1"},
		{
			"level": "info", "msg": "Request completed", "service": "driftsentry", "env": "production", "userId": "user-7",
			"method": "GET", "path": "/api/v1/drifts/d1", "route": "/api/v1/drifts/{id}", "status": 200.0, "bytes": 10.0,
		},
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestCorrelationIDsFromOutside(t *testing.T) {
	t.Parallel()
	tel, out := start(t, Options{})
	h := api(tel)
	for _, id := range []string{"a", strings.Repeat("x", 128), "A-Z.a_z:0-9"} {
		if got := serve(h, "GET", "/api/v1/drifts/x", header(correlation.Header, id)).Header().Get(correlation.Header); got != id {
			t.Errorf("id %q came back as %q", id, got)
		}
	}
	for _, id := range []string{"", strings.Repeat("x", 129), "a b", "<script>", "a\"b", "é", "{{7*7}}"} {
		got := serve(h, "GET", "/api/v1/drifts/x", header(correlation.Header, id)).Header().Get(correlation.Header)
		if got == id || !correlation.Valid(got) {
			t.Errorf("id %q was answered with %q, want a new one", id, got)
		}
		if id != "" && strings.Contains(out.String(), id) {
			t.Errorf("bad id %q was echoed into the log", id)
		}
	}
}

// TestServerTiming: the header's trace is the one of the log lines.
func TestServerTiming(t *testing.T) {
	t.Parallel()
	tel, out := start(t, Options{})
	w := serve(api(tel), "GET", "/api/v1/drifts/x")
	line := out.one(t, "Request completed")
	want := fmt.Sprintf(`trace;desc="00-%s-%s-00"`, line["traceId"], line["spanId"])
	if got := w.Header().Get("Server-Timing"); got != want {
		t.Errorf("Server-Timing = %s, want %s", got, want)
	}
}

func TestFailedRequests(t *testing.T) {
	t.Parallel()
	cause := fmt.Errorf("read the summary: %w", &brokenError{"disk on fire"})
	tests := []struct {
		name, method, target string
		status               int
		level, code, route   string
		want                 map[string]any
	}{
		{
			"conflict", "POST", "/api/v1/drifts/d1/approve?until=now&token=t", 409, "warn", "CONFLICT", "/api/v1/drifts/{id}/approve",
			map[string]any{"query": "until=now&token=***", "error": "read the summary: disk on fire", "errorType": "*telemetry.brokenError"},
		},
		{
			"failure", "GET", "/api/v1/summary", 500, "error", "INTERNAL_ERROR", "/api/v1/summary",
			map[string]any{"causes": []any{"*fmt.wrapError: read the summary: disk on fire", "*telemetry.brokenError: disk on fire"}},
		},
		{
			"panic", "GET", "/api/v1/panic", 500, "error", "INTERNAL_ERROR", "/api/v1/panic",
			map[string]any{"error": "panic: read the summary: disk on fire", "errorType": "*telemetry.brokenError"},
		},
		{"no route", "GET", "/nope", 404, "warn", "NOT_FOUND", "unmatched", map[string]any{"error": "Not Found"}},
		{"no such method", "DELETE", "/api/v1/summary", 405, "warn", "METHOD_NOT_ALLOWED", "unmatched", nil},
		{"invented method", "BREW", "/api/v1/summary", 405, "warn", "METHOD_NOT_ALLOWED", "unmatched", map[string]any{"method": "BREW"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tel, out := start(t, Options{})
			w := serve(api(tel), tt.method, tt.target, func(r *http.Request) {
				*r = *r.WithContext(context.WithValue(r.Context(), errorKey{}, cause))
			})
			if w.Code != tt.status {
				t.Errorf("status = %d, want %d", w.Code, tt.status)
			}
			line := out.one(t, "Request error")
			for key, want := range map[string]any{"level": tt.level, "code": tt.code, "route": tt.route, "status": float64(tt.status)} {
				if line[key] != want {
					t.Errorf("Request error: %s = %v, want %v", key, line[key], want)
				}
			}
			for key, want := range tt.want {
				if diff := cmp.Diff(want, line[key]); diff != "" {
					t.Errorf("Request error: %s (-want +got):\n%s", key, diff)
				}
			}
			if stack, _ := line["stackTrace"].(string); (tt.name == "panic") != strings.Contains(stack, "telemetry.api.func") {
				t.Errorf("stackTrace = %q", stack)
			}
			if got := out.one(t, "Request completed")["level"]; got != tt.level {
				t.Errorf("Request completed: level = %v, want %v", got, tt.level)
			}
			out.one(t, "Error tracked")
			metrics := scrape(t, tel, "")
			for _, want := range []string{
				fmt.Sprintf("errors_total{code=%q,path=%q} 1\n", tt.code, tt.route),
				fmt.Sprintf("http_requests_total{method=%q,path=%q,status=\"%d\"} 1\n", methodLabel(tt.method), tt.route, tt.status),
			} {
				if !strings.Contains(metrics, want) {
					t.Errorf("scrape lacks %s", want)
				}
			}
		})
	}
}

// TestPanicAfterHalfAnAnswer: the client must not take half an answer for a
// whole one.
func TestPanicAfterHalfAnAnswer(t *testing.T) {
	t.Parallel()
	tel, out := start(t, Options{})
	server := httptest.NewServer(api(tel))
	defer server.Close()
	res, err := server.Client().Get(server.URL + "/api/v1/late")
	if err == nil {
		defer res.Body.Close()
		_, err = io.ReadAll(res.Body)
	}
	if err == nil {
		t.Error("the client read a whole answer")
	}
	server.Close() // waits for the handler
	if line := out.one(t, "Request error"); line["error"] != "panic: too late" {
		t.Errorf("Request error = %v", line)
	}
	if got := scrape(t, tel, ""); !strings.Contains(got, `errors_total{code="INTERNAL_ERROR",path="/api/v1/late"} 1`) {
		t.Error("the error was not counted")
	}
}

// TestClientWentAway: nobody hears the answer, and it is nobody's error.
func TestClientWentAway(t *testing.T) {
	t.Parallel()
	tel, out := start(t, Options{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	h := tel.Handler(mux, HTTPOptions{})
	serve(h, "GET", "/slow", func(r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		cancel()
		*r = *r.WithContext(ctx)
	})
	line := out.one(t, "Request completed")
	if line["status"] != 499.0 || line["level"] != "warn" {
		t.Errorf("Request completed = %v, want status 499 as a warning", line)
	}
	if got := out.one(t, "Request error")["code"]; got != codeClosed {
		t.Errorf("code = %v, want %s", got, codeClosed)
	}
}

func TestSlowRequest(t *testing.T) {
	t.Parallel()
	tel, out := start(t, Options{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /x", func(http.ResponseWriter, *http.Request) {})
	serve(tel.Handler(mux, HTTPOptions{SlowRequest: time.Nanosecond}), "GET", "/x")
	if line := out.one(t, "Slow request detected"); line["level"] != "warn" || line["route"] != "/x" || line["threshold"] == nil {
		t.Errorf("Slow request detected = %v", line)
	}
	serve(tel.Handler(mux, HTTPOptions{}), "GET", "/x")
	out.one(t, "Slow request detected")
}

// TestProbes are seen at debug only and counted under their own route, even
// when they say no.
func TestProbes(t *testing.T) {
	t.Parallel()
	tel, out := start(t, Options{})
	h := api(tel)
	for _, path := range []string{"/health/live", "/health/ready", "/metrics", "/health/nope"} {
		w := serve(h, "GET", path)
		if got := w.Header().Get("Server-Timing"); got != "" {
			t.Errorf("%s has a trace: %s", path, got)
		}
		if !correlation.Valid(w.Header().Get(correlation.Header)) {
			t.Errorf("%s has no correlation id", path)
		}
	}
	if out.String() != "" {
		t.Errorf("probes were logged at info:\n%s", out)
	}
	tel.SetLevel(-4)
	serve(h, "GET", "/health/ready")
	if line := out.one(t, "Request completed"); line["level"] != "debug" || line["status"] != 503.0 {
		t.Errorf("Request completed = %v, want debug", line)
	}
	metrics := scrape(t, tel, "")
	for _, want := range []string{
		`http_requests_total{method="GET",path="/health/live",status="200"} 1`, `http_requests_total{method="GET",path="/metrics",status="200"} 1`,
		`errors_total{code="DATABASE_UNAVAILABLE",path="/health/ready"} 2`, `http_requests_total{method="GET",path="unmatched",status="404"} 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("scrape lacks %s", want)
		}
	}
}

// TestResponseWriterKeepsItsAbilities: flushing, deadlines and full duplex
// still work through the wrapper.
func TestResponseWriterKeepsItsAbilities(t *testing.T) {
	t.Parallel()
	tel, out := start(t, Options{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /x", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Errorf("SetWriteDeadline: %v", err)
		}
		w.WriteHeader(http.StatusCreated)
		flusher, ok := w.(http.Flusher)
		if !ok {
			t.Fatal("the writer can't be flushed")
		}
		flusher.Flush()
	})
	server := httptest.NewServer(tel.Handler(mux, HTTPOptions{}))
	defer server.Close()
	res, err := server.Client().Get(server.URL + "/x")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	server.Close() // waits for the handler
	if got := out.one(t, "Request completed")["status"]; got != 201.0 || res.StatusCode != http.StatusCreated {
		t.Errorf("logged status %v, answered %d, want 201", got, res.StatusCode)
	}
}
