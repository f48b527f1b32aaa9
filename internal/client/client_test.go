package client

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/secret"
)

const receipt = `{"id":"0192","stack":"prod/edge","status":"complete","counts":{"detected":1},
	"open":{"outside":{"critical":1,"warning":0,"info":0},"pending":{}},"drifts":[{"id":"d1","address":"a.b","severity":"critical"}]}`

// server answers each request by the next of its answers, the last of them for
// all that follow, and remembers what it was sent.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
	header http.Header
	query  string
}

func newServer(t *testing.T, answers ...http.HandlerFunc) *server {
	t.Helper()
	s := new(server)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		n := len(s.bodies)
		s.bodies = append(s.bodies, "")
		s.header, s.query = r.Header.Clone(), r.URL.RawQuery
		s.mu.Unlock()
		// A copy: the server looks at its own request to see whether the body was
		// asked for.
		r = r.WithContext(r.Context())
		r.Body = &recorded{ReadCloser: r.Body, add: func(p []byte) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.bodies[n] += string(p)
		}}
		answers[min(n, len(answers)-1)](w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

type recorded struct {
	io.ReadCloser
	add func([]byte)
}

func (r *recorded) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.add(p[:n])
	return n, err
}

// requests is how many there were, and what the last one held once unpacked.
func (s *server) requests(t *testing.T) (n int, last string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.bodies) == 0 {
		return 0, ""
	}
	last = s.bodies[len(s.bodies)-1]
	if s.header.Get("Content-Encoding") == "gzip" && last != "" {
		z, err := gzip.NewReader(strings.NewReader(last))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if err != nil {
			t.Fatalf("what was sent is not whole: %v", err)
		}
		last = string(text)
	}
	return len(s.bodies), last
}

