package drift

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
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
		if !ok || !accepts(name, values, accepted) {
			return false
		}
	}
	return true
}

// looser reports whether c asks for less than old did: a part of old is missing,
// turned round, or lets more through. Other values alone make it different, not
// looser.
func (c condition) looser(old condition) bool {
	for name, before := range old {
		now, ok := c[name]
		if !ok || acceptsMore(name, now, before) {
			return true
		}
	}
	return false
}

// accepts reports whether an operator lets with some values everything through
// that it lets through with others.
func accepts(name string, values, others []string) bool {
	how := howToCompare(name)
	if how.negated {
		values, others = others, values
	}
	if how.covers == nil {
		return slices.Equal(values, others)
	}
	return !slices.ContainsFunc(others, func(o string) bool {
		return !slices.ContainsFunc(values, func(v string) bool { return how.covers(v, o) })
	})
}

// acceptsMore reports whether an operator lets with now all through that it let
// through before and more, as a whole or by one value that takes in another.
func acceptsMore(name string, now, before []string) bool {
	if accepts(name, before, now) {
		return false
	}
	how := howToCompare(name)
	switch {
	case accepts(name, now, before):
		return true
	case how.covers == nil:
		return how.twoWays
	case how.negated:
		now, before = before, now
	}
	return slices.ContainsFunc(now, func(n string) bool {
		return slices.ContainsFunc(before, func(b string) bool { return how.covers(n, b) && !how.covers(b, n) })
	}) || how.addresses && worldIn(now) != "" && worldIn(before) == ""
}

// comparison is how the values of an operator are weighed against others.
type comparison struct {
	covers    func(value, other string) bool // nil: values can only be equal
	negated   bool                           // it asks for none of its values
	twoWays   bool                           // there are two values, and each undoes the other
	addresses bool
}

// howToCompare tells operators that ask for one of their values from those that
// ask for none of them, and both from comparisons.
func howToCompare(name string) comparison {
	operator, _, _ := strings.Cut(name, " ")
	operator = strings.TrimPrefix(operator, "forallvalues:")
	operator = strings.TrimPrefix(operator, "foranyvalue:")
	operator = strings.TrimSuffix(operator, "ifexists")
	positive := strings.Replace(operator, "not", "", 1)
	negated := positive != operator
	switch positive {
	case "stringequals":
		return comparison{covers: func(v, o string) bool { return v == o }, negated: negated}
	case "stringequalsignorecase":
		return comparison{covers: strings.EqualFold, negated: negated}
	case "stringlike", "arnequals", "arnlike":
		return comparison{covers: globCovers, negated: negated}
	case "ipaddress":
		return comparison{covers: rangeCovers, negated: negated, addresses: !negated}
	case "numericlessthan", "numericlessthanequals", "datelessthan", "datelessthanequals":
		return comparison{covers: reaches}
	case "numericgreaterthan", "numericgreaterthanequals", "dategreaterthan", "dategreaterthanequals":
		return comparison{covers: func(v, o string) bool { return reaches(o, v) }}
	case "bool", "null":
		return comparison{twoWays: true}
	default:
		return comparison{}
	}
}

// rangeCovers reports whether a range of addresses holds another.
func rangeCovers(text, other string) bool {
	if text == other {
		return true
	}
	a, okA := addressRange(text)
	b, okB := addressRange(other)
	return okA && okB && a.Bits() <= b.Bits() && a.Contains(b.Addr())
}

func addressRange(text string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p, true
	}
	ip, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(ip, ip.BitLen()), true
}

// reaches reports whether a number or a time is at least as great as another;
// of what is neither, only the same does.
func reaches(text, other string) bool {
	if text == other {
		return true
	}
	a, errA := strconv.ParseFloat(text, 64)
	b, errB := strconv.ParseFloat(other, 64)
	if errA == nil && errB == nil {
		return a >= b
	}
	from, errA := time.Parse(time.RFC3339, text)
	to, errB := time.Parse(time.RFC3339, other)
	return errA == nil && errB == nil && !from.Before(to)
}
