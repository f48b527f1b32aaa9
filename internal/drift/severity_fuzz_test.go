package drift

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// planted stands for a secret among the values of a resource.
const planted = "Zq7xK-planted-x7qZ"

func TestReasonsHoldNoValue(t *testing.T) {
	for _, c := range severityCases() {
		for _, h := range c.hits {
			checkPlanted(t, h.subject)
		}
	}
}

func FuzzClassify(f *testing.F) {
	for _, c := range severityCases() {
		for _, h := range c.hits {
			f.Add([]byte(show(h.subject)))
		}
		for _, s := range slices.Concat(c.miss, c.stale) {
			f.Add([]byte(show(s)))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d := json.NewDecoder(strings.NewReader(string(text)))
		d.UseNumber()
		var s Subject
		if d.Decode(&s) != nil {
			return
		}
		if strings.Contains(string(text), "planted") {
			return // names are quoted, and may be anything here
		}
		severity, reason := Classify(s)
		if !slices.Contains(Severities(), severity) {
			t.Errorf("Classify(%s) = %q, want a severity", text, severity)
		}
		checkReason(t, reason)
		if again, same := Classify(s); again != severity || same != reason {
			t.Errorf("Classify(%s) = %s, %q and then %s, %q", text, severity, reason, again, same)
		}
		checkPlanted(t, s)
	})
}

// checkPlanted puts a secret in the place of each text among the values, one at
// a time and then all, and fails the test if a reason tells it.
func checkPlanted(t *testing.T, s Subject) {
	t.Helper()
	const most = 20
	for at := -1; at < most; at++ {
		n := 0
		plant := func(text string) string {
			n++
			if at < 0 || n-1 == at {
				return planted
			}
			return text
		}
		changed := s
		changed.Attributes = slices.Clone(s.Attributes)
		for i := range changed.Attributes {
			a := &changed.Attributes[i]
			a.Before, a.After = replaceTexts(a.Before, plant), replaceTexts(a.After, plant)
		}
		changed.Values, _ = replaceTexts(s.Values, plant).(map[string]any)
		if _, reason := Classify(changed); strings.Contains(reason, planted) {
			t.Errorf("Classify(%s) = %q, which tells a value", show(changed), reason)
		}
		if n <= at {
			return
		}
	}
}

// replaceTexts is v with every text put through change, in the order of sorted
// keys, and those within texts that hold JSON as well.
func replaceTexts(v any, change func(string) string) any {
	switch v := v.(type) {
	case string:
		var inner any
		if strings.HasPrefix(v, "{") && json.Unmarshal([]byte(v), &inner) == nil {
			b, err := json.Marshal(replaceTexts(inner, change))
			if err == nil {
				return string(b)
			}
		}
		return change(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = replaceTexts(v[i], change)
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			m[k] = replaceTexts(v[k], change)
		}
		return m
	default:
		return v
	}
}
