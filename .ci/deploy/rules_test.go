package deploy

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write prometheusrule.yaml anew")

// The rules are written once, for Prometheus itself, and copied for its operator.
func TestPrometheusRule(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(root + "/deploy/prometheus/rules/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules found: %v", err)
	}
	var want monitoring.PrometheusRuleSpec
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var part monitoring.PrometheusRuleSpec
		if err := yaml.UnmarshalStrict(content, &part); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		want.Groups = append(want.Groups, part.Groups...)
	}
	named := make(map[string]bool)
	for _, group := range want.Groups {
		if named[group.Name] {
			t.Errorf("two groups are called %s: in one object of Kubernetes the second replaces the first", group.Name)
		}
		named[group.Name] = true
	}
	if *update {
		writeRule(t, want)
	}
	got := one[*monitoring.PrometheusRule](t, render(t, base)).Spec
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("prometheusrule.yaml differs from deploy/prometheus/rules; run: go test -C .ci/deploy -update\n(-want +got)\n%s", diff)
	}
}

func writeRule(t *testing.T, spec monitoring.PrometheusRuleSpec) {
	t.Helper()
	content, err := yaml.Marshal(map[string]any{
		"apiVersion": "monitoring.coreos.com/v1",
		"kind":       "PrometheusRule",
		"metadata":   map[string]any{"name": "driftsentry", "labels": map[string]string{"app.kubernetes.io/component": "server"}},
		"spec":       spec,
	})
	if err != nil {
		t.Fatal(err)
	}
	head := "# Written from deploy/prometheus/rules, where the reasons stand, by\n#\n#   go test -C .ci/deploy -update\n"
	if err := os.WriteFile(base+"/prometheusrule.yaml", append([]byte(head), content...), 0o644); err != nil {
		t.Fatal(err)
	}
}
