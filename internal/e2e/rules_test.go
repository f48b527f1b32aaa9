//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// rule is a recording or alerting rule as Prometheus runs it.
type rule struct {
	Type, Name, Query, Health, LastError, LastEvaluation string
}

// rules are all healthy; what recording rules record is there; and whatever an
// alert looks at exists, so that none is silent because of a misspelt name. Some of
// that exists only in trouble, so trouble is made first.
func (s *stack) rules(t *testing.T) {
	s.trouble(t)
	var all []rule
	await(t, "every rule evaluated", func() error {
		found, err := ask[struct {
			Groups []struct{ Rules []rule }
		}](t, s, "rules", nil)
		if err != nil {
			return err
		}
		all = nil
		for _, group := range found.Groups {
			for _, r := range group.Rules {
				if r.Health != "ok" {
					return fmt.Errorf("%s is %s: %s", r.Name, r.Health, r.LastError)
				}
				all = append(all, r)
			}
		}
		return nil
	})
	counts, wanted := map[string]int{}, map[string]string{}
	for _, r := range all {
		counts[r.Type]++
		if r.Type == "recording" {
			wanted[r.Name] = r.Name
			continue
		}
		if _, err := s.query(t, r.Query); err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
		for _, selector := range s.selectors(t, r.Query) {
			wanted[r.Name+" looks at "+selector] = selector
		}
	}
	s.answered(t, wanted)
	t.Logf("%d recording and %d alerting rules, %d series looked at", counts["recording"], counts["alerting"], len(wanted))
	if counts["recording"] == 0 || counts["alerting"] == 0 {
		t.Errorf("rules: %v, want both kinds", counts)
	}
}

// selectors are the series that an expression looks at, as Prometheus itself reads
// it. Ones under absent() are left out: they are to be missing.
func (s *stack) selectors(t *testing.T, expression string) []string {
	t.Helper()
	tree, err := ask[json.RawMessage](t, s, "parse_query", url.Values{"query": {expression}})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	var walk func(node any)
	walk = func(node any) {
		switch n := node.(type) {
		case []any:
			for _, child := range n {
				walk(child)
			}
		case map[string]any:
			if f, ok := n["func"].(map[string]any); ok && strings.HasPrefix(fmt.Sprint(f["name"]), "absent") {
				return
			}
			if n["type"] == "vectorSelector" || n["type"] == "matrixSelector" {
				found = append(found, selector(n))
				return
			}
			for _, child := range n {
				walk(child)
			}
		}
	}
	walk(decode[any](t, tree))
	return found
}

// selector writes a selector's node as PromQL again, without range and offset.
func selector(node map[string]any) string {
	var matchers []string
	list, _ := node["matchers"].([]any)
	for _, m := range list {
		if matcher, ok := m.(map[string]any); ok && matcher["name"] != "__name__" {
			matchers = append(matchers, fmt.Sprintf("%s%s%q", matcher["name"], matcher["type"], matcher["value"]))
		}
	}
	name, _ := node["name"].(string)
	if len(matchers) == 0 {
		return name
	}
	return name + "{" + strings.Join(matchers, ", ") + "}"
}
