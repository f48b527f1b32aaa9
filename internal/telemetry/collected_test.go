package telemetry

import (
	"context"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/driftsentry/driftsentry/internal/telemetry/otlptest"
)

// collected starts telemetry that exports to a receiver. stop shuts it down, so
// that everything has arrived.
func collected(t *testing.T, o Options) (tel *Telemetry, out *output, r *otlptest.Receiver, stop func()) {
	t.Helper()
	for _, name := range silence {
		t.Setenv(name, "")
	}
	r = otlptest.Start(t, nil)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", r.URL)
	tel, out = start(t, o)
	return tel, out, r, func() {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := tel.Shutdown(ctx); err != nil {
			t.Fatalf("Shutdown: %v", err)
		}
	}
}

// spanOf is the only one with this name.
func spanOf(t *testing.T, r *otlptest.Receiver, name string) *tracepb.Span {
	t.Helper()
	var found []*tracepb.Span
	var names []string
	for _, s := range r.Spans() {
		names = append(names, s.GetName())
		if s.GetName() == name {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d spans %q, want 1, among %q", len(found), name, names)
	}
	return found[0]
}