func answer(status int, contentType, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if status < 300 { // a refusal reads nothing
			_, _ = io.Copy(io.Discard, r.Body)
		}
		w.Header().Set("Content-Type", contentType)
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func taken(status int) http.HandlerFunc {
	return answer(status, "application/json", receipt, "Location", "/api/v1/scans/0192")
}

func problem(status int, code, detail string, header ...string) http.HandlerFunc {
	body, err := json.Marshal(map[string]any{"status": status, "code": code, "detail": detail, "correlationId": "c9"})
	if err != nil {
		panic(err) // strings and a number
	}
	return answer(status, "application/problem+json", string(body), header...)
}

// hangUp loses the connection when the plan has come.
func hangUp(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	panic(http.ErrAbortHandler)
}

func newClient(url string, retried *int) *Client {
	c := New(Options{URL: url, Key: secret.New("dsk_key"), UserAgent: "driftsentry/test", Retrying: func(error, time.Duration) { *retried++ }})
	c.firstWait = time.Microsecond
	return c
}

// text is a plan from memory that counts how often it was opened.
func text(plan string, opened *int) Source {
	return func(context.Context) (io.ReadCloser, error) {
		*opened++
		return io.NopCloser(strings.NewReader(plan)), nil
	}
}

func TestUpload(t *testing.T) {
	t.Parallel()
	const plan = `{"format_version":"1.2"}`
	tests := []struct {
		name    string
		answers []http.HandlerFunc
		tries   int
		want    string // in the error; empty for success
	}{
		{"taken", []http.HandlerFunc{taken(201)}, 1, ""},
		{"had before", []http.HandlerFunc{taken(200)}, 1, ""},
		{"busy, then taken", []http.HandlerFunc{problem(429, "RATE_LIMITED", "too many", "Retry-After", "0"), taken(201)}, 2, ""},
		{"gateway, database, time-out, then taken", []http.HandlerFunc{
			answer(502, "text/html", "<h1>bad gateway</h1>"), problem(503, "DATABASE_UNAVAILABLE", "wait"), problem(504, "TIMEOUT", "slow"), taken(201),
		}, 4, ""},
		{"connection lost, then taken", []http.HandlerFunc{hangUp, taken(201)}, 2, ""},
		{"never there", []http.HandlerFunc{hangUp}, 6, "tried 6 times"},
		{"always busy", []http.HandlerFunc{problem(503, "DATABASE_UNAVAILABLE", "the database is away")}, 6, "503 Service Unavailable: the database is away (tried 6 times)"},
		{"busy for longer than there is time", []http.HandlerFunc{problem(429, "RATE_LIMITED", "too many", "Retry-After", "7200")}, 1, "429 Too Many Requests: too many; it asks to wait for 2h0m0s, longer than --timeout allows"},
		{"wrong key", []http.HandlerFunc{problem(401, "AUTH_ERROR", "no such key")}, 1, "401 Unauthorized: no such key (check DRIFTSENTRY_API_KEY)"},
		{"not for this stack", []http.HandlerFunc{problem(403, "FORBIDDEN", "the key is for dev/** only")}, 1, "403 Forbidden: the key is for dev/** only"},
		{"bad plan", []http.HandlerFunc{problem(400, "VALIDATION_ERROR", "line 3: not a plan")}, 1, "400 Bad Request: line 3: not a plan"},
		{"fields", []http.HandlerFunc{answer(400, "application/problem+json",
			`{"detail":"stack is bad","errors":[{"field":"stack","message":"is bad"},{"field":"refreshed","message":"is odd"}]}`)}, 1, "stack is bad; refreshed is odd"},
		{"our fault", []http.HandlerFunc{problem(500, "INTERNAL_ERROR", "something went wrong")}, 1, "500 Internal Server Error: something went wrong"},
		{"another server", []http.HandlerFunc{answer(404, "text/html", "<html>")}, 1, "404 Not Found (there is no DriftSentry at DRIFTSENTRY_URL)"},
		{"a login page", []http.HandlerFunc{answer(200, "text/html", "<html>log in")}, 1, "something that is no receipt (text/html); is DRIFTSENTRY_URL right?"},
		{"half a receipt", []http.HandlerFunc{answer(201, "application/json", receipt[:40])}, 1, "no receipt"},
		{"an old server", []http.HandlerFunc{answer(201, "application/json", `{"id":"0192"}`)}, 1, "older than this driftsentry"},
		{"redirected", []http.HandlerFunc{answer(301, "text/html", "", "Location", "https://elsewhere.example/")}, 1, "redirects to https://elsewhere.example/"},
		{"a message that would paint the terminal", []http.HandlerFunc{problem(400, "VALIDATION_ERROR", "\x1b[2Jgone\nsecond")}, 1, `\u001b[2Jgone second`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, tt.answers...)
			var retried, opened int
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			got, err := newClient(s.URL, &retried).Upload(ctx, Scan{Stack: "prod/edge", Correlation: "run-1", Metadata: `{"a":"b"}`, Plan: text(plan, &opened)})
			n, last := s.requests(t)
			if n != tt.tries || retried != tt.tries-1 {
				t.Errorf("%d requests and %d retries told, want %d and %d", n, retried, tt.tries, tt.tries-1)
			}
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("Upload() = %v, want %q in it", err, tt.want)
				}
				return
			}
			if err != nil || got.ID != "0192" || got.Open["outside"]["critical"] != 1 || got.Repeated != (tt.name == "had before") || got.URL != s.URL+"/api/v1/scans/0192" {
				t.Fatalf("Upload() = %+v, %v", got, err)
			}
			if last != plan || s.query != "stack=prod%2Fedge" {
				t.Errorf("sent %q to ?%s, want the plan, for prod/edge", last, s.query)
			}
			for name, want := range map[string]string{
				"X-Api-Key": "dsk_key", "X-Correlation-Id": "run-1", "X-Ci-Metadata": `{"a":"b"}`, "Content-Type": "application/json", "User-Agent": "driftsentry/test",
			} {
				if got := s.header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

// TestARefusalComesBeforeThePlan: a wrong key must not cost an upload, nor a run
// of terraform show.
func TestARefusalComesBeforeThePlan(t *testing.T) {
	t.Parallel()
	s := newServer(t, problem(401, "AUTH_ERROR", "no such key"))
	var retried, opened int
	_, err := newClient(s.URL, &retried).Upload(t.Context(), Scan{Stack: "s", Plan: text(strings.Repeat("x", 10<<20), &opened)})
	if refused, ok := errors.AsType[*APIError](err); !ok || refused.Status != 401 || refused.CorrelationID != "c9" || opened != 0 {
		t.Errorf("Upload() = %v with the plan opened %d times, want a 401 before it is opened", err, opened)
	}
}

func TestWithoutAKeyTheHintNamesIt(t *testing.T) {
	t.Parallel()
	s := newServer(t, problem(401, "AUTH_ERROR", "a credential is needed"))
	_, err := New(Options{URL: s.URL}).Upload(t.Context(), Scan{Stack: "s", Plan: text("{}", new(int))})
	if err == nil || !strings.Contains(err.Error(), "set DRIFTSENTRY_API_KEY") || s.header.Get("X-Api-Key") != "" {
		t.Errorf("Upload() without a key = %v, sent %q", err, s.header.Get("X-Api-Key"))
	}
}

// failing is a plan that breaks off, as when Terraform is killed while it shows it.
type failing struct {
	io.Reader
	atClose error
}

func (f failing) Close() error { return f.atClose }

// TestAPlanThatBreaksOffIsNoPlan: whatever the server makes of the half it got,
// it must not count as an upload, nor be tried again.
func TestAPlanThatBreaksOffIsNoPlan(t *testing.T) {
	t.Parallel()
	broken := errors.New("terraform show: signal: killed")
	half := strings.Repeat("half of a plan ", 1<<16)
	tests := []struct {
		name string
		plan Source
	}{
		{"cannot be opened", func(context.Context) (io.ReadCloser, error) { return nil, broken }},
		{"breaks in the middle", func(context.Context) (io.ReadCloser, error) {
			return failing{io.MultiReader(strings.NewReader(half), breaking{broken}), nil}, nil
		}},
		{"ends early and says so at the end", func(context.Context) (io.ReadCloser, error) {
			return failing{strings.NewReader(half), broken}, nil
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			whole := make(chan bool, 1)
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				_, err := io.Copy(io.Discard, r.Body)
				whole <- err == nil
				taken(201)(w, r)
			})
			var retried int
			_, err := newClient(s.URL, &retried).Upload(t.Context(), Scan{Stack: "s", Plan: tt.plan})
			if _, ok := errors.AsType[*SourceError](err); !ok || !errors.Is(err, broken) || retried != 0 {
				t.Errorf("Upload() = %v after %d retries, want the plan's own error at once", err, retried)
			}
			if <-whole {
				t.Error("the server saw a body that ended well")
			}
		})
	}
}

