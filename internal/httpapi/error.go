package httpapi

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/fault"
)

// answer is how one kind of failure looks over HTTP.
type answer struct {
	status int
	title  string
	code   string
}

// answers is the only place that knows status codes. It is indexed by kind;
// a test ranges over all kinds.
var answers = [...]answer{
	fault.Internal:         {http.StatusInternalServerError, "Internal Server Error", "INTERNAL_ERROR"},
	fault.Invalid:          {http.StatusBadRequest, "Bad Request", "VALIDATION_ERROR"},
	fault.Unauthenticated:  {http.StatusUnauthorized, "Unauthorized", "AUTH_ERROR"},
	fault.Forbidden:        {http.StatusForbidden, "Forbidden", "FORBIDDEN"},
	fault.NotFound:         {http.StatusNotFound, "Not Found", "NOT_FOUND"},
	fault.MethodNotAllowed: {http.StatusMethodNotAllowed, "Method Not Allowed", "METHOD_NOT_ALLOWED"},
	fault.Conflict:         {http.StatusConflict, "Conflict", "CONFLICT"},
	fault.Stale:            {http.StatusPreconditionFailed, "Precondition Failed", "PRECONDITION_FAILED"},
	fault.TooLarge:         {http.StatusRequestEntityTooLarge, "Content Too Large", "PAYLOAD_TOO_LARGE"},
	fault.UnsupportedMedia: {http.StatusUnsupportedMediaType, "Unsupported Media Type", "UNSUPPORTED_MEDIA_TYPE"},
	fault.RateLimited:      {http.StatusTooManyRequests, "Too Many Requests", "RATE_LIMITED"},
	fault.ClientClosed:     {statusClientClosedRequest, "Client Closed Request", "CLIENT_CLOSED_REQUEST"},
	fault.Unavailable:      {http.StatusServiceUnavailable, "Service Unavailable", "DATABASE_UNAVAILABLE"},
	fault.Timeout:          {http.StatusGatewayTimeout, "Gateway Timeout", "TIMEOUT"},
}

// statusClientClosedRequest is nginx's status for a caller that went away. No
// RFC has one; nobody reads the answer, but logs and metrics do.
const statusClientClosedRequest = 499

// defaultRetryAfter is what 429 and 503 say when the cause does not know better.
const defaultRetryAfter = 5 * time.Second

// challenge is what a 401 asks for (RFC 6750).
const challenge = `Bearer realm="driftsentry"`

// problem is the body of every answer with a status of 400 or more: RFC 9457
// with extensions of ours.
type problem struct {
	Type          string        `json:"type"`
	Title         string        `json:"title"`
	Status        int           `json:"status"`
	Detail        string        `json:"detail,omitempty"`
	Code          string        `json:"code"`
	Errors        []fault.Field `json:"errors,omitempty"`
	CorrelationID string        `json:"correlationId"`
	TraceID       string        `json:"traceId"`
	Timestamp     string        `json:"timestamp"`
}

// Failure is one request that ended in an error, for whoever logs, counts and
// tracks it. Err holds the whole cause; the client saw only its public part.
type Failure struct {
	Err    error
	Status int
	Code   string
}

// classify turns any error into a classified one, at the last possible moment.
// A context that ended explains whatever error it surfaced as.
func classify(ctx context.Context, err error) *fault.Error {
	if e, ok := fault.As(err); ok && e.Kind != fault.Internal {
		return e
	}
	switch {
	case errors.Is(context.Cause(ctx), errTooSlow), errors.Is(err, context.DeadlineExceeded):
		return &fault.Error{Kind: fault.Timeout, Message: "the request took longer than the server allows"}
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return &fault.Error{Kind: fault.ClientClosed, Message: "the client closed the request"}
	}
	return &fault.Error{Kind: fault.Internal, Message: "something went wrong on our side; the correlation id leads to what"}
}

// WriteError answers a request that failed and returns what it said. It is
// exported for the middleware that recovers panics around the handlers.
func WriteError(w http.ResponseWriter, r *http.Request, err error) Failure {
	e := classify(r.Context(), err)
	a := answers[e.Kind]
	ids := correlation.From(r.Context())
	body := problem{
		Type: "about:blank", Title: a.title, Status: a.status, Detail: e.Message, Code: a.code, Errors: e.Fields,
		CorrelationID: ids.Correlation, TraceID: ids.Trace, Timestamp: timestamp(time.Now()),
	}
	h := w.Header()
	// Whatever the handler meant to say about a body it never wrote is wrong now.
	for _, name := range []string{"Content-Encoding", "Content-Length", "ETag", "Last-Modified"} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	if retry := retryAfter(e); retry > 0 && h.Get("Retry-After") == "" {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(retry.Seconds()))))
	}
	if e.Kind == fault.Unauthenticated && h.Get("WWW-Authenticate") == "" {
		h.Set("WWW-Authenticate", challenge)
	}
	failure := Failure{Err: err, Status: a.status, Code: a.code}
	if werr := writeJSON(w, a.status, "application/problem+json", body); werr != nil {
		failure.Err = errors.Join(err, werr)
	}
	return failure
}

// retryAfter is how long the client should wait; zero says nothing about it.
func retryAfter(e *fault.Error) time.Duration {
	if e.RetryAfter > 0 {
		return e.RetryAfter
	}
	if e.Kind == fault.RateLimited || e.Kind == fault.Unavailable {
		return defaultRetryAfter
	}
	return 0
}
