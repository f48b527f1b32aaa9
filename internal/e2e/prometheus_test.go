//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// prometheus is the real one with the configuration and the rules of the stack.
type prometheus struct {
	*process
	url    string
	config string // its file
	text   string // of that, but for the targets
}

// scrapedEvery finds every interval: what happens every quarter of a minute in the
// stack happens every second here.
var scrapedEvery = regexp.MustCompile(`(?m)^(\s*(?:- )?(?:scrape_interval|scrape_timeout|evaluation_interval|interval):).*$`)

func startPrometheus(t *testing.T, s *stack) *prometheus {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "etc")
	if err := os.CopyFS(folder, os.DirFS(checkout+"/deploy/prometheus")); err != nil {
		t.Fatal(err)
	}
	for _, file := range glob(t, filepath.Join(folder, "*.yml"), filepath.Join(folder, "rules", "*.yml")) {
		write(t, file, scrapedEvery.ReplaceAllString(read(t, file), "$1 1s"))
	}
	at := local + freePorts(t, 1)[0]
	p := &prometheus{url: "http://" + at, config: filepath.Join(folder, "prometheus.yml")}
	p.text = strings.ReplaceAll(read(t, p.config), "[localhost:9090]", "["+at+"]")
	p.scrape(t, s.app.url, s.collector, s)
	p.process = start(t, "prometheus", component(t, "prometheus"), nil,
		"--config.file="+p.config, "--storage.tsdb.path="+t.TempDir(), "--web.listen-address="+at, "--enable-feature=exemplar-storage")
	p.healthy(t, p.url+"/-/ready")
	return p
}

// scrape writes the configuration: the hosts in it are compose's, and become where
// the same things are here.
func (p *prometheus) scrape(t *testing.T, apps string, c *collector, s *stack) {
	t.Helper()
	text := p.text
	for host, here := range map[string]string{
		"app:3001": apps, "otel-collector:8888": c.metrics, "otel-collector:8889": s.collector.spanMetrics,
		"jaeger:8888": s.jaeger.metrics, "loki:3100": s.loki.url,
	} {
		if n := strings.Count(text, "["+host+"]"); n != 1 {
			t.Errorf("%d targets [%s] in prometheus.yml, want 1", n, host)
		}
		here = strings.NewReplacer("http://", "", "/metrics", "").Replace(here)
		text = strings.ReplaceAll(text, "["+host+"]", "["+here+"]")
	}
	write(t, p.config, text)
}

// answers is what Prometheus says to a question.
type answers[T any] struct {
	Status, Error string
	Data          T
}

// ask is one call of Prometheus's API.
func ask[T any](t *testing.T, s *stack, path string, parameters url.Values) (T, error) {
	t.Helper()
	body, err := fetch(t, s.prometheus.url+"/api/v1/"+path+"?"+parameters.Encode())
	if err != nil {
		var none T
		return none, err
	}
	return decode[answers[T]](t, body).Data, nil
}

// series is one line of a query's result: its labels, and its value as JSON.
type series struct {
	Metric map[string]string
	Value  json.RawMessage
}

// query is what an expression says now.
func (s *stack) query(t *testing.T, expression string) ([]series, error) {
	t.Helper()
	result, err := ask[struct {
		ResultType string
		Result     json.RawMessage
	}](t, s, "query", url.Values{"query": {expression}})
	if err != nil {
		return nil, err
	}
	if result.ResultType == "scalar" || result.ResultType == "string" {
		return []series{{Value: result.Result}}, nil
	}
	return decode[[]series](t, result.Result), nil
}

// answered waits until every query, by what it is for, has an answer with a number
// in it. It returns the answers.
func (s *stack) answered(t *testing.T, queries map[string]string) map[string][]series {
	t.Helper()
	answers := map[string][]series{}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		var missing []string
		for what, query := range queries {
			if answers[what] != nil {
				continue
			}
			found, err := s.query(t, query)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if slices.ContainsFunc(found, func(line series) bool { return !strings.Contains(string(line.Value), "NaN") }) {
				answers[what] = found
			} else {
				missing = append(missing, what+": "+query)
			}
		}
		if len(missing) == 0 {
			return answers
		}
		select {
		case <-ctx.Done():
			slices.Sort(missing)
			t.Errorf("no data after %v:\n%s", patience, strings.Join(missing, "\n"))
			return answers
		case <-tick.C:
		}
	}
}

// targets are up, save Grafana, which does not run here.
func (s *stack) targets(t *testing.T) {
	want := []string{"driftsentry", "jaeger", "loki", "otel-collector", "prometheus", "span-metrics"}
	await(t, "targets", func() error {
		found, err := ask[struct {
			ActiveTargets []struct {
				Labels            map[string]string
				Health, LastError string
			}
		}](t, s, "targets", url.Values{"state": {"active"}})
		if err != nil {
			return err
		}
		var up, down []string
		for _, target := range found.ActiveTargets {
			if target.Health == "up" {
				up = append(up, target.Labels["job"])
			} else {
				down = append(down, target.Labels["job"]+": "+target.LastError)
			}
		}
		slices.Sort(up)
		if !slices.Equal(up, want) || len(down) != 1 || !strings.HasPrefix(down[0], "grafana") {
			return fmt.Errorf("up %q, down %q, want %q up and grafana alone down", up, down, want)
		}
		return nil
	})
}

// exemplars of every histogram people click on lead to a trace that is there: the
// service's own, and the collector's of the spans.
func (s *stack) exemplars(t *testing.T) {
	for _, histogram := range []string{
		`http_request_duration_ms_bucket{path="/api/v1/scans"}`,
		"http_request_duration_ms_bucket", "http_server_request_duration_seconds_bucket",
		"database_query_duration_ms_bucket", "driftsentry_drift_resolve_seconds_bucket", "driftsentry_drift_acknowledge_seconds_bucket",
		`traces_span_metrics_duration_milliseconds_bucket{span_kind="SPAN_KIND_SERVER"}`,
	} {
		await(t, "an exemplar of "+histogram+" that leads to a trace", func() error {
			found, err := ask[[]struct {
				SeriesLabels map[string]string
				Exemplars    []struct{ Labels map[string]string }
			}](t, s, "query_exemplars", url.Values{
				"query": {histogram},
				"start": {strconv.FormatInt(time.Now().Add(-time.Hour).Unix(), 10)},
				"end":   {strconv.FormatInt(time.Now().Add(time.Minute).Unix(), 10)},
			})
			if err != nil {
				return err
			}
			seen := 0
			for _, series := range found {
				for _, exemplar := range series.Exemplars {
					if s.jaeger.has(t, exemplar.Labels["trace_id"]) {
						return nil
					}
					seen++
				}
			}
			return fmt.Errorf("%d exemplars in %d series, none leads anywhere", seen, len(found))
		})
	}
}
