package telemetry

import (
	"context"
	"net/http"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/driftsentry/driftsentry/internal/correlation"
)

// request is what is known of one HTTP request while it is answered. It
// travels in the context so that what the handler learns, such as who is
// calling, reaches the lines written after it.
type request struct {
	http  *http.Request // as the mux saw it: it has the route
	probe bool          // a probe or scrape: logged at debug, not traced
	user  atomic.Pointer[string]

	// answer belongs to the goroutine that serves the request.
	answer recorder
	// code is the error's, once it is known. It says that the error was reported.
	code string
}

type requestKey struct{}

func requestFrom(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

func (r *request) userID() string {
	if id := r.user.Load(); id != nil {
		return *id
	}
	return ""
}

// Identify tells who is calling, once that is known: the id, never a name or
// an address. It goes on the request's log lines from then on and on its span.
func (t *Telemetry) Identify(ctx context.Context, userID string) {
	if r := requestFrom(ctx); r != nil {
		r.user.Store(&userID)
	}
	trace.SpanFromContext(ctx).SetAttributes(attribute.String("user.id", userID))
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int // 0 until something was written
	bytes  int64
}

func (w *recorder) WriteHeader(status int) {
	// 1xx but 101 are announcements; the answer is still to come.
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Flush implements http.Flusher, for handlers that ask for it by type.
func (w *recorder) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		if w.status == 0 {
			w.status = http.StatusOK
		}
		f.Flush()
	}
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// idsOf is the correlation id the caller sent if it is a good one, else a new
// one, with the ids of the span at hand.
func idsOf(r *http.Request, sc trace.SpanContext) (ids correlation.IDs, serverTiming string) {
	if id := r.Header.Get(correlation.Header); correlation.Valid(id) {
		ids.Correlation = id
	} else {
		ids.Correlation = correlation.New()
	}
	if !sc.IsValid() {
		return ids, ""
	}
	// One string holds them all: trace;desc="00-<32>-<16>-01".
	const traceAt, spanAt, flagsAt = len(`trace;desc="00-`), len(`trace;desc="00-`) + 33, len(`trace;desc="00-`) + 50
	var b [flagsAt + 3]byte
	copy(b[:], `trace;desc="00-`)
	traceID, spanID := sc.TraceID(), sc.SpanID()
	appendHex(b[:traceAt], traceID[:])
	b[spanAt-1] = '-'
	appendHex(b[:spanAt], spanID[:])
	copy(b[flagsAt-1:], `-00"`)
	if sc.IsSampled() {
		b[flagsAt+1] = '1'
	}
	serverTiming = string(b[:])
	ids.Trace, ids.Span = serverTiming[traceAt:traceAt+32], serverTiming[spanAt:spanAt+16]
	return ids, serverTiming
}

func appendHex(b, id []byte) {
	const digits = "0123456789abcdef"
	for _, c := range id {
		b = append(b, digits[c>>4], digits[c&0xf])
	}
}
