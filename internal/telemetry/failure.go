package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/driftsentry/driftsentry/internal/correlation"
)

// Failure is one thing that went wrong, in a request or in background work.
type Failure struct {
	// Err is the whole cause; the client saw at most a part of it.
	Err error
	// Status is the HTTP status it was answered with; 0 for background work.
	Status int
	// Code is one of the API's; any other counts as INTERNAL_ERROR.
	Code string
	// Stack is where a panic came from, as debug.Stack prints it.
	Stack []byte
	// Body is the beginning of a request's body, if it may be looked at: never
	// a plan's, whose secrets have no shape.
	Body []byte
}

const (
	codeInternal   = "INTERNAL_ERROR"
	codeValidation = "VALIDATION_ERROR"
	codeClosed     = "CLIENT_CLOSED_REQUEST"
)

// statusOf are the API's codes, with their statuses.
var statusOf = map[string]int{
	codeValidation: 400, "AUTH_ERROR": 401, "FORBIDDEN": 403, "NOT_FOUND": 404, "METHOD_NOT_ALLOWED": 405,
	"CONFLICT": 409, "PRECONDITION_FAILED": 412, "PAYLOAD_TOO_LARGE": 413, "UNSUPPORTED_MEDIA_TYPE": 415, "RATE_LIMITED": 429,
	codeClosed: statusClientClosed, codeInternal: 500, "DATABASE_UNAVAILABLE": 503, "TIMEOUT": 504,
}

// codeOf is the code of a status that was answered without one.
func codeOf(status int) string {
	for code, s := range statusOf {
		if s == status {
			return code
		}
	}
	if status < http.StatusInternalServerError {
		return codeValidation
	}
	return codeInternal
}

// ReportRequest tells of a request that was answered with an error. r must be
// the one the handler got, or a copy made after routing.
func (t *Telemetry) ReportRequest(r *http.Request, err error, status int, code string) {
	t.reportRequest(r, Failure{Err: err, Status: status, Code: code})
}

// Report is ReportRequest for whoever knows more about the failure.
func (t *Telemetry) Report(r *http.Request, f Failure) { t.reportRequest(r, f) }

// reportRequest logs, traces and tracks. Counting is left to the middleware,
// which sees every response once.
func (t *Telemetry) reportRequest(r *http.Request, f Failure) {
	f = f.checked()
	if st := requestFrom(r.Context()); st != nil {
		if st.code != "" {
			return // one answer, one error; the first is the cause
		}
		st.code = f.Code
	}
	clean := t.clean.with(credentialsOf(r))
	route := routeOf(r.Pattern)
	facts := []slog.Attr{
		slog.String("method", r.Method), slog.String("path", clip(r.URL.Path, maxPath)), slog.String("route", route),
		slog.Int("status", f.Status),
	}
	if query := clean.query(r.URL.RawQuery); query != "" {
		facts = append(facts, slog.String("query", query))
	}
	if body := clean.body(f.Body); body != "" {
		facts = append(facts, slog.String("body", body))
	}
	t.report(r.Context(), "Request error", f, clean, methodLabel(r.Method)+" "+route, facts)
}

// checked fills what is missing and puts the code on its list.
func (f Failure) checked() Failure {
	if f.Err == nil {
		f.Err = errors.New(statusText(f.Status))
	}
	if _, ok := statusOf[f.Code]; !ok {
		f.Code = codeInternal
	}
	return f
}

