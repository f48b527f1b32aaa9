package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/fault"
)

func TestEveryKindOfFailureHasAnAnswer(t *testing.T) {
	t.Parallel()
	codes := map[string]fault.Kind{}
	for _, kind := range fault.Kinds() {
		if int(kind) >= len(answers) || answers[kind].status == 0 {
			t.Errorf("kind %d has no row in answers", kind)
			continue
		}
		a := answers[kind]
		if a.status < 400 || a.title == "" || a.code == "" || strings.ToUpper(a.code) != a.code {
			t.Errorf("kind %d answers %+v, want an error status, a title and an upper-case code", kind, a)
		}
		if other, taken := codes[a.code]; taken {
			t.Errorf("kinds %d and %d share the code %s", kind, other, a.code)
		}
		codes[a.code] = kind
	}
	if len(answers) != len(fault.Kinds()) {
		t.Errorf("answers has %d rows for %d kinds", len(answers), len(fault.Kinds()))
	}
}

func TestWriteErrorAnswersAProblem(t *testing.T) {
	t.Parallel()
	const hidden = "pq: password authentication failed for user root"
	cause := errors.New(hidden)
	tests := []struct {
		name    string
		err     error
		status  int
		code    string
		detail  string
		headers map[string]string
	}{
		{"unclassified", cause, 500, "INTERNAL_ERROR", "something went wrong", nil},
		{
			"classified inside a chain", fmt.Errorf("read the plan: %w", fault.BadField("limit", "must be between 1 and 100")),
			400, "VALIDATION_ERROR", "limit must be between 1 and 100", nil,
		},
		{
			"database gone", fault.Wrap(fault.Unavailable, "the database cannot be reached", cause),
			503, "DATABASE_UNAVAILABLE", "the database cannot be reached",
			map[string]string{"Retry-After": "5"},
		},
		{"deadline", context.DeadlineExceeded, 504, "TIMEOUT", "took longer", nil},
		{
			"no credential", fault.New(fault.Unauthenticated, "no credential"), 401, "AUTH_ERROR", "no credential",
			map[string]string{"WWW-Authenticate": `Bearer realm="driftsentry"`},
		},
		{
			"says when", &fault.Error{Kind: fault.RateLimited, Message: "slow down", RetryAfter: 1500 * time.Millisecond},
			429, "RATE_LIMITED", "slow down",
			map[string]string{"Retry-After": "2"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ids := correlation.IDs{Correlation: "abc123", Trace: "4bf92f3577b34da6a3ce929d0e0e4736"}
			r := httptest.NewRequestWithContext(correlation.With(t.Context(), ids), http.MethodGet, "/", http.NoBody)
			w := httptest.NewRecorder()
			w.Header().Set("ETag", `"of a body that never came"`)
			failure := WriteError(w, r, tt.err)

			var body problem
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
				t.Fatalf("body %s: %v", w.Body, err)
			}
			if w.Code != tt.status || body.Status != tt.status || failure.Status != tt.status {
				t.Errorf("status = %d, body %d, failure %d, want %d", w.Code, body.Status, failure.Status, tt.status)
			}
			if body.Code != tt.code || failure.Code != tt.code || !strings.Contains(body.Detail, tt.detail) {
				t.Errorf("code %s detail %q, want %s and %q", body.Code, body.Detail, tt.code, tt.detail)
			}
			if body.Type != "about:blank" || body.CorrelationID != ids.Correlation || body.TraceID != ids.Trace {
				t.Errorf("body = %+v, want type about:blank and the request's ids", body)
			}
			if _, err := time.Parse("2006-01-02T15:04:05.000Z", body.Timestamp); err != nil {
				t.Errorf("timestamp %q: %v", body.Timestamp, err)
			}
			if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("Content-Type = %q", got)
			}
			for name, want := range tt.headers {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s = %q, want %q", name, got, want)
				}
			}
			if w.Header().Get("ETag") != "" {
				t.Error("the answer kept the ETag of a body it doesn't have")
			}
			if strings.Contains(w.Body.String(), hidden) {
				t.Errorf("the body gives the cause away: %s", w.Body)
			}
			if !errors.Is(failure.Err, tt.err) {
				t.Errorf("failure.Err = %v, want the whole of %v", failure.Err, tt.err)
			}
		})
	}
}

func TestAContextExplainsTheErrorItCaused(t *testing.T) {
	t.Parallel()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if got := classify(gone, fmt.Errorf("read: %w", context.Canceled)).Kind; got != fault.ClientClosed {
		t.Errorf("a canceled request is kind %d, want ClientClosed", got)
	}
	slow, cancel := context.WithTimeoutCause(t.Context(), 0, errTooSlow)
	defer cancel()
	if got := classify(slow, errors.New("conn closed")).Kind; got != fault.Timeout {
		t.Errorf("a request past its time is kind %d, want Timeout", got)
	}
	if got := classify(t.Context(), context.Canceled).Kind; got != fault.Internal {
		t.Errorf("a cancellation of our own is kind %d, want Internal", got)
	}
}
