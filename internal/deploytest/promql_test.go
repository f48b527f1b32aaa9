package deploytest

import (
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// selector is one choice of series in a query.
type selector struct {
	Name    string // or, where the name is matched like a label:
	Pattern string
	Labels  map[string]string // matched labels, with what they are matched with
}

var tokens = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\$+\{?[A-Za-z_]\w*(?:[.:][\w:]+)?\}?|[A-Za-z_][\w:]*|\d[\w.]*|=~|!~|!=|[^\s]`)

var (
	// Words before a list of labels, and words that stand alone.
	labelLists = []string{"by", "without", "on", "ignoring", "group_left", "group_right"}
	operators  = []string{"and", "or", "unless", "atan2", "offset", "bool", "inf", "nan"}

	word = regexp.MustCompile(`^[A-Za-z_][\w:]*$`)
)

// selectors finds the series that a PromQL expression names. It is no parser, for
// those cost half a minute of building; Prometheus itself reads every query in the
// end-to-end test. The rule: a word is a metric unless it is followed by a
// parenthesis or by a grouping, is an operator, or stands in a list of labels.
func selectors(expr string) []selector {
	var found []selector
	all := tokens.FindAllString(expr, -1)
	at := func(i int) string {
		if i < len(all) {
			return all[i]
		}
		return ""
	}
	for i := 0; i < len(all); i++ {
		switch token := all[i]; {
		case token == "{":
			s := selector{}
			s.Labels, i = matchers(all, i)
			s.Name = s.Labels["__name__="]
			s.Pattern = s.Labels["__name__=~"]
			delete(s.Labels, "__name__=")
			delete(s.Labels, "__name__=~")
			found = append(found, s)
		case slices.Contains(labelLists, token) && at(i+1) == "(":
			i += slices.Index(all[i:], ")")
		case !word.MatchString(token), slices.Contains(operators, token), slices.Contains(labelLists, token),
			at(i+1) == "(", at(i+1) == "by", at(i+1) == "without":
		case at(i+1) == "{":
			s := selector{Name: token}
			s.Labels, i = matchers(all, i+1)
			found = append(found, s)
		default:
			found = append(found, selector{Name: token})
		}
	}
	return found
}

// matchers reads from the brace at start to the one that closes it. The keys are
// label and operator.
func matchers(all []string, start int) (map[string]string, int) {
	labels := map[string]string{}
	i := start + 1
	for ; i < len(all) && all[i] != "}"; i++ {
		if word.MatchString(all[i]) && i+2 < len(all) {
			labels[all[i]+all[i+1]] = all[i+2][1 : len(all[i+2])-1]
			i += 2
		}
	}
	return labels, i
}

func TestSelectors(t *testing.T) {
	t.Parallel()
	none := map[string]string{}
	for _, test := range []struct {
		expr string
		want []selector
	}{
		{`up`, []selector{{Name: "up"}}},
		{`sum by (job, up) (rate(x_total{a="b{c}", d=~"e|f"}[5m])) > 0`, []selector{{Name: "x_total", Labels: map[string]string{"a=": "b{c}", "d=~": "e|f"}}}},
		{`sum(a{}) by (x) / on (job) group_left (y) b offset 5m`, []selector{{Name: "a", Labels: none}, {Name: "b"}}},
		{`max without (z) (job:c:rate5m) and d unless e or f * 1e9`, []selector{{Name: "job:c:rate5m"}, {Name: "d"}, {Name: "e"}, {Name: "f"}}},
		{`rate({__name__=~"a_(b|c)", job="d"}[$__rate_interval])`, []selector{{Pattern: "a_(b|c)", Labels: map[string]string{"job=": "d"}}}},
		{`min_over_time(timestamp(g{i=~"$i"})[$__range:$__interval]) * 1000`, []selector{{Name: "g", Labels: map[string]string{"i=~": "$i"}}}},
		{`label_replace(absent(h) * 0, "code", "${1}xx", "", "(.)..") > bool 26 * 3600`, []selector{{Name: "h"}}},
		{`j{$$__tags, k="$${__span.name}"}[5m]`, []selector{{Name: "j", Labels: map[string]string{"k=": "$${__span.name}"}}}},
		{`time() - max by (stack) (l)`, []selector{{Name: "l"}}},
	} {
		if diff := cmp.Diff(test.want, selectors(test.expr)); diff != "" {
			t.Errorf("selectors(%s) (-want +got):\n%s", test.expr, diff)
		}
	}
}