// report writes the line, marks the span, tells the tracker and Sentry. where
// is the route or the name of the background work: never data.
func (t *Telemetry) report(ctx context.Context, msg string, f Failure, clean *redactor, where string, facts []slog.Attr) {
	unexpected := f.Status >= http.StatusInternalServerError || f.Status == 0
	text, kind := clean.text(sinkLog, describe(f.Err)), innermostType(f.Err)
	facts = append(facts, slog.String("code", f.Code), slog.String("error", text), slog.String("errorType", kind))
	level := slog.LevelWarn
	if unexpected {
		level = slog.LevelError
		if chain := causes(f.Err); len(chain) > 1 {
			for i := range chain {
				chain[i] = clean.text(sinkLog, chain[i])
			}
			facts = append(facts, slog.Any("causes", chain))
		}
		if f.Stack != nil {
			facts = append(facts, slog.String("stackTrace", clean.text(sinkLog, panicStack(f.Stack))))
		}
	}
	t.log.emit(ctx, level, msg, facts...)

	if span := trace.SpanFromContext(ctx); span.IsRecording() && unexpected {
		// Exceptions are logs with the span's ids by today's conventions.
		span.SetStatus(codes.Error, f.Code)
		span.SetAttributes(semconv.ErrorTypeKey.String(kind))
	}
	group, news := t.tracker.track(fingerprint{f.Code, where, kind}, clean.text(sinkErrors, text), correlation.From(ctx).Correlation)
	if news {
		t.log.emit(ctx, level, "Error tracked", slog.String("fingerprint", group.Fingerprint), slog.String("code", f.Code),
			slog.String("where", where), slog.String("errorType", kind), slog.Uint64("count", group.Count))
	}
	if unexpected {
		t.sentry.send(ctx, f, group, clean)
	}
}

// maxCredentials bounds the secrets of one request: each is looked for in every
// text about it, and a header has room for thousands.
const maxCredentials = 32

// credentialsOf are the secrets a request came with, so that an error which
// repeats one is found out whatever it looks like.
func credentialsOf(r *http.Request) []string {
	var secrets []string
	for _, name := range []string{"Authorization", "Proxy-Authorization", "X-Api-Key"} {
		for _, v := range r.Header[name] {
			secrets = append(secrets, v)
			if _, credential, ok := strings.Cut(v, " "); ok {
				secrets = append(secrets, credential)
			}
		}
	}
	for _, c := range r.Cookies() {
		secrets = append(secrets, c.Value)
	}
	if values, err := url.ParseQuery(r.URL.RawQuery); err == nil {
		for name, list := range values {
			if secretParameter(name) {
				secrets = append(secrets, list...)
			}
		}
	}
	return secrets[:min(len(secrets), maxCredentials)]
}

// secretParameter is secretName and the short names that are secrets in query
// strings.
func secretParameter(name string) bool {
	switch strings.ToLower(name) {
	case "key", "code", "sig", "signature", "state", "auth", "session", "sid", "pw":
		return true
	}
	return secretName(name)
}

// maxParameters bounds the query parameters shown.
const maxParameters = 50

// query is a query string fit to be logged, decoded for reading. One that
// doesn't parse is not shown: nobody can tell the names from the values in it.
func (r *redactor) query(raw string) string {
	if raw == "" {
		return ""
	}
	const tooLong = 4 << 10
	if len(raw) > tooLong {
		return fmt.Sprintf("(%d bytes)", len(raw))
	}
	if _, err := url.ParseQuery(raw); err != nil {
		return "(not a valid query string)"
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(raw, "&") {
		if n++; n > maxParameters {
			b.WriteString("&…")
			break
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		name, value := unescaped(part)
		b.WriteString(r.text(sinkLog, name))
		if value == "" {
			continue
		}
		if secretParameter(name) {
			r.count(sinkLog, ruleName)
			value = mask
		}
		b.WriteString("=" + r.text(sinkLog, value))
	}
	return b.String()
}

// unescaped splits one parameter that is known to parse.
func unescaped(part string) (name, value string) {
	name, value, _ = strings.Cut(part, "=")
	return unescape(name), unescape(value)
}

func unescape(s string) string {
	plain, err := url.QueryUnescape(s)
	if err != nil {
		return ""
	}
	return plain
}

// maxBody bounds the part of a request's body that is shown, in bytes.
const maxBody = 2 << 10

// body is a request's body fit to be logged: JSON with its secrets gone, by
// name and by shape. What is not JSON, or not whole, says only how long it is.
func (r *redactor) body(raw []byte) string {
	if len(raw) == 0 {
		return ""
	}
	var v any
	if len(raw) > maxBody || json.Unmarshal(raw, &v) != nil {
		return fmt.Sprintf("(%d bytes)", len(raw))
	}
	return string(appendPlain(nil, r.plain(sinkLog, "", v)))
}
