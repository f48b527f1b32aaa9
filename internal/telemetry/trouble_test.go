package telemetry

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"testing"
	"time"
)

// TestCollectorTrouble: whatever the collector does, requests are answered,
// memory stays bounded, what is lost is counted, one line a minute says so,
// and the shutdown keeps to its deadline.
func TestCollectorTrouble(t *testing.T) {
	const requests = 20_000
	for _, trouble := range []string{"none", "refused", "hanging", "503", "slow"} {
		t.Run(trouble, func(t *testing.T) {
			for _, name := range silence {
				t.Setenv(name, "")
			}
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", troubled(t, trouble))
			deadline := 20 * time.Second // a healthy collector on a busy machine
			if trouble != "none" {
				deadline = time.Second
				t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "300")
				t.Setenv("OTEL_BSP_EXPORT_TIMEOUT", "400")
				t.Setenv("OTEL_BLRP_EXPORT_TIMEOUT", "400")
			}
			t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
			t.Setenv("OTEL_BLRP_SCHEDULE_DELAY", "20")
			out := &output{}
			tel, err := Start(context.Background(), Options{Output: out, Level: 4}) // warn: 20,000 lines are not the point
			if err != nil {
				t.Fatal(err)
			}
			h := api(tel)
			before := heap()
			var took []time.Duration
			for range requests {
				begun := time.Now()
				if w := serve(h, "GET", "/api/v1/drifts/x"); w.Code != http.StatusOK {
					t.Fatalf("status %d", w.Code)
				}
				took = append(took, time.Since(begun))
			}
			tel.Logger().ErrorContext(t.Context(), "a log record to export")
			grown := heap() - before
			slices.Sort(took)

			ctx, cancel := context.WithTimeout(context.Background(), deadline)
			defer cancel()
			begun := time.Now()
			stopErr := tel.Shutdown(ctx)
			stopped := time.Since(begun)
			state := tel.Exports()
			t.Logf("p50 %v p99 %v · heap %+d KB · %+v · shutdown %v: %v", took[len(took)/2], took[len(took)*99/100], grown/1024, state.Traces, stopped, stopErr)

			if grown > 30<<20 {
				t.Errorf("the heap grew by %d MB", grown>>20)
			}
			if stopped > 2*deadline {
				t.Errorf("shutdown took %v of %v", stopped, deadline)
			}
			complaints := out.named(t, "Telemetry trouble")
			if trouble == "none" {
				// A machine that is busy enough drops some even here, and must say so.
				silent := len(complaints) == 0
				if sent := state.Traces.Exported + state.Traces.Dropped; sent != requests || silent != (state.Traces.Dropped == 0) || stopErr != nil {
					t.Errorf("%d spans are accounted for, %d complaints: %v", sent, len(complaints), stopErr)
				}
				return
			}
			if trouble != "slow" && (state.Traces.Exported != 0 || state.Traces.Failed == 0 || len(complaints) != 1) {
				t.Errorf("exports = %+v with %d complaints, want failures and one line", state.Traces, len(complaints))
			}
			if state.Traces.Dropped > 0 && len(complaints) == 0 {
				t.Errorf("%d spans were dropped and nothing said so", state.Traces.Dropped)
			}
			if trouble == "hanging" && state.Traces.Dropped == 0 {
				t.Error("no drop was counted")
			}
			if sum := state.Traces.gone() + state.Traces.Queued; sum != requests {
				t.Errorf("%d spans are accounted for, want %d", sum, requests)
			}
		})
	}
}

// troubled is the URL of a collector in this kind of trouble.
func troubled(t *testing.T, trouble string) string {
	t.Helper()
	if trouble == "refused" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return fmt.Sprintf("http://%s", l.Addr())
	}
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch trouble {
		case "hanging":
			select {
			case <-release:
			case <-r.Context().Done():
			}
		case "slow":
			select {
			case <-time.After(200 * time.Millisecond):
			case <-release:
			}
		case "503":
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(func() {
		close(release)
		server.Close()
	})
	return server.URL
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestComplaintsAreRare: one line at once, the next a minute later with how
// many were left out, and never through what has the trouble.
func TestComplaintsAreRare(t *testing.T) {
	t.Parallel()
	tel, out := start(t, Options{})
	c := &clock{at}
	tel.complain.now = c.now
	for range 150 { // one a second
		tel.complain.Handle(fmt.Errorf("export to https://u:planted@collector: %w", errTest))
		c.at = c.at.Add(time.Second)
	}
	lines := out.named(t, "Telemetry trouble")
	var suppressed []any
	for _, line := range lines {
		suppressed = append(suppressed, line["suppressed"])
	}
	if fmt.Sprint(suppressed) != "[0 59 59]" {
		t.Errorf("suppressed = %v, want [0 59 59]", suppressed)
	}
	if lines[0]["error"] != "export to https://***@collector: the test's error" || lines[0]["spansDropped"] != 0.0 {
		t.Errorf("line = %v", lines[0])
	}
	if len(tel.complain.log.sinks) != 1 {
		t.Error("complaints have a sink beside stdout")
	}
}
