package httpapi_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/httpapi"
)

func TestARateLimitSparesProbesAndOtherAddresses(t *testing.T) {
	t.Parallel()
	s := newServer(t, refused(t), func(o *httpapi.Options) { o.RateLimitPerMinute = 3 })
	from := func(address, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
		r.RemoteAddr = address
		return exchange(t, s, r)
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
	s := newServer(t, refused(t))
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

func TestWhatTheMuxWouldAnswerItself(t *testing.T) {
	t.Parallel()
	s := newServer(t, refused(t))
	for _, request := range []*http.Request{
		{Method: http.MethodConnect, URL: &url.URL{Host: "foo:80"}, Host: "foo:80", RequestURI: "foo:80"},
		{Method: http.MethodGet, URL: &url.URL{Path: "*"}, RequestURI: "*"},
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, request.WithContext(t.Context()))
		if w.Code != http.StatusNotFound || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s = %d %s, want a 404 problem", request.Method, request.RequestURI, w.Code, w.Header().Get("Content-Type"))
		}
	}
}

// TestABodyThatNeverComesHoldsNothingUp: net/http would wait for it before it
// sends the answer.
func TestABodyThatNeverComesHoldsNothingUp(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newServer(t, refused(t)))
	t.Cleanup(server.Close)
	for request, status := range map[string]int{
		"GET /health/live": http.StatusOK, "POST /api/v1/scans?stack=a": http.StatusUnauthorized,
		"POST /api/v1/nothing": http.StatusNotFound, "POST /api/v1/drifts": http.StatusMethodNotAllowed,
	} {
		resp := askAndSendNoBody(t, server.Listener.Addr().String(), request)
		if resp.StatusCode != status || !resp.Close {
			t.Errorf("%s = %s, close %v, want %d and a closed connection", request, resp.Status, resp.Close, status)
		}
	}
}

// askAndSendNoBody sends a request up to a body that it keeps to itself.
func askAndSendNoBody(t *testing.T, address, request string) *http.Response {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request+" HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%s: no answer while the body is outstanding: %v", request, err)
	}
	defer resp.Body.Close()
	return resp
}

// TestWithoutADatabaseNobodyIsWronglyTurnedAway: a credential that cannot be
// looked up is not a bad one.
func TestWithoutADatabaseNobodyIsWronglyTurnedAway(t *testing.T) {
	t.Parallel()
	h := &house{Server: newServer(t, refused(t)), t: t}
	key, _, _ := auth.NewAPIKey()
	a := h.as(key.Reveal()).do(http.MethodGet, "/api/v1/drifts", "")
	a.refused(503, "DATABASE_UNAVAILABLE", "database")
	if a.header.Get("Retry-After") == "" {
		t.Error("a 503 without Retry-After")
	}
	h.as("dsk_junk").do(http.MethodGet, "/api/v1/drifts", "").refused(401, "AUTH_ERROR", "not valid")
}
