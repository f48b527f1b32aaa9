package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/accounts"
	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/httpapi"
	"github.com/driftsentry/driftsentry/internal/ingest"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
	"github.com/driftsentry/driftsentry/internal/review"
	"github.com/driftsentry/driftsentry/internal/secret"
)

var (
	serverKey = []byte("0123456789abcdef0123456789abcdef")
	signer    = auth.NewSigner(serverKey, nil, 15*time.Minute)
)

// newServer is the API on the database at url, with every route there is.
func newServer(t *testing.T, url string, change ...func(*httpapi.Options)) *httpapi.Server {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Options{URL: url, MaxConns: 4, SealKey: serverKey})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	who, err := accounts.New(accounts.Options{DB: db, Passwords: auth.NewPasswords(2), Signer: signer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(who.Close)
	level := "info"
	o := httpapi.Options{
		DB: db, Accounts: who, Review: &review.Service{DB: db}, SealKey: serverKey,
		Ingest: &ingest.Service{DB: db, Key: serverKey, MaxBytes: 1 << 20}, CursorKey: serverKey,
		MaxUploadBytes: 1 << 20, RequestTimeout: 10 * time.Second, UploadTimeout: time.Minute, Version: "1.2.3",
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		}),
		Errors: func() any {
			return map[string]any{"total": 0, "forgotten": 0, "since": time.Now().UTC(), "groups": []httpapi.TrackedError{}}
		},
		LogLevel: httpapi.LogLevel{
			Names: []string{"trace", "debug", "info", "warn", "error", "fatal"},
			Get:   func() string { return level },
			Set:   func(_ context.Context, to string) { level = to },
		},
	}
	for _, c := range change {
		c(&o)
	}
	return httpapi.New(o)
}

// house is a whole API with a database of its own, and a credential to ask with.
type house struct {
	*httpapi.Server
	t          testing.TB
	credential string // an access token or an API key
}

func newHouse(t *testing.T, change ...func(*httpapi.Options)) *house {
	t.Helper()
	h := &house{Server: newServer(t, pgtest.URL(t), change...), t: t}
	return h.as(h.key(auth.Admin, ""))
}

// as is the same API, asked with another credential; "" is none.
func (h *house) as(credential string) *house {
	return &house{Server: h.Server, t: h.t, credential: credential}
}

// key makes an API key, for all stacks if none are named.
func (h *house) key(role auth.Role, stacks string) string {
	h.t.Helper()
	n := accounts.NewKey{Name: string(role) + " " + uuid.NewString(), Role: role}
	if stacks != "" {
		n.Stacks = &stacks
	}
	_, key, err := h.Accounts.CreateKey(h.t.Context(), n, audit.Operator())
	if err != nil {
		h.t.Fatal(err)
	}
	return key.Reveal()
}

const password = "correct horse battery"

// user makes a user whose password is password.
func (h *house) user(role auth.Role) *postgres.User {
	h.t.Helper()
	u, _, err := h.Accounts.CreateUser(h.t.Context(), accounts.NewUser{
		Email: string(role) + "@example.com", Role: role, Password: secret.New(password),
	}, audit.Operator())
	if err != nil {
		h.t.Fatal(err)
	}
	return u
}

// token logs a user in.
func (h *house) token(u *postgres.User) string {
	h.t.Helper()
	tokens, err := h.Accounts.Login(h.t.Context(), u.Email, secret.New(password), audit.Actor{})
	if err != nil {
		h.t.Fatal(err)
	}
	return tokens.Access.Reveal()
}

// answer is what came back.
type answer struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	body   []byte
}

// do asks, as the contract has it or not, and checks that the answer is as the
// contract has it. header are names and values in turn.
func (h *house) do(method, target, body string, header ...string) answer {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), method, target, strings.NewReader(body))
	if body == "" {
		r = httptest.NewRequestWithContext(h.t.Context(), method, target, http.NoBody)
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	switch {
	case strings.HasPrefix(h.credential, "dsk_"):
		r.Header.Set("X-API-Key", h.credential)
	case h.credential != "":
		r.Header.Set("Authorization", "Bearer "+h.credential)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := exchange(h.t, h, r)
	return answer{t: h.t, what: method + " " + target, status: w.Code, header: w.Header(), body: w.Body.Bytes()}
}

// get asks for something that must be there.
func get[T any](h *house, target string, header ...string) T {
	h.t.Helper()
	return into[T](h.do(http.MethodGet, target, "", header...).is(http.StatusOK))
}

// is fails unless the answer has this status.
func (a answer) is(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s = %d %s, want %d", a.what, a.status, a.body, status)
	}
	return a
}

// problem is the answer as an error must be.
type problem struct {
	Status       int
	Code, Detail string
	Errors       []struct{ Field, Message string }
}

// refused fails unless the answer is this error with a detail that says so much.
func (a answer) refused(status int, code, says string) {
	a.t.Helper()
	var p problem
	if err := json.Unmarshal(a.body, &p); err != nil {
		a.t.Errorf("%s = %d %s: %v", a.what, a.status, a.body, err)
		return
	}
	if a.status != status || p.Status != status || p.Code != code || !strings.Contains(p.Detail, says) {
		a.t.Errorf("%s = %d %s %q, want %d %s and a detail with %q", a.what, a.status, p.Code, p.Detail, status, code, says)
	}
}

func into[T any](a answer) T {
	a.t.Helper()
	var v T
	if err := json.Unmarshal(a.body, &v); err != nil {
		a.t.Fatalf("%s = %s: %v", a.what, a.body, err)
	}
	return v
}

// exchange sends a request through the API, with ids as telemetry would give it,
// and holds the answer, and a request that was taken, against the document.
func exchange(t testing.TB, h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	var sent []byte
	if r.Body != nil && r.Body != http.NoBody {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	if correlation.From(r.Context()).Correlation == "" {
		r = r.WithContext(correlation.With(r.Context(), correlation.IDs{Correlation: correlation.New()}))
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	checkContract(t, r, sent, w)
	return w
}

type page[T any] struct {
	Items      []T
	NextCursor *string
}
