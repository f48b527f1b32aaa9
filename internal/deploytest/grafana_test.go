package deploytest

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// datasource is what is checked of a provisioned one.
type datasource struct {
	Name, UID, Type string
	JSONData        struct {
		ExemplarTraceIDDestinations []struct {
			Name          string
			DatasourceUID string `yaml:"datasourceUid"`
		} `yaml:"exemplarTraceIdDestinations"`
		TracesToLogs struct {
			DatasourceUID string `yaml:"datasourceUid"`
			Query         string
		} `yaml:"tracesToLogsV2"`
		TracesToMetrics struct {
			DatasourceUID string `yaml:"datasourceUid"`
			Queries       []struct{ Name, Query string }
		} `yaml:"tracesToMetrics"`
		DerivedFields []struct {
			Name, URL     string
			MatcherRegex  string `yaml:"matcherRegex"`
			DatasourceUID string `yaml:"datasourceUid"`
		} `yaml:"derivedFields"`
	} `yaml:"jsonData"`
}

// datasources by uid, and where Grafana keeps its own annotations.
func datasources(t *testing.T) map[string]datasource {
	t.Helper()
	all := map[string]datasource{}
	for _, file := range parts(t, "grafana/provisioning/datasources/*.yml", func(t *testing.T, text []byte) []datasource {
		t.Helper()
		var v struct{ Datasources []datasource }
		if err := yaml.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		return v.Datasources
	}) {
		for _, source := range file {
			all[source.UID] = source
		}
	}
	return all
}

// TestDashboards: every panel says what it shows and in which unit, and asks
// something that is there.
func TestDashboards(t *testing.T) {
	t.Parallel()
	sources, uids := datasources(t), map[string]string{}
	all := dashboards(t)
	for path, d := range all {
		if other, twice := uids[d.UID]; twice || d.UID == "" {
			t.Errorf("%s: uid %q, which is that of %s", path, d.UID, other)
		}
		uids[d.UID] = path
	}
	for path, d := range all {
		if d.SchemaVersion != 42 || d.Title == "" || d.Description == "" {
			t.Errorf("%s: schema %d, title %q, description %q, want 42 and both", path, d.SchemaVersion, d.Title, d.Description)
		}
		exists := func(what string, r reference) {
			if source, ok := sources[r.UID]; r.UID != "-- Grafana --" && (!ok || source.Type != r.Type) {
				t.Errorf("%s: %s asks %v, which is not provisioned", path, what, r)
			}
		}
		for _, v := range d.Templating.List {
			if v.Type == "query" {
				exists("variable "+v.Name, v.Datasource)
			}
		}
		for _, a := range d.Annotations.List {
			exists("annotation "+a.Name, a.Datasource)
		}
		titles, exemplars := map[string]bool{}, false
		section := ""
		for _, p := range d.Panels {
			if p.Type == "row" {
				section = p.Title
				continue
			}
			if name := section + ": " + p.Title; titles[name] {
				t.Errorf("%s: two panels called %s", path, name)
			} else {
				titles[name] = true
			}
			if p.Title == "" || p.Description == "" || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0 {
				t.Errorf("%s: panel %q: description %q, unit %q, %d queries, want all of them",
					path, p.Title, p.Description, p.FieldConfig.Defaults.Unit, len(p.Targets))
			}
			exists(p.Title, p.Datasource)
			for _, target := range p.Targets {
				exists(p.Title, target.Datasource)
				exemplars = exemplars || target.Exemplar
			}
			for _, l := range p.Links {
				uid, _, _ := strings.Cut(strings.TrimPrefix(l.URL, "/d/"), "?")
				if uids[uid] == "" {
					t.Errorf("%s: %s links to %s, which is not there", path, p.Title, l.URL)
				}
			}
		}
		if !exemplars && d.UID != "driftsentry-runtime" {
			t.Errorf("%s: no panel leads to traces", path)
		}
	}
}

// TestDatasourcesLeadToEachOther: metrics to traces, traces to logs and metrics,
// logs to traces, by trace id and by correlation id.
func TestDatasourcesLeadToEachOther(t *testing.T) {
	t.Parallel()
	all := datasources(t)
	jaeger, loki, prometheus := all["jaeger"], all["loki"], all["prometheus"]
	if d := prometheus.JSONData.ExemplarTraceIDDestinations; len(d) != 1 || d[0].Name != "trace_id" || d[0].DatasourceUID != "jaeger" {
		t.Errorf("exemplars lead to %v, want their trace_id to lead to jaeger", d)
	}
	logs := jaeger.JSONData.TracesToLogs
	if logs.DatasourceUID != "loki" || !strings.Contains(logs.Query, "__trace.traceId") || !strings.Contains(logs.Query, "correlation_id") {
		t.Errorf("spans lead to %s by %s, want loki by trace id and correlation id", logs.DatasourceUID, logs.Query)
	}
	if m := jaeger.JSONData.TracesToMetrics; m.DatasourceUID != "prometheus" || len(m.Queries) == 0 {
		t.Errorf("spans lead to %s by %d queries, want prometheus", m.DatasourceUID, len(m.Queries))
	}
	ways := map[string]int{}
	for _, field := range loki.JSONData.DerivedFields {
		switch {
		case field.DatasourceUID != "":
			if field.DatasourceUID != "jaeger" || field.URL != "$${__value.raw}" {
				t.Errorf("log field %s leads to %s of %s, want to the trace in jaeger", field.Name, field.URL, field.DatasourceUID)
			}
			ways["trace"]++
		default:
			checkSearch(t, field.Name, field.URL)
			ways["correlation"]++
		}
	}
	if ways["trace"] != 2 || ways["correlation"] != 2 {
		t.Errorf("log lines lead on by %v, want two ways each: structured metadata and JSON", ways)
	}
}

// checkSearch: the address is Explore's, with a search in Jaeger for the tag that
// every span carries.
func checkSearch(t *testing.T, name, address string) {
	t.Helper()
	address = strings.ReplaceAll(address, "$${__value.raw}", "abc123")
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	var panes map[string]struct {
		Datasource string
		Queries    []struct{ QueryType, Service, Tags string }
	}
	if err := json.Unmarshal([]byte(parsed.Query().Get("panes")), &panes); err != nil {
		t.Fatalf("log field %s: %v in %s", name, err, address)
	}
	for _, pane := range panes {
		q := pane.Queries[0]
		if pane.Datasource != "jaeger" || q.QueryType != "search" || q.Service != "driftsentry" || q.Tags != "correlation_id=abc123" {
			t.Errorf("log field %s asks %s for %+v, want jaeger for correlation_id=abc123", name, pane.Datasource, q)
		}
	}
	if parsed.Path != "/explore" || len(panes) != 1 {
		t.Errorf("log field %s leads to %s with %d panes, want /explore with one", name, parsed.Path, len(panes))
	}
}

// TestDerivedFieldsFindTheirIDs in a line as the service writes it.
func TestDerivedFieldsFindTheirIDs(t *testing.T) {
	t.Parallel()
	const line = `{"level":"info","msg":"x","correlationId":"ci-1:a.b","traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}`
	for _, field := range datasources(t)["loki"].JSONData.DerivedFields {
		want, ok := map[string]string{"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "correlationId": "ci-1:a.b"}[field.Name]
		if !ok {
			continue // of structured metadata, by name
		}
		if m := regexp.MustCompile(field.MatcherRegex).FindStringSubmatch(line); len(m) != 2 || m[1] != want {
			t.Errorf("%s found %q, want %s", field.Name, m, want)
		}
	}
}
