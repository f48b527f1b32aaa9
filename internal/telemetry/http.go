package telemetry

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"

	"github.com/driftsentry/driftsentry/internal/clientip"
)

// HTTPOptions are what the HTTP seam needs from whoever wires it. All but
// WriteError have a zero value that works.
type HTTPOptions struct {
	// WriteError answers a request whose handler panicked, with the status and
	// code it returns. It must not report the error: the middleware does.
	WriteError func(w http.ResponseWriter, r *http.Request, err error) (status int, code string)
	// Trusted reports whether the caller may join its trace to ours and choose
	// our sampling: a trusted proxy, a holder of an API key. Nil trusts nobody.
	Trusted func(*http.Request) bool
	// ClientIP is the address the request really came from; nil takes the peer's.
	ClientIP func(*http.Request) netip.Addr
	// SlowRequest is from when a request is worth a line of its own; 1 s if zero.
	SlowRequest time.Duration
}

// Handler wraps the API: every request gets ids, a span named after its route,
// metrics, and its log lines; a panic becomes an answer. next must be the mux
// or hand requests on to it unchanged, or their routes are lost.
//
// otelhttp makes the span and stands outside, one middleware does the rest
// inside. Probes and scrapes go round otelhttp: they get metrics and debug
// lines, and no span.
func (t *Telemetry) Handler(next http.Handler, o HTTPOptions) http.Handler {
	if o.SlowRequest == 0 {
		o.SlowRequest = time.Second
	}
	if o.ClientIP == nil {
		o.ClientIP = clientip.Peer
	}
	inner := &middleware{t: t, next: next, o: o}
	options := []otelhttp.Option{
		otelhttp.WithTracerProvider(t.providers.traces),
		// The middleware records both families of metrics, by labels nobody
		// outside can choose; otelhttp's would hold the Host header.
		otelhttp.WithMeterProvider(noop.NewMeterProvider()),
		// Trace context only: baggage from strangers is not ours to carry.
		otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return spanName(r) }),
	}
	joining := otelhttp.NewHandler(inner, "", options...)
	// A stranger's trace becomes a link, so that nobody outside chooses what we
	// record. Asking otelhttp to decide for each request costs a copy of it.
	linking := otelhttp.NewHandler(inner, "", append(options,
		otelhttp.WithPublicEndpointFn(func(*http.Request) bool { return true }))...)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case isProbe(r.URL.Path):
			inner.ServeHTTP(w, r)
		case r.Header["Traceparent"] != nil && (o.Trusted == nil || !o.Trusted(r)):
			linking.ServeHTTP(w, r)
		default:
			joining.ServeHTTP(w, r)
		}
	})
}

// isProbe tells by the path because nothing is routed yet. A path below
// /health/ that does not exist is a probe gone wrong and as uninteresting.
func isProbe(path string) bool {
	return path == "/metrics" || strings.HasPrefix(path, "/health/")
}

// routeOf is the path part of a mux pattern: "/api/v1/drifts/{id}" of
// "GET /api/v1/drifts/{id}". A catch-all is no route.
func routeOf(pattern string) string {
	if _, path, ok := strings.Cut(pattern, " "); ok {
		pattern = path
	}
	if pattern == "" || pattern == "/" {
		return unmatchedRoute
	}
	return pattern
}

// clientIP is empty for a caller without an address, as on a unix socket.
func (m *middleware) clientIP(r *http.Request) string {
	addr := m.o.ClientIP(r)
	if !addr.IsValid() {
		return ""
	}
	return addr.String()
}
