package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/driftsentry/driftsentry/internal/correlation"
)

// middleware is the one layer round the mux. There is only one because each
// copy of a request costs half a microsecond, and its route.
type middleware struct {
	t    *Telemetry
	next http.Handler
	o    HTTPOptions
}

const (
	correlationHeader  = "X-Correlation-Id" // correlation.Header as net/http keys its map
	serverTimingHeader = "Server-Timing"

	statusClientClosed = 499

	// What anybody can write into a log line is cut, in bytes: looking through
	// it for secrets costs time.
	maxPath      = 1000
	maxUserAgent = 300
)

func (m *middleware) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	st := &request{probe: isProbe(r.URL.Path), answer: recorder{ResponseWriter: w}}
	ctx := r.Context()
	span := trace.SpanFromContext(ctx) // otelhttp's; a probe has one that does nothing
	ids, timing := idsOf(r, span.SpanContext())
	h := w.Header()
	h[correlationHeader] = []string{ids.Correlation}
	if timing != "" {
		h[serverTimingHeader] = []string{timing}
	}
	st.http = r.WithContext(correlation.With(context.WithValue(ctx, requestKey{}, st), ids))
	m.started(st)
	aborted := m.serve(st)
	r.Pattern = st.http.Pattern // the mux saw a copy; otelhttp names the span by this one
	m.finished(st, span, time.Since(begun), aborted)
	if aborted {
		panic(http.ErrAbortHandler)
	}
}

// serve runs the handler. It reports whether the connection must be cut.
func (m *middleware) serve(st *request) (abort bool) {
	defer func() {
		if v := recover(); v != nil {
			abort = m.recovered(st, v, debug.Stack())
		}
	}()
	m.next.ServeHTTP(&st.answer, st.http)
	return false
}

func (m *middleware) started(st *request) {
	level := st.level(slog.LevelInfo)
	if level < m.t.level.Level() {
		return
	}
	r := st.http
	m.t.log.emit(r.Context(), level, "Request started",
		slog.String("method", r.Method), slog.String("path", clip(r.URL.Path, maxPath)),
		slog.String("userAgent", clip(r.UserAgent(), maxUserAgent)), slog.String("clientIp", m.clientIP(r)))
}

// level is l, or debug for probes: they come every second.
func (r *request) level(l slog.Level) slog.Level {
	if r.probe {
		return slog.LevelDebug
	}
	return l
}

// recovered answers a request whose handler panicked. It reports whether the
// connection must be cut, because half an answer is out.
func (m *middleware) recovered(st *request, v any, stack []byte) (abort bool) {
	if v == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so as well
		return true // the handler's way to cut the connection; no fault
	}
	err := panicError{v}
	status, code := http.StatusInternalServerError, codeInternal
	abort = st.answer.status != 0
	if !abort && m.o.WriteError != nil {
		status, code = m.o.WriteError(&st.answer, st.http, err)
	}
	m.t.reportRequest(st.http, Failure{Err: err, Status: status, Code: code, Stack: stack})
	return abort
}

func (m *middleware) finished(st *request, span trace.Span, took time.Duration, aborted bool) {
	t, r, ctx := m.t, st.http, st.http.Context()
	status, route := st.outcome(aborted), routeOf(st.http.Pattern)
	key := responseKey{methodLabel(r.Method), route, statusLabel(status)}
	l := t.labels.responses.of(key)
	t.in.requests.Add(ctx, 1, l.add...)
	t.in.requestDuration.Record(ctx, milliseconds(took), l.record...)
	t.in.serverDuration.Record(ctx, took.Seconds(), t.labels.server.of(key).record...)
	if status >= http.StatusBadRequest || st.code != "" {
		m.failed(st, route, status)
	}
	m.describe(st, span, correlation.From(ctx), route)

	level := st.level(levelOf(status))
	if level >= t.level.Level() {
		t.log.emit(ctx, level, "Request completed",
			slog.String("method", r.Method), slog.String("path", clip(r.URL.Path, maxPath)), slog.String("route", route),
			slog.Int("status", status), slog.Float64("duration", milliseconds(took)), slog.Int64("bytes", st.answer.bytes))
	}
	if took > m.o.SlowRequest {
		t.log.emit(ctx, slog.LevelWarn, "Slow request detected",
			slog.String("method", r.Method), slog.String("path", clip(r.URL.Path, maxPath)), slog.String("route", route),
			slog.Int("status", status), slog.Float64("duration", milliseconds(took)),
			slog.Float64("threshold", milliseconds(m.o.SlowRequest)))
	}
}

// outcome is the status of the answer, as far as there is one.
func (r *request) outcome(aborted bool) int {
	switch {
	case r.answer.status != 0:
		return r.answer.status
	case errors.Is(r.http.Context().Err(), context.Canceled):
		return statusClientClosed
	case aborted:
		return http.StatusInternalServerError
	default:
		return http.StatusOK // as net/http answers for a handler that wrote nothing
	}
}

// failed counts an error, and reports it when nobody has: the mux answered, or
// a handler that isn't ours. A probe that says "not ready" is an answer.
func (m *middleware) failed(st *request, route string, status int) {
	if st.code == "" && !st.probe {
		m.t.reportRequest(st.http, Failure{Err: errors.New(statusText(status)), Status: status, Code: codeOf(status)})
	}
	if st.code == "" {
		st.code = codeOf(status)
	}
	m.t.in.errors.Add(st.http.Context(), 1, m.t.labels.errors.of(pair{st.code, route}).add...)
}

// levelOf is the level of "Request completed": operators are to look at 5xx, clients at 4xx.
func levelOf(status int) slog.Level {
	switch {
	case status >= http.StatusInternalServerError:
		return slog.LevelError
	case status >= http.StatusBadRequest:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

func statusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return text
	}
	if status == statusClientClosed {
		return "Client Closed Request"
	}
	return "status outside the registry"
}
