package deploytest

import (
	"bufio"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// others are the series that are not the service's, by who makes them. The
// end-to-end test finds them on the real ones.
var others = map[string]string{
	"up":                          "Prometheus, of each scrape",
	"scrape_duration_seconds":     "Prometheus, of each scrape",
	"scrape_samples_scraped":      "Prometheus, of each scrape",
	"ALERTS":                      "Prometheus, of each alert",
	"prometheus_tsdb_head_series": "Prometheus",
	"prometheus_rule_evaluation_failures_total":     "Prometheus",
	"prometheus_tsdb_exemplar_exemplars_in_storage": "Prometheus",

	"otelcol_receiver_accepted_spans_total":             "the collector",
	"otelcol_receiver_accepted_log_records_total":       "the collector",
	"otelcol_receiver_refused_spans_total":              "the collector",
	"otelcol_receiver_refused_log_records_total":        "the collector",
	"otelcol_exporter_sent_spans_total":                 "the collector",
	"otelcol_exporter_sent_log_records_total":           "the collector",
	"otelcol_exporter_send_failed_spans_total":          "the collector, once it happened",
	"otelcol_exporter_send_failed_log_records_total":    "the collector, once it happened",
	"otelcol_exporter_enqueue_failed_spans_total":       "the collector, once it happened",
	"otelcol_exporter_enqueue_failed_log_records_total": "the collector, once it happened",
	"otelcol_exporter_queue_size":                       "the collector",
	"otelcol_exporter_queue_capacity":                   "the collector",
	"otelcol_process_memory_rss_bytes":                  "the collector",
	"otelcol_process_cpu_seconds_total":                 "the collector",
	"traces_span_metrics_calls_total":                   "the collector, of the service's spans",
	"traces_span_metrics_duration_milliseconds_bucket":  "the collector, of the service's spans",
	"traces_span_metrics_duration_milliseconds_sum":     "the collector, of the service's spans",
	"traces_span_metrics_duration_milliseconds_count":   "the collector, of the service's spans",
}

// late are labels that a series has only once something went wrong.
var late = map[string][]string{"otel_sdk_": {"error_type"}, "target_info": {"deployment_environment_name"}}

// ours are the service's series with their labels, from telemetry's golden list:
// what a scrape shows, held there against the real one.
func ours(t *testing.T) map[string][]string {
	t.Helper()
	file, err := os.Open("../telemetry/testdata/metrics.golden")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	line := regexp.MustCompile(`^(\w+) (\w+) \{(.*?)\}`)
	series := map[string][]string{}
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		m := line.FindStringSubmatch(scanner.Text())
		if m == nil {
			t.Fatalf("not understood: %s", scanner.Text())
		}
		name, kind, labels := m[1], m[2], strings.Fields(m[3])
		for prefix, more := range late {
			if strings.HasPrefix(name, prefix) {
				labels = append(labels, more...)
			}
		}
		labels = append(labels, "job", "instance")
		if kind != "histogram" {
			series[name] = labels
			continue
		}
		series[name+"_sum"], series[name+"_count"] = labels, labels
		series[name+"_bucket"] = append(slices.Clone(labels), "le")
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return series
}

// queries are all PromQL there is, by where it stands.
func queries(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	add := func(place, expr string) {
		if expr != "" {
			all[place] = append(all[place], expr)
		}
	}
	for path, file := range ruleFiles(t) {
		for _, group := range file.Groups {
			for _, r := range group.Rules {
				add(path+" "+r.Alert+r.Record, r.Expr)
			}
		}
	}
	for path, file := range parts(t, "prometheus/tests/*.yml", fromYAML[testFile]) {
		for _, test := range file.Tests {
			for _, input := range test.InputSeries {
				add(path+" "+test.Name, input.Series)
			}
			for _, expr := range test.PromqlExprTest {
				add(path+" "+test.Name, expr.Expr)
			}
		}
	}
	variable := regexp.MustCompile(`^label_values\((.*), \w+\)$`)
	for path, d := range dashboards(t) {
		for _, v := range d.Templating.List {
			if m := variable.FindStringSubmatch(v.Definition); m != nil {
				add(path+" variable "+v.Name, m[1])
			}
		}
		for _, a := range d.Annotations.List {
			add(path+" annotation "+a.Name, a.Target.Expr)
		}
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				if target.Datasource.Type == "prometheus" {
					add(path+" "+p.Title, target.Expr)
				}
			}
		}
	}
	block := regexp.MustCompile("(?s)```promql\n(.*?)```")
	for path, text := range runbooks(t) {
		for _, m := range block.FindAllStringSubmatch(text, -1) {
			add(path, m[1])
		}
	}
	for _, source := range datasources(t) {
		for _, q := range source.JSONData.TracesToMetrics.Queries {
			add("datasource "+source.Name, q.Query)
		}
	}
	return all
}

// TestQueriesNameRealSeries: a renamed series or label fails here, rather than
// being a panel that is empty or an alert that never fires.
func TestQueriesNameRealSeries(t *testing.T) {
	t.Parallel()
	known, used := ours(t), map[string]bool{}
	recorded := map[string]bool{}
	for _, file := range ruleFiles(t) {
		for _, group := range file.Groups {
			for _, r := range group.Rules {
				recorded[r.Record] = true
			}
		}
	}
	scraped := jobs(t)
	asked := 0
	for place, exprs := range queries(t) {
		for _, expr := range exprs {
			found := selectors(expr)
			if len(found) == 0 {
				t.Errorf("%s: names no series: %s", place, expr)
			}
			for _, s := range found {
				asked++
				names := []string{s.Name}
				if s.Pattern != "" {
					names = matching(t, s.Pattern, known)
				}
				if len(names) == 0 {
					t.Errorf("%s: no series is called like %s", place, s.Pattern)
				}
				for _, name := range names {
					used[name] = true
					labels, own := known[name]
					switch {
					case own:
						checkLabels(t, place, name, s, labels)
					case !recorded[name] && others[name] == "":
						t.Errorf("%s: nobody makes a series %s", place, name)
					}
				}
				if job, ok := s.Labels["job="]; ok && !slices.Contains(scraped, job) && !strings.HasPrefix(place, "prometheus/tests/") {
					t.Errorf("%s: job %q of %s%s is not scraped", place, job, s.Name, s.Pattern)
				}
			}
		}
	}
	if asked < 200 {
		t.Errorf("%d series in all queries, want at least 200: were they found?", asked)
	}
	for _, name := range slices.Sorted(maps.Keys(others)) {
		if !used[name] && !strings.HasSuffix(name, "_count") {
			t.Errorf("no query names %s any more: take it out of the list", name)
		}
	}
}

func matching(t *testing.T, pattern string, known map[string][]string) []string {
	t.Helper()
	whole, err := regexp.Compile("^(?:" + pattern + ")$")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range known {
		if whole.MatchString(name) {
			names = append(names, name)
		}
	}
	return names
}

// checkLabels: what a series does not have matches nothing, or everything.
func checkLabels(t *testing.T, place, name string, s selector, labels []string) {
	t.Helper()
	for matcher := range s.Labels {
		label := strings.TrimRight(matcher, "=!~")
		if !slices.Contains(labels, label) {
			t.Errorf("%s: %s has no label %s, but %s", place, name, label, strings.Join(labels, " "))
		}
	}
}
