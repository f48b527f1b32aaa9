//go:build e2e

package e2e

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
)

// TestVersions: what is tested here is what docker-compose.yml runs.
func TestVersions(t *testing.T) {
	t.Parallel()
	compose := read(t, checkout+"/docker-compose.yml")
	find := func(text, pattern string) string {
		m := regexp.MustCompile(pattern).FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("%s is nowhere", pattern)
		}
		return m[1]
	}
	component := func(name, pattern string) string {
		return find(read(t, checkout+"/.ci/components/"+name), pattern)
	}
	minor := func(text string) int {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for image, want := range map[string]string{
		"otel/opentelemetry-collector-contrib": component("otelcol/builder.yaml", `\n  version: (\S+)`),
		// Jaeger 2.13 is version 1.76 of its module, and so on.
		"jaegertracing/jaeger": fmt.Sprintf("2.%d.0",
			minor(component("jaeger/go.mod", `github\.com/jaegertracing/jaeger v1\.(\d+)\.0`))-63),
		// Prometheus 3.16.0 is version 0.316.0 of its module.
		"prom/prometheus": "v3." + component("prometheus/go.mod", `github\.com/prometheus/prometheus v0\.3(\d+\.\d+)`),
	} {
		if got := find(compose, `image: `+regexp.QuoteMeta(image)+`:(\S+)`); got != want {
			t.Errorf("docker-compose.yml runs %s:%s, the tests have %s", image, got, want)
		}
	}
}
