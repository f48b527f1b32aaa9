package telemetry

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/correlation"
)

const (
	pipelineTrace  = "0af7651916cd43dd8448eb211c80319c"
	pipelineParent = "00-" + pipelineTrace + "-b7ad6b7169203331-01"
)

// TestCommandJoinsItsCaller, by what the environment says, and hands the trace on
// to programs and servers alike.
func TestCommandJoinsItsCaller(t *testing.T) {
	tests := []struct {
		name, disabled string
		environ        []string
		trace          string // empty: one of its own
		correlation    string // empty: a new one
	}{
		{"nobody", "", nil, "", ""},
		{"a pipeline", "", []string{"TRACEPARENT=" + pipelineParent, "BAGGAGE=team=edge,correlation_id=run-7"}, pipelineTrace, "run-7"},
		{"nonsense", "", []string{"TRACEPARENT=00-zz", "BAGGAGE=correlation_id=a%20b"}, "", ""},
		{"an id that is too long", "", []string{"BAGGAGE=correlation_id=" + strings.Repeat("a", 129)}, "", ""},
		{"a pipeline, with tracing off", "true", []string{"TRACEPARENT=" + pipelineParent}, pipelineTrace, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("OTEL_SDK_DISABLED", tt.disabled)
			ctx, command, err := StartCommand(t.Context(), CommandOptions{Service: "test", Name: "test", Environ: tt.environ})
			if err != nil {
				t.Fatalf("StartCommand() = %v", err)
			}
			ids := correlation.From(ctx)
			if tt.correlation == "" && (!correlation.Valid(ids.Correlation) || len(ids.Correlation) != 36) || tt.correlation != "" && ids.Correlation != tt.correlation {
				t.Errorf("correlation id %q, want %q, or a new one for none", ids.Correlation, tt.correlation)
			}
			phase, end := command.Phase(ctx, "part")
			env := command.Environment(phase, append(tt.environ, "HOME=/x", "TRACESTATE=stale"))
			var received http.Header
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { received = r.Header }))
			t.Cleanup(server.Close)
			req, err := http.NewRequestWithContext(phase, http.MethodGet, server.URL, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := command.Transport(new(http.Transport)).RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			end(errors.New("it went wrong"))
			if err := command.End(ctx, 1, nil); err != nil {
				t.Errorf("End() = %v", err)
			}

			parent := ""
			for _, entry := range env {
				if value, ok := strings.CutPrefix(entry, "TRACEPARENT="); ok {
					parent = value
				}
			}
			if tt.trace != "" && !strings.HasPrefix(parent, "00-"+tt.trace) || len(parent) != len(pipelineParent) || !strings.HasSuffix(parent, "-01") {
				t.Errorf("a program gets TRACEPARENT %q, want a sampled one of trace %q", parent, tt.trace)
			}
			if slices.Contains(env, "TRACESTATE=stale") || !slices.Contains(env, "HOME=/x") {
				t.Errorf("a program gets %q", env)
			}
			if got := received.Get("Traceparent"); got[:35] != parent[:35] || tt.disabled == "" && got == parent {
				t.Errorf("the server gets %q, want another span of the trace in %q", got, parent)
			}
			if bag := received.Get("Baggage"); !strings.Contains(bag, "correlation_id="+ids.Correlation) || tt.name == "a pipeline" && !strings.Contains(bag, "team=edge") {
				t.Errorf("the server gets baggage %q", bag)
			}
		})
	}
}
