//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

const local = "127.0.0.1:"

// stack is what docker-compose.yml starts, as processes of this machine: all but
// Loki, whose build takes too long for every change and for which a receiver of
// this test stands in, and Grafana, which can't be built here.
type stack struct {
	collector  *collector
	jaeger     *jaeger
	prometheus *prometheus
	loki       *loki
	app        *app
}

func startStack(t *testing.T) *stack {
	t.Helper()
	s := &stack{loki: startLoki(t)}
	s.jaeger = startJaeger(t)
	s.collector = startCollector(t, s.jaeger.otlp, s.loki.url)
	s.app = startApp(t, build(t), pgtest.EmptyURL(t), s.collector.otlp)
	s.prometheus = startPrometheus(t, s)
	return s
}

// collector is the real one with the real configuration.
type collector struct {
	otlp, health, metrics, spanMetrics string // URLs
}

// startCollector starts one that hands on to these. env comes on top of what the
// ports need.
func startCollector(t *testing.T, jaeger, loki string, env ...string) *collector {
	t.Helper()
	ports := freePorts(t, 5)
	p := start(t, "otelcol", component(t, "otelcol"), append([]string{
		"COLLECTOR_HOST=127.0.0.1",
		"COLLECTOR_OTLP_GRPC_PORT=" + ports[0], "COLLECTOR_OTLP_HTTP_PORT=" + ports[1],
		"COLLECTOR_HEALTH_PORT=" + ports[2], "COLLECTOR_METRICS_PORT=" + ports[3], "COLLECTOR_SPAN_METRICS_PORT=" + ports[4],
		"COLLECTOR_JAEGER=" + jaeger, "COLLECTOR_LOKI=" + loki + "/otlp",
	}, env...), "--config", checkout+"/otel-collector.yaml")
	c := &collector{
		otlp: "http://" + local + ports[1], health: "http://" + local + ports[2] + "/",
		metrics: "http://" + local + ports[3] + "/metrics", spanMetrics: "http://" + local + ports[4] + "/metrics",
	}
	p.healthy(t, c.health)
	return c
}

// startJaeger starts it with the configuration of the stack, on other ports and
// with a folder of its own: the second file replaces these of the first.
func startJaeger(t *testing.T) *jaeger {
	t.Helper()
	ports, data := freePorts(t, 6), t.TempDir()
	elsewhere := filepath.Join(data, "elsewhere.yaml")
	write(t, elsewhere, fmt.Sprintf(`
service: {telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %s}}}}]}}}
receivers: {otlp: {protocols: {grpc: {endpoint: 127.0.0.1:%s}, http: {endpoint: 127.0.0.1:%s}}}}
extensions:
  healthcheckv2: {http: {endpoint: 127.0.0.1:%s}}
  jaeger_query: {http: {endpoint: 127.0.0.1:%s}, grpc: {endpoint: 127.0.0.1:%s}}
  jaeger_storage: {backends: {disk: {badger: {directories: {keys: %s/keys, values: %[7]s/values}}}}}
`, ports[0], ports[1], ports[2], ports[3], ports[4], ports[5], data))
	// It would trace itself, to port 4317 of this machine.
	p := start(t, "jaeger", component(t, "jaeger"), []string{"OTEL_TRACES_SAMPLER=always_off"},
		"--config", checkout+"/deploy/jaeger/config.yaml", "--config", elsewhere)
	j := &jaeger{metrics: local + ports[0], otlp: local + ports[1], query: "http://" + local + ports[4], grpc: local + ports[5]}
	p.healthy(t, "http://"+local+ports[3]+"/status")
	return j
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// glob lists the files of all patterns. One that matches nothing is a mistake.
func glob(t *testing.T, patterns ...string) []string {
	t.Helper()
	var all []string
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files, %v", pattern, err)
		}
		all = append(all, files...)
	}
	return all
}
