package drift

import (
	"cmp"
	"slices"
	"strings"
)

// rulebook holds the rules, worst first and the ordinary ones last, and finds
// those that can apply to a resource without asking each: an attribute that no
// rule names costs one map lookup.
type rulebook struct {
	rules       []rule
	types       []typeSet         // of the rule with the same index
	byAttribute map[string][]lead // by top-level attribute, worst rule first
	whole       []int             // rules without attributes, worst first
}

// lead points from a top-level attribute to a rule and on into the attribute.
type lead struct {
	rule int
	path []string
}

// newRulebook sorts rules worst first. The ordinary ones follow in their order;
// the last of them must match everything.
func newRulebook(rules, ordinary []rule) *rulebook {
	slices.SortStableFunc(rules, func(a, b rule) int {
		return cmp.Compare(slices.Index(Severities(), a.severity), slices.Index(Severities(), b.severity))
	})
	rules = append(rules, ordinary...)
	b := &rulebook{rules: rules, byAttribute: map[string][]lead{}}
	for i := range rules {
		b.types = append(b.types, newTypeSet(rules[i].types))
		if len(rules[i].attributes) == 0 {
			b.whole = append(b.whole, i)
		}
		for _, path := range rules[i].attributes {
			names := strings.Split(path, ".")
			b.byAttribute[names[0]] = append(b.byAttribute[names[0]], lead{rule: i, path: names[1:]})
		}
	}
	return b
}

// first is the first rule that matches, and what it found.
func (b *rulebook) first(s *Subject) (*rule, finding) {
	best, found := len(b.rules), finding{}
	e := &evidence{Subject: s}
	try := func(i int) bool {
		f, ok := b.rules[i].find(e)
		if ok {
			best, found = i, f
		}
		return ok
	}
	if s.Action != Delete && s.Action != Forget {
		for i := range s.Attributes {
			a := &s.Attributes[i]
			for _, l := range b.byAttribute[a.Name] {
				if l.rule >= best {
					break
				}
				if b.applies(l.rule, s) {
					e.look(a, l.path)
					if try(l.rule) {
						break
					}
				}
			}
		}
	}
	e.attribute, e.unknown, e.before, e.after = "", false, nil, nil
	for _, i := range b.whole {
		if i >= best || b.applies(i, s) && try(i) {
			break
		}
	}
	return &b.rules[best], found
}

// look turns the evidence to what is at a path in an attribute.
func (e *evidence) look(a *Attribute, path []string) {
	e.attribute, e.unknown = a.Name, a.Unknown
	e.before = appendLeaves(e.before[:0], a.Before, path)
	e.after = appendLeaves(e.after[:0], a.After, path)
}

func (b *rulebook) applies(rule int, s *Subject) bool {
	r := &b.rules[rule]
	return (len(r.actions) == 0 || slices.Contains(r.actions, s.Action)) && b.types[rule].has(s.Type)
}

// typeSet is a set of resource types, some of them patterns.
type typeSet struct {
	every    bool
	exact    map[string]struct{}
	patterns []string
}

func newTypeSet(types []string) typeSet {
	set := typeSet{every: len(types) == 0, exact: map[string]struct{}{}}
	for _, t := range types {
		if strings.Contains(t, "*") {
			set.patterns = append(set.patterns, t)
		} else {
			set.exact[t] = struct{}{}
		}
	}
	return set
}

func (t *typeSet) has(name string) bool {
	if t.every {
		return true
	}
	if _, ok := t.exact[name]; ok {
		return true
	}
	return slices.ContainsFunc(t.patterns, func(p string) bool { return globCovers(p, name) })
}

// globCovers reports whether all that name stands for is among what pattern
// stands for, where "*" is any run of characters. A "?" is taken as itself:
// hardly anybody writes one, and matching it could take quadratic time.
func globCovers(pattern, name string) bool {
	head, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, head)
	if !ok {
		return false
	}
	for {
		var part string
		part, rest, wild = strings.Cut(rest, "*")
		if !wild {
			return strings.HasSuffix(name, part)
		}
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
}

// appendLeaves appends the values found at path in v, going through the lists
// that nested blocks are. A block without the member yields a nil; no block
// yields nothing. An empty path yields v itself.
func appendLeaves(leaves []any, v any, path []string) []any {
	if len(path) == 0 {
		return append(leaves, v)
	}
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			leaves = appendLeaves(leaves, element, path)
		}
	case map[string]any:
		leaves = appendLeaves(leaves, v[path[0]], path[1:])
	}
	return leaves
}
