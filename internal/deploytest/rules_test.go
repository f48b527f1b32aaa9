package deploytest

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const runbookURL = "https://github.com/driftsentry/driftsentry/blob/main/deploy/runbooks/"

// TestAlerts: whoever is called knows how bad it is and what to do.
func TestAlerts(t *testing.T) {
	t.Parallel()
	pages := runbooks(t)
	all := alerts(t)
	for name, alert := range all {
		if severity := alert.Labels["severity"]; !slices.Contains([]string{"critical", "warning"}, severity) {
			t.Errorf("%s: severity = %q, want critical or warning", name, severity)
		}
		for _, key := range []string{"summary", "description"} {
			if alert.Annotations[key] == "" {
				t.Errorf("%s has no %s", name, key)
			}
		}
		if got, want := alert.Annotations["runbook_url"], runbookURL+name+".md"; got != want {
			t.Errorf("%s: runbook_url = %s, want %s", name, got, want)
		}
		page, ok := pages["runbooks/"+name+".md"]
		if !ok {
			t.Errorf("%s has no page in deploy/runbooks", name)
			continue
		}
		checkRunbook(t, name, alert.Labels["severity"], page)
	}
	for path := range pages {
		name := strings.TrimSuffix(filepath.Base(path), ".md")
		if _, ok := all[name]; !ok && name != "README" {
			t.Errorf("%s is a page for no alert", path)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)]+)\)`)

// checkRunbook: one shape, so that a tired reader knows where to look.
func checkRunbook(t *testing.T, name, severity, page string) {
	t.Helper()
	for _, want := range []string{"# " + name + "\n\n" + severity + ". ", "\n## Look first\n\n1. ", "\n2. ", "\n3. ", "\n## Mend\n\n- "} {
		if !strings.Contains(page, want) {
			t.Errorf("runbook %s lacks %q", name, want)
		}
	}
	if !strings.Contains(page, "```promql\n") {
		t.Errorf("runbook %s has no query to run", name)
	}
	for _, m := range link.FindAllStringSubmatch(page, -1) {
		if found, err := filepath.Glob(deploy + "runbooks/" + m[1]); err != nil || len(found) == 0 {
			t.Errorf("runbook %s links to %s, which is not there", name, m[1])
		}
	}
}

// TestEveryAlertIsTested: promtool sees it fire, and sees it keep quiet.
func TestEveryAlertIsTested(t *testing.T) {
	t.Parallel()
	all := alerts(t)
	fires, quiet := map[string]bool{}, map[string]bool{}
	for path, file := range parts(t, "prometheus/tests/*.yml", fromYAML[testFile]) {
		for _, test := range file.Tests {
			for _, at := range test.AlertRuleTest {
				alert, ok := all[at.Alertname]
				if !ok {
					t.Errorf("%s tests %s, which is no alert", path, at.Alertname)
				}
				if len(at.ExpAlerts) == 0 {
					quiet[at.Alertname] = true
				}
				for _, expected := range at.ExpAlerts {
					fires[at.Alertname] = true
					if got := expected.ExpLabels["severity"]; got != alert.Labels["severity"] {
						t.Errorf("%s: %s with severity %q, want %q", path, at.Alertname, got, alert.Labels["severity"])
					}
				}
			}
		}
	}
	for name := range all {
		if !fires[name] {
			t.Errorf("no test in deploy/prometheus/tests lets %s fire", name)
		}
		if !quiet[name] {
			t.Errorf("no test in deploy/prometheus/tests keeps %s quiet", name)
		}
	}
}

// TestGroupsHaveNamesOfTheirOwn: in Kubernetes all of them stand in one object,
// and Prometheus takes no file with two groups of one name.
func TestGroupsHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for path, file := range ruleFiles(t) {
		for _, group := range file.Groups {
			if other, twice := seen[group.Name]; twice {
				t.Errorf("%s: group %s, which is also in %s", path, group.Name, other)
			}
			seen[group.Name] = path
		}
	}
}

// TestEveryTargetIsWatched: what is scraped and goes away is told.
func TestEveryTargetIsWatched(t *testing.T) {
	t.Parallel()
	var watched []string
	for _, s := range selectors(alerts(t)["TargetDown"].Expr) {
		if pattern, ok := s.Labels["job=~"]; ok && s.Name == "up" {
			watched = strings.Split(pattern, "|")
		}
	}
	scraped := jobs(t)
	slices.Sort(watched)
	slices.Sort(scraped)
	if !slices.Equal(watched, scraped) {
		t.Errorf("TargetDown watches %v, want what prometheus.yml scrapes: %v", watched, scraped)
	}
}
