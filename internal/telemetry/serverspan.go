package telemetry

import (
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/driftsentry/driftsentry/internal/correlation"
)

// spanName is "METHOD /route", and "METHOD" alone before there is a route or
// for what is no route of ours: paths are data, and each would make a name.
func spanName(r *http.Request) string {
	method := methodLabel(r.Method)
	if method == otherMethod {
		method = "HTTP" // as the semantic conventions say
	}
	if route := routeOf(r.Pattern); route != unmatchedRoute {
		return method + " " + route
	}
	return method
}

// describe adds to the span of otelhttp what otelhttp can't know: the route,
// which it reads before there is one, the correlation id, the error's code, and
// the client's address, for which it believes any X-Forwarded-For.
func (m *middleware) describe(st *request, span trace.Span, ids correlation.IDs, route string) {
	if !span.IsRecording() {
		return
	}
	kvs := make([]attribute.KeyValue, 0, 4)
	kvs = append(kvs, correlationKey.String(ids.Correlation))
	if route != unmatchedRoute {
		kvs = append(kvs, semconv.HTTPRoute(route))
	}
	if st.code != "" {
		kvs = append(kvs, attribute.String("driftsentry.error.code", st.code))
	}
	if client := m.clientIP(st.http); client != "" {
		kvs = append(kvs, semconv.ClientAddress(client))
	}
	span.SetAttributes(kvs...)
}