type breaking struct{ error }

func (e breaking) Read([]byte) (int, error) { return 0, e.error }

func TestUploadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	s := newServer(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does a server notice that its client is gone
		close(entered)
		<-r.Context().Done()
	})
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-entered
		cancel(stopped)
	}()
	var retried int
	if _, err := newClient(s.URL, &retried).Upload(ctx, Scan{Stack: "s", Plan: text("{}", new(int))}); !errors.Is(err, stopped) || retried != 0 {
		t.Errorf("Upload() = %v after %d retries, want %v at once", err, retried, stopped)
	}
}

func TestATimeOutNamesTheLastAttempt(t *testing.T) {
	t.Parallel()
	s := newServer(t, problem(503, "DATABASE_UNAVAILABLE", "the database is away"))
	slow := errors.New("the upload took longer than 1s")
	ctx, cancel := context.WithCancelCause(t.Context())
	c := New(Options{URL: s.URL, Retrying: func(error, time.Duration) { cancel(slow) }})
	_, err := c.Upload(ctx, Scan{Stack: "s", Plan: text("{}", new(int))})
	if !errors.Is(err, slow) || !strings.Contains(err.Error(), "the database is away") {
		t.Errorf("Upload() = %v, want the time-out and what the server last said", err)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := "http://" + l.Addr().String()
	l.Close()
	unknown := httptest.NewTLSServer(taken(201))
	t.Cleanup(unknown.Close)
	plainServer := newServer(t, taken(201))
	tests := []struct {
		url     string
		retries int
		want    string
	}{
		{refusing, tries - 1, "connection refused"},
		{unknown.URL, 0, "SSL_CERT_FILE"},
		{"https" + strings.TrimPrefix(plainServer.URL, "http"), 0, "does it speak http://"},
	}
	for _, tt := range tests {
		var retried int
		_, err := newClient(tt.url, &retried).Upload(t.Context(), Scan{Stack: "secret-stack", Plan: text("{}", new(int))})
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "reach "+tt.url) || retried != tt.retries {
			t.Errorf("Upload() to %s = %v after %d retries, want %q in it after %d", tt.url, err, retried, tt.want, tt.retries)
		}
	}
}

// TestAMisspelledHostIsNotTriedAgain asks no resolver: some take half a minute
// to say no.
func TestAMisspelledHostIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err   error
		again bool
	}{
		{&net.DNSError{Err: "no such host", Name: "drft", IsNotFound: true}, false},
		{&net.DNSError{Err: "server misbehaving", Name: "drift", IsTemporary: true}, true},
		{io.ErrUnexpectedEOF, true},
	} {
		if _, again := errors.AsType[*laterError](unreachable("http://drift", tt.err)); again != tt.again {
			t.Errorf("unreachable(%v) is tried again: %v, want %v", tt.err, again, tt.again)
		}
	}
}

func TestReportError(t *testing.T) {
	t.Parallel()
	s := newServer(t, hangUp, taken(201))
	var retried int
	long := strings.Repeat("x", 2*maxMessage) + "ü\x00Error: no credentials"
	if _, err := newClient(s.URL, &retried).ReportError(t.Context(), Scan{Stack: "prod/edge", Correlation: "run-1"}, long); err != nil {
		t.Fatalf("ReportError() = %v", err)
	}
	n, last := s.requests(t)
	if n != 2 || s.query != "stack=prod%2Fedge&status=errored" || !strings.HasPrefix(last, `{"message":"…xxx`) ||
		!strings.HasSuffix(last, `xüError: no credentials"}`) || len(last) > maxMessage+len(`{"message":""}`) || strings.Contains(last, `\u0000`) || s.header.Get("Content-Encoding") != "" {
		t.Errorf("%d requests, the last ?%s %.60q (%d bytes)", n, s.query, last, len(last))
	}
}
