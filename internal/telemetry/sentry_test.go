package telemetry

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// sentryServer takes events and keeps them.
type sentryServer struct {
	dsn string

	mu     sync.Mutex
	events []string
}

func newSentryServer(t *testing.T) *sentryServer {
	t.Helper()
	s := &sentryServer{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read event: %v", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.events = append(s.events, string(body))
	}))
	t.Cleanup(server.Close)
	s.dsn = strings.Replace(server.URL, "http://", "http://public-key@", 1) + "/42"
	return s
}

func (s *sentryServer) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.events, "\n")
}

// TestSentry: what nobody expected arrives, cleaned, with what leads back to
// the trace; a client's mistake does not.
func TestSentry(t *testing.T) {
	t.Parallel()
	server := newSentryServer(t)
	tel, _ := start(t, Options{SentryDSN: server.dsn, Version: "1.2.3", Env: "staging"})
	h := api(tel)
	serve(h, "POST", "/api/v1/drifts/x/approve")
	serve(h, "GET", "/nope")
	serve(h, "GET", "/api/v1/panic", header("X-Correlation-ID", "abc123"), header("Authorization", "Bearer planted-token-1"), func(r *http.Request) {
		*r = *r.WithContext(context.WithValue(r.Context(), errorKey{}, &brokenError{"it broke: postgres://u:planted-2@h/ for planted-token-1"}))
	})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := tel.Shutdown(ctx); err != nil {
		t.Fatalf("Shutdown: %v", err)
	}
	got := server.text()
	if n := strings.Count(got, `"exception":`); n != 1 {
		t.Errorf("%d events arrived, want 1:\n%s", n, got)
	}
	for _, want := range []string{
		`"type":"*telemetry.brokenError"`, `"value":"it broke: postgres://***@h/ for ***"`, `"correlation_id":"abc123"`, `"code":"INTERNAL_ERROR"`,
		`"release":"1.2.3"`, `"environment":"staging"`, `"transaction":"GET /api/v1/panic"`, `"trace_id":"`, "telemetry.api.func",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the event lacks %s:\n%s", want, got)
		}
	}
	if strings.Contains(got, "planted") {
		t.Errorf("a secret went to Sentry:\n%s", got)
	}
}

// TestSentryDown: an error tracker that hangs holds up neither requests nor
// the shutdown beyond its deadline.
func TestSentryDown(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	tel, _ := start(t, Options{SentryDSN: strings.Replace(server.URL, "http://", "http://key@", 1) + "/1"})
	h := api(tel)
	begun := time.Now()
	for range 100 {
		serve(h, "GET", "/api/v1/panic")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := tel.Shutdown(ctx); err == nil || !strings.Contains(err.Error(), "sentry") {
		t.Errorf("Shutdown = %v, want a word about Sentry", err)
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("100 requests and the shutdown took %v", took)
	}
}

func TestBadDSN(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Options{SentryDSN: "not a dsn", Output: io.Discard})
	if err == nil || !strings.Contains(err.Error(), "SENTRY_DSN") {
		t.Errorf("Start = %v, want an error that names SENTRY_DSN", err)
	}
}
