package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/secret"
)

func known() http.HandlerFunc {
	return answer(200, "application/json", `{"kind":"api_key","name":"ci"}`)
}

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		answers []http.HandlerFunc
		tries   int
		want    string // in the error; empty for success
	}{
		{"known", []http.HandlerFunc{known()}, 1, ""},
		{"away for a moment", []http.HandlerFunc{hangUp, problem(503, "DATABASE_UNAVAILABLE", "wait"), known()}, 3, ""},
		{"never there", []http.HandlerFunc{hangUp}, tries, "tried 6 times"},
		{"wrong key", []http.HandlerFunc{problem(401, "AUTH_ERROR", "no such key")}, 1, "401 Unauthorized: no such key (check DRIFTSENTRY_API_KEY)"},
		{"another server", []http.HandlerFunc{answer(404, "text/html", "<html>")}, 1, "there is no DriftSentry at DRIFTSENTRY_URL"},
		{"a login page", []http.HandlerFunc{answer(200, "text/html", "<html>log in")}, 1, "not as a DriftSentry does (text/html)"},
		{"other JSON", []http.HandlerFunc{answer(200, "application/json", `{"ok":true}`)}, 1, "not as a DriftSentry does"},
		{"redirected", []http.HandlerFunc{answer(302, "text/html", "", "Location", "https://elsewhere.example/")}, 1, "redirects to https://elsewhere.example/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, tt.answers...)
			var retried int
			err := newClient(s.URL, &retried).Check(t.Context(), "run-1")
			if n, _ := s.requests(t); n != tt.tries || retried != tt.tries-1 {
				t.Errorf("%d requests and %d retries told, want %d and %d", n, retried, tt.tries, tt.tries-1)
			}
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Check() = %v, want %q in it", err, tt.want)
			}
			if s.header.Get("X-Api-Key") != "dsk_key" || s.header.Get("X-Correlation-Id") != "run-1" {
				t.Errorf("sent %v, want the key and the correlation id", s.header)
			}
		})
	}
}

func TestAnAddressThatGoesTooFar(t *testing.T) {
	t.Parallel()
	s := newServer(t, problem(404, "NOT_FOUND", "there is no such route"))
	err := New(Options{URL: s.URL + "/api/v1"}).Check(t.Context(), "")
	if err == nil || !strings.Contains(err.Error(), "leave /api/v1 away from the end of DRIFTSENTRY_URL") {
		t.Errorf("Check() of an address that ends in /api/v1 = %v, want what to do", err)
	}
}

// TestALostAnswerIsNoRepetition: the second attempt is answered 200, but it was
// our own first one that the server had before.
func TestALostAnswerIsNoRepetition(t *testing.T) {
	t.Parallel()
	had := func(id string) http.HandlerFunc {
		return answer(200, "application/json", strings.Replace(receipt, "{", `{"correlationId":"`+id+`",`, 1))
	}
	for _, tt := range []struct {
		answers []http.HandlerFunc
		want    bool
	}{
		{[]http.HandlerFunc{hangUp, had("run-1")}, false},
		{[]http.HandlerFunc{hangUp, had("run-0")}, true},
		{[]http.HandlerFunc{had("run-0")}, true},
		{[]http.HandlerFunc{hangUp, taken(201)}, false},
	} {
		s := newServer(t, tt.answers...)
		got, err := newClient(s.URL, new(int)).Upload(t.Context(), Scan{Stack: "s", Correlation: "run-1", Plan: text("{}", new(int))})
		if err != nil || got.Repeated != tt.want {
			t.Errorf("Upload() = %+v, %v, want it repeated: %v", got, err, tt.want)
		}
	}
}

// TestAProxyThatRefuses to connect us says why, and is asked again only when that
// may help.
func TestAProxyThatRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status, tries int
		want          string
	}{
		{407, 1, "the proxy answered 407 Proxy Authentication Required (the proxy of HTTPS_PROXY"},
		{403, 1, "the proxy answered 403 Forbidden"},
		{503, tries, "the proxy answered 503 Service Unavailable"},
	} {
		proxy := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodConnect {
				t.Errorf("the proxy got %s, want CONNECT", r.Method)
			}
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(tt.status)
		})
		var retried int
		c := New(Options{URL: "https://drift.example.com", Key: secret.New("dsk_key"), Retrying: func(error, time.Duration) { retried++ }})
		c.firstWait = time.Microsecond
		c.through(t, proxy.URL)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, err := c.Upload(ctx, Scan{Stack: "s", Plan: text("{}", new(int))})
		cancel()
		if err == nil || !strings.Contains(err.Error(), tt.want) || retried != tt.tries-1 {
			t.Errorf("Upload() through a proxy that answers %d = %v after %d retries, want %q after %d", tt.status, err, retried, tt.want, tt.tries-1)
		}
	}
}

// through sends everything through a proxy. The variables would be those of the
// whole process, and are read once.
func (c *Client) through(t *testing.T, proxy string) {
	t.Helper()
	transport, ok := c.http.Transport.(*http.Transport)
	if !ok {
		t.Fatalf("the client's transport is %T", c.http.Transport)
	}
	transport.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxy) }
}
