package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/driftsentry/driftsentry/internal/httpapi"
)

func TestARateLimitSparesProbesAndOtherAddresses(t *testing.T) {
	t.Parallel()
	s := newServer(t, refused(t), func(o *httpapi.Options) { o.RateLimitPerMinute = 3 })
	from := func(address, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
		r.RemoteAddr = address
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	for range 3 {
		if w := from("192.0.2.1:1000", "/api/v1/nothing"); w.Code != http.StatusNotFound {
			t.Fatalf("within the limit: %d, want 404", w.Code)
		}
	}
	w := from("192.0.2.1:2000", "/api/v1/nothing")
	var p struct{ Code string }
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusTooManyRequests || p.Code != "RATE_LIMITED" || w.Header().Get("Retry-After") == "" {
		t.Errorf("over the limit: %d %s Retry-After %q", w.Code, p.Code, w.Header().Get("Retry-After"))
	}
	if w := from("192.0.2.1:2000", "/health/live"); w.Code != http.StatusOK {
		t.Errorf("a probe over the limit: %d, want 200", w.Code)
	}
	if w := from("192.0.2.2:1000", "/api/v1/nothing"); w.Code != http.StatusNotFound {
		t.Errorf("another address: %d, want 404", w.Code)
	}
	for i, address := range []string{"[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1", "[2001:db8::4]:1"} {
		want := http.StatusNotFound
		if i == 3 {
			want = http.StatusTooManyRequests
		}
		if w := from(address, "/api/v1/nothing"); w.Code != want {
			t.Errorf("address %d of one IPv6 network: %d, want %d", i+1, w.Code, want)
		}
	}
}

func TestBrowsersAreAllowedByOrigin(t *testing.T) {
	t.Parallel()
	s := newServer(t, refused(t), func(o *httpapi.Options) { o.CORSOrigins = []string{"https://drift.example.com"} })
	preflight := func(origin string) http.Header {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, "/api/v1/drifts", http.NoBody)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", http.MethodGet)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Header()
	}
	if got := preflight("https://drift.example.com").Get("Access-Control-Allow-Origin"); got != "https://drift.example.com" {
		t.Errorf("our origin is allowed as %q", got)
	}
	if got := preflight("https://evil.example.com").Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("another origin is allowed as %q", got)
	}
}

func TestEveryRouteSaysWhoMayUseIt(t *testing.T) {
	t.Parallel()
	s := newServer(t, refused(t), func(o *httpapi.Options) {
		o.Metrics = http.NotFoundHandler()
		o.Errors = func() any { return nil }
	})
	seen := map[string]bool{}
	for _, route := range s.Routes() {
		if route.Needs == 0 {
			t.Errorf("%s has no permission", route.Pattern())
		}
		if seen[route.Pattern()] {
			t.Errorf("%s stands in the table twice", route.Pattern())
		}
		seen[route.Pattern()] = true
	}
}

func TestDrainingClosesConnections(t *testing.T) {
	t.Parallel()
	s := newServer(t, refused(t))
	if got := ask(t, s, http.MethodGet, "/health/live").Header().Get("Connection"); got != "" {
		t.Errorf("Connection = %q before draining, want none", got)
	}
	s.Drain()
	if got := ask(t, s, http.MethodGet, "/health/live").Header().Get("Connection"); got != "close" {
		t.Errorf("Connection = %q while draining, want close", got)
	}
}
