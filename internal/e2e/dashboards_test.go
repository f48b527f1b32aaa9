//go:build e2e

package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// dashboard is a file of deploy/grafana/dashboards, as far as it asks for data.
type dashboard struct {
	Title       string
	Panels      []panel
	Templating  struct{ List []variable }
	Annotations struct {
		List []struct {
			Name       string
			Datasource source
			Target     struct{ Expr string }
		}
	}
}

type panel struct {
	Type, Title string
	Datasource  source
	Targets     []struct {
		RefID, Expr string
		Datasource  source
	}
	Panels []panel // of a row
}

type source struct{ Type string }

type variable struct {
	Name, Type, AllValue, Regex string
	IncludeAll                  bool
	Query                       json.RawMessage
	Current                     struct{ Value json.RawMessage }
}

// idle are annotations that are rightly absent while all is well.
var idle = map[string]bool{"Alerts": true} // marks alerts that fire

// dashboards asks Prometheus what every panel asks, with the variables that a
// reader finds chosen, and wants an answer to each.
func (s *stack) dashboards(t *testing.T) {
	for _, file := range glob(t, checkout+"/deploy/grafana/dashboards/*.json") {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			d := decode[dashboard](t, []byte(read(t, file)))
			chosen, wanted := s.choose(t, d.Templating.List), map[string]string{}
			for _, a := range d.Annotations.List {
				if a.Datasource.Type == "prometheus" && !idle[a.Name] {
					wanted["mark "+a.Name] = interpolate(t, chosen, a.Target.Expr)
				}
			}
			first := ""
			for _, p := range flat(d.Panels) {
				for _, target := range p.Targets {
					switch kind := cmp.Or(target.Datasource.Type, p.Datasource.Type); kind {
					case "prometheus":
						what := p.Title + " " + target.RefID
						first = cmp.Or(first, what)
						wanted[what] = interpolate(t, chosen, target.Expr)
					case "loki":
						t.Logf("%s: asked of Loki, which does not run here: %s", p.Title, target.Expr)
					default:
						t.Errorf("%s: data source %q", p.Title, kind)
					}
				}
			}
			if first == "" {
				t.Fatal("no panel asks Prometheus for anything")
			}
			answers := s.answered(t, wanted)
			shown, err := json.Marshal(answers[first][:min(3, len(answers[first]))])
			t.Logf("%d queries, the first of them\n%s = %s\n%s, %v", len(wanted), first, wanted[first], shown, err)
		})
	}
}

// flat are the panels, those in rows included.
func flat(panels []panel) []panel {
	var all []panel
	for _, p := range panels {
		all = append(append(all, p), flat(p.Panels)...)
	}
	return all
}

var labelValues = regexp.MustCompile(`^label_values\((.*), *(\w+)\)$`)

// choose gives every variable the value it has when the dashboard is opened.
func (s *stack) choose(t *testing.T, variables []variable) map[string]string {
	t.Helper()
	chosen := map[string]string{
		// What Grafana says for the last hour on a page of 1,000 points at most, of
		// a data source that is scraped every 15 s.
		"__rate_interval": "1m", "__interval": "15s", "__interval_ms": "15000", "__range": "1h", "__range_s": "3600", "__range_ms": "3600000",
	}
	for _, v := range variables {
		switch v.Type {
		case "query":
			text := decode[struct{ Query string }](t, v.Query).Query
			m := labelValues.FindStringSubmatch(text)
			if m == nil || v.Regex != "" {
				t.Fatalf("variable %s: %q is not understood here", v.Name, text)
			}
			values := s.labelValues(t, interpolate(t, chosen, m[1]), m[2])
			if chosen[v.Name] = v.AllValue; v.AllValue == "" {
				chosen[v.Name] = "(" + strings.Join(values, "|") + ")"
			}
			if !v.IncludeAll {
				chosen[v.Name] = values[0]
			}
		case "custom":
			text := decode[string](t, v.Query)
			if first, _, _ := strings.Cut(text, ","); !v.IncludeAll {
				chosen[v.Name] = first
			} else {
				chosen[v.Name] = "(" + strings.ReplaceAll(text, ",", "|") + ")"
			}
		default:
			t.Fatalf("variable %s: type %q is not understood here", v.Name, v.Type)
		}
	}
	return chosen
}

// labelValues are what a variable offers. None is a variable nobody can use.
func (s *stack) labelValues(t *testing.T, selector, label string) []string {
	t.Helper()
	var values []string
	await(t, "values of "+label+" in "+selector, func() error {
		var err error
		values, err = ask[[]string](t, s, "label/"+label+"/values", url.Values{"match[]": {selector}})
		if err == nil && len(values) == 0 {
			err = fmt.Errorf("none")
		}
		return err
	})
	for i := range values {
		values[i] = strings.ReplaceAll(regexp.QuoteMeta(values[i]), `\`, `\\`)
	}
	return values
}

var reference = regexp.MustCompile(`\$(?:\{([A-Za-z_]\w*)(?::\w+)?\}|([A-Za-z_]\w*))`)

// interpolate puts the variables' values in, as Grafana does. One that does not
// exist would be sent as it stands.
func interpolate(t *testing.T, chosen map[string]string, expression string) string {
	t.Helper()
	return reference.ReplaceAllStringFunc(expression, func(found string) string {
		m := reference.FindStringSubmatch(found)
		value, ok := chosen[m[1]+m[2]]
		if !ok {
			t.Errorf("no variable %s in %s", found, expression)
		}
		return value
	})
}
