package deploytest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const deploy = "../../deploy/"

// ruleFile is a file of rules, and every key that may be in it.
type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

type rule struct {
	Record, Alert, Expr string
	For                 string
	Labels, Annotations map[string]string
}

// testFile is a file for promtool test rules.
type testFile struct {
	RuleFiles          []string `yaml:"rule_files"`
	EvaluationInterval string   `yaml:"evaluation_interval"`
	Tests              []struct {
		Name, Interval string
		InputSeries    []struct{ Series, Values string } `yaml:"input_series"`
		PromqlExprTest []struct {
			Expr       string
			EvalTime   string `yaml:"eval_time"`
			ExpSamples []struct {
				Labels string
				Value  any
			} `yaml:"exp_samples"`
		} `yaml:"promql_expr_test"`
		AlertRuleTest []struct {
			Alertname string
			EvalTime  string `yaml:"eval_time"`
			ExpAlerts []struct {
				ExpLabels      map[string]string `yaml:"exp_labels"`
				ExpAnnotations map[string]string `yaml:"exp_annotations"`
			} `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
	}
}

// dashboard is what is checked of a Grafana dashboard.
type dashboard struct {
	UID, Title, Description string
	SchemaVersion           int
	Panels                  []panel
	Templating              struct {
		List []struct {
			Name, Type string
			Definition string
			Datasource reference
		}
	}
	Annotations struct {
		List []struct {
			Name       string
			Datasource reference
			Target     struct{ Expr string }
		}
	}
}

type panel struct {
	Type, Title, Description string
	Datasource               reference
	Targets                  []struct {
		Expr       string
		Datasource reference
		Exemplar   bool
	}
	FieldConfig struct {
		Defaults struct{ Unit string }
	}
	Links []struct{ URL string }
}

type reference struct{ Type, UID string }

// parts reads all files of a kind, each by its name.
func parts[T any](t *testing.T, pattern string, decode func(*testing.T, []byte) T) map[string]T {
	t.Helper()
	paths, err := filepath.Glob(deploy + pattern)
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Fatalf("no files %s: nothing is checked", pattern)
	}
	all := map[string]T{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(path, deploy)] = decode(t, text)
	}
	return all
}

func fromYAML[T any](t *testing.T, text []byte) T {
	t.Helper()
	var v T
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func fromJSON[T any](t *testing.T, text []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func asText(_ *testing.T, text []byte) string { return string(text) }

func ruleFiles(t *testing.T) map[string]ruleFile {
	t.Helper()
	return parts(t, "prometheus/rules/*.yml", fromYAML[ruleFile])
}

func dashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	return parts(t, "grafana/dashboards/*.json", fromJSON[dashboard])
}

func runbooks(t *testing.T) map[string]string {
	t.Helper()
	return parts(t, "runbooks/*.md", asText)
}

// alerts are the alerting rules by name.
func alerts(t *testing.T) map[string]rule {
	t.Helper()
	all := map[string]rule{}
	for path, file := range ruleFiles(t) {
		for _, group := range file.Groups {
			for _, r := range group.Rules {
				if r.Alert == "" {
					continue
				}
				if _, twice := all[r.Alert]; twice {
					t.Errorf("%s: two alerts called %s", path, r.Alert)
				}
				all[r.Alert] = r
			}
		}
	}
	return all
}

// jobs are the names by which Prometheus knows what it scrapes.
func jobs(t *testing.T) []string {
	t.Helper()
	type config struct {
		Scrapes []struct {
			Job string `yaml:"job_name"`
		} `yaml:"scrape_configs"`
	}
	var names []string
	for _, file := range parts(t, "prometheus/prometheus.yml", func(t *testing.T, text []byte) config {
		t.Helper()
		var c config
		if err := yaml.Unmarshal(text, &c); err != nil {
			t.Fatal(err)
		}
		return c
	}) {
		for _, s := range file.Scrapes {
			names = append(names, s.Job)
		}
	}
	return names
}
