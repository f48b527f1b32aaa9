package drift

import (
	"fmt"
	"slices"
	"strings"
)

// condition is a statement's condition: for each operator and key, as
// "IpAddress aws:SourceIp", the values of which one must hold, sorted. Nil is
// no condition.
type condition map[string][]string

// readCondition reads a decoded condition. What does not look like one is kept
// as a condition that only its like covers.
func readCondition(v any) condition {
	operators, ok := v.(map[string]any)
	if !ok && v != nil {
		return condition{"": {fmt.Sprint(v)}}
	}
	var c condition
	for operator, keys := range operators {
		byKey, ok := keys.(map[string]any)
		if !ok {
			byKey = map[string]any{"": keys}
		}
		for key, value := range byKey {
			list, ok := value.([]any)
			if !ok {
				list = []any{value}
			}
			if c == nil {
				c = condition{}
			}
			name := strings.ToLower(operator + " " + key)
			for _, element := range list {
				c[name] = append(c[name], fmt.Sprint(element))
			}
			slices.Sort(c[name])
		}
	}
	return c
}

// covers reports whether c holds wherever other does, as far as that can be
// told without knowing any request: other must ask for all that c asks for, and
// accept no other values.
func (c condition) covers(other condition) bool {
	for name, values := range c {
		accepted, ok := other[name]
		if !ok {
			return false
		}
		if !fewerValuesAreStricter(name) {
			if !slices.Equal(values, accepted) {
				return false
			}
			continue
		}
		if slices.ContainsFunc(accepted, func(v string) bool { return !slices.Contains(values, v) }) {
			return false
		}
	}
	return true
}

// fewerValuesAreStricter reports whether an operator asks for one of its values
// rather than for none of them, or a comparison.
func fewerValuesAreStricter(name string) bool {
	operator, _, _ := strings.Cut(name, " ")
	operator = strings.TrimPrefix(operator, "forallvalues:")
	operator = strings.TrimPrefix(operator, "foranyvalue:")
	switch strings.TrimSuffix(operator, "ifexists") {
	case "stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress":
		return true
	default:
		return false
	}
}
