package drift

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// ruleCases try one rule: on what it is for, on what only looks like it, and on
// what was already so before the change.
type ruleCases struct {
	rule  string
	hits  []hit
	miss  []Subject
	stale []Subject
}

type hit struct {
	subject Subject
	reason  string
}

func severityCases() []ruleCases {
	return slices.Concat(
		networkCases, exposureCases, identityCases, encryptionCases,
		auditCases, recoveryCases, deletionCases, ordinaryCases,
	)
}

func TestClassify(t *testing.T) {
	for _, c := range severityCases() {
		i := slices.IndexFunc(ruled.rules, func(r rule) bool { return r.name == c.rule })
		if i < 0 {
			t.Errorf("no rule %q", c.rule)
			continue
		}
		t.Run(c.rule, func(t *testing.T) {
			for _, h := range c.hits {
				if r, _ := ruled.first(&h.subject); r.name != c.rule {
					t.Errorf("Classify(%s) by rule %q, want %q", show(h.subject), r.name, c.rule)
				}
				severity, reason := Classify(h.subject)
				if severity != ruled.rules[i].severity || reason != h.reason {
					t.Errorf("Classify(%s) = %s, %q, want %s, %q",
						show(h.subject), severity, reason, ruled.rules[i].severity, h.reason)
				}
				checkReason(t, reason)
			}
			for _, s := range slices.Concat(c.miss, c.stale) {
				if r, f := ruled.first(&s); r.name == c.rule {
					t.Errorf("Classify(%s) by rule %q: %q, want another rule", show(s), r.name, f.say(s.Origin))
				}
			}
		})
	}
}

// TestRulesAreTried keeps every rule tested: on a hit and a near miss, and on
// something not new if it compares values.
func TestRulesAreTried(t *testing.T) {
	tried := map[string]ruleCases{}
	for _, c := range severityCases() {
		if _, ok := tried[c.rule]; ok {
			t.Errorf("two tables for rule %q, want one", c.rule)
		}
		tried[c.rule] = c
	}
	seen := map[string]bool{}
	for _, r := range ruled.rules {
		if seen[r.name] {
			t.Errorf("two rules named %q, want one", r.name)
		}
		seen[r.name] = true
		c := tried[r.name]
		if len(c.hits) == 0 {
			t.Errorf("rule %q has no case that hits it", r.name)
		}
		if len(c.miss) == 0 && r.name != "changed" { // which is for all the rest
			t.Errorf("rule %q has no near miss", r.name)
		}
		if len(c.stale) == 0 && len(r.attributes) > 0 {
			t.Errorf("rule %q has no case of something that is not new", r.name)
		}
	}
}

// TestRulesAreSorted keeps the promise that the first match is the worst.
func TestRulesAreSorted(t *testing.T) {
	specific := ruled.rules[:len(ruled.rules)-len(ordinaryRules)]
	if !slices.IsSortedFunc(specific, func(a, b rule) int {
		return slices.Index(Severities(), a.severity) - slices.Index(Severities(), b.severity)
	}) {
		t.Error("rules are not sorted worst first")
	}
	last := ruled.rules[len(ruled.rules)-1]
	if len(last.types)+len(last.actions)+len(last.attributes) > 0 {
		t.Errorf("last rule is %q, want one without conditions", last.name)
	}
}

func TestClassifyAnswersEveryAction(t *testing.T) {
	want := map[Action]Severity{
		Create: Warning, Update: Warning, Delete: Warning, Replace: Warning, Import: Warning, Forget: Warning, "": Warning,
	}
	for action, severity := range want {
		s := update("aws_instance", "instance_type", `"t3.micro"`, `"t3.large"`)
		s.Action = action
		if got, reason := Classify(s); got != severity || reason == "" {
			t.Errorf("Classify(%s) = %s, %q, want %s", show(s), got, reason, severity)
		}
	}
}

// checkReason fails the test if a reason is not as the API promises it.
func checkReason(t *testing.T, reason string) {
	t.Helper()
	if reason == "" || len(reason) >= 120 {
		t.Errorf("reason %q has %d bytes, want 1 to 119", reason, len(reason))
	}
	if strings.ToLower(reason[:1]) != reason[:1] || strings.HasSuffix(reason, ".") {
		t.Errorf("reason %q does not start small or ends in a full stop", reason)
	}
	for _, r := range reason {
		if r < ' ' || r > '~' {
			t.Errorf("reason %q holds %q", reason, r)
		}
	}
}

func show(s Subject) string {
	b, err := json.Marshal(s)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// update is an update found outside of attributes given as name, JSON before
// and JSON after. An empty JSON is null.
func update(resourceType string, attributes ...string) Subject {
	s := Subject{Type: resourceType, Origin: Outside, Action: Update}
	for i := 0; i < len(attributes); i += 3 {
		a := Attribute{Name: attributes[i], Before: decode(attributes[i+1]), After: decode(attributes[i+2])}
		s.Attributes = append(s.Attributes, a)
		s.News = append(s.News, a.Name)
	}
	return s
}

// create is a planned creation, of attributes given as name and JSON.
func create(resourceType string, attributes ...string) Subject {
	s := Subject{Type: resourceType, Origin: Pending, Action: Create}
	for i := 0; i < len(attributes); i += 2 {
		s.Attributes = append(s.Attributes, Attribute{Name: attributes[i], After: decode(attributes[i+1])})
		s.News = append(s.News, attributes[i])
	}
	return s
}

func destroy(resourceType string) Subject {
	return Subject{Type: resourceType, Origin: Outside, Action: Delete}
}

func pending(s Subject) Subject {
	s.Origin = Pending
	return s
}

func outside(s Subject) Subject {
	s.Origin = Outside
	return s
}

func doing(action Action, s Subject) Subject {
	s.Action = action
	return s
}

// unknown is s with its attributes known only after the apply.
func unknown(s Subject) Subject {
	s.Origin = Pending
	for i := range s.Attributes {
		s.Attributes[i].Unknown = true
	}
	return s
}

// beside is s with the unchanged values of a JSON object.
func beside(values string, s Subject) Subject {
	s.Values, _ = decode(values).(map[string]any)
	return s
}

// decode panics on what is no JSON: a mistake in a table.
func decode(text string) any {
	if text == "" {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		panic(text + ": " + err.Error())
	}
	return v
}

// quote is text as JSON.
func quote(text string) string { return string(AppendString(nil, text)) }
