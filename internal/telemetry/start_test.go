package telemetry

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
)

// TestSilentWithoutAnEndpoint: a laptop without a collector has ids in its
// logs, and nothing is sent anywhere.
func TestSilentWithoutAnEndpoint(t *testing.T) {
	for _, name := range silence {
		t.Setenv(name, "")
	}
	tel, out := start(t, Options{})
	serve(api(tel), "GET", "/api/v1/drifts/x")
	if e := tel.Exports(); e.Traces.Enabled || e.Logs.Enabled {
		t.Errorf("Exports() = %+v, want both off", e)
	}
	if line := out.one(t, "Request completed"); len(fmt.Sprint(line["traceId"])) != 32 {
		t.Errorf("line = %v, want a trace id", line)
	}
	if len(tel.log.sinks) != 1 {
		t.Error("lines go somewhere else than stdout")
	}
}

// TestSDKDisabled: OTEL_SDK_DISABLED leaves logs on stdout and an endpoint
// that answers.
func TestSDKDisabled(t *testing.T) {
	for _, name := range silence {
		t.Setenv(name, "")
	}
	t.Setenv("OTEL_SDK_DISABLED", "true")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	tel, out := start(t, Options{})
	serve(api(tel), "GET", "/api/v1/summary")
	line := out.one(t, "Request completed")
	if line["traceId"] != nil || line["correlationId"] == nil {
		t.Errorf("line = %v, want a correlation id and no trace", line)
	}
	if got := scrape(t, tel, ""); strings.Contains(got, "http_requests_total") || !strings.Contains(got, "process_cpu_seconds_total") {
		t.Error("a disabled SDK still measures, or the endpoint is empty")
	}
	if tel.Errors().Total != 1 {
		t.Error("the error tracker is no part of the SDK and should count")
	}
}

func TestServiceNameFromTheEnvironment(t *testing.T) {
	t.Setenv("OTEL_SERVICE_NAME", "drift-eu")
	tel, out := start(t, Options{Service: "driftsentry"})
	tel.Logger().InfoContext(t.Context(), "x")
	if got := out.one(t, "x")["service"]; got != "drift-eu" {
		t.Errorf("service = %v, want drift-eu", got)
	}
	if got := scrape(t, tel, ""); !strings.Contains(got, `service_name="drift-eu"`) {
		t.Error("target_info has another service_name")
	}
}

func TestBadEnvironmentIsAnError(t *testing.T) {
	for name, value := range map[string]string{
		"OTEL_TRACES_EXPORTER": "zipkin", "OTEL_LOGS_EXPORTER": "syslog", "OTEL_METRICS_EXPORTER": "statsd", "OTEL_RESOURCE_ATTRIBUTES": "nonsense",
	} {
		t.Run(name, func(t *testing.T) {
			for _, name := range silence {
				t.Setenv(name, "")
			}
			t.Setenv(name, value)
			tel, err := Start(context.Background(), Options{Output: io.Discard})
			if err == nil {
				if stopErr := tel.Shutdown(context.Background()); stopErr != nil {
					t.Error(stopErr)
				}
				if name != "OTEL_RESOURCE_ATTRIBUTES" {
					t.Errorf("Start took %s=%s", name, value)
				}
			} else if !strings.Contains(err.Error(), name) && name != "OTEL_RESOURCE_ATTRIBUTES" {
				t.Errorf("Start = %v, want it to name %s", err, name)
			}
		})
	}
}

// TestTwiceInOneProcess: a second Telemetry disturbs the first one in nothing
// but the SDK's own metrics.
func TestTwiceInOneProcess(t *testing.T) {
	t.Parallel()
	one, out1 := start(t, Options{})
	two, out2 := start(t, Options{})
	serve(api(one), "GET", "/api/v1/drifts/x")
	serve(api(two), "GET", "/nope")
	if out1.one(t, "Request completed")["status"] != 200.0 || out2.one(t, "Request completed")["status"] != 404.0 {
		t.Error("lines went to the wrong one")
	}
	if strings.Contains(scrape(t, one, ""), `path="unmatched"`) || strings.Contains(scrape(t, two, ""), `/api/v1/drifts/{id}`) {
		t.Error("requests were counted in the wrong one")
	}
}

// TestLinesAfterShutdown: the last words of a process still reach stdout.
func TestLinesAfterShutdown(t *testing.T) {
	tel, out, _, stop := collected(t, Options{})
	stop()
	tel.Logger().InfoContext(t.Context(), "Shutdown complete")
	out.one(t, "Shutdown complete")
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Errorf("second Shutdown = %v", err)
	}
}
