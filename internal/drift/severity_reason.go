package drift

import (
	"iter"
	"slices"
	"strconv"
	"strings"
)

// finding is what a rule found, as a phrase that reads both ways: "ingress
// opened to 0.0.0.0/0" of what happened, "would open ingress to 0.0.0.0/0" of
// what an apply would do. Its parts are canned, or checked before they get here.
type finding struct {
	thing string
	verb  verb
	rest  string // with the space or comma it starts with
}

// verb is what happened to the thing, and what would.
type verb struct{ done, would string }

// The verbs of all reasons.
var (
	allowed   = verb{"allowed", "allow"}
	attached  = verb{"attached", "attach"}
	changed   = verb{"changed", "change"}
	created   = verb{"created", "create"}
	deleted   = verb{"deleted", "delete"}
	forgotten = verb{"forgotten", "forget"}
	granted   = verb{"granted", "grant"}
	imported  = verb{"imported", "import"}
	lowered   = verb{"lowered", "lower"}
	made      = verb{"made", "make"}
	narrowed  = verb{"narrowed", "narrow"}
	opened    = verb{"opened", "open"}
	reduced   = verb{"reduced", "reduce"}
	removed   = verb{"removed", "remove"}
	replaced  = verb{"replaced", "replace"}
	turned    = verb{"turned", "turn"}
	widened   = verb{"widened", "widen"}
)

// say is the reason as people read it.
func (f finding) say(o Origin) string {
	if o == Pending {
		return "would " + f.verb.would + " " + f.thing + f.rest
	}
	return f.thing + " " + f.verb.done + f.rest
}

// maxTold bounds the names that a reason lists, so that it stays as short as
// Classify promises.
const maxTold = 88

// sayChanged names the attributes that changed, up to three, those that do more
// than describe first; of more than three it names two. What is only known after
// the apply may turn out to be what it was, and is not told of beside what
// certainly changes.
func sayChanged(s *Subject) finding {
	var names, labels []string
	count := 0
	for name := range namesWithNews(s) {
		count++
		switch {
		case !isAttributeName(name):
		case isLabel(s.Type, name):
			labels = append(labels, name)
		case len(names) < 3:
			names = append(names, name)
		}
	}
	told := slices.Concat(names, labels)
	most := 3
	if count > most || len(strings.Join(told, ", ")) > maxTold {
		most = 2
	}
	told = told[:min(len(told), most)]
	switch {
	case count == 0:
		return finding{"values", changed, ""}
	case count == 1 && len(told) == 1:
		return finding{told[0], changed, ""}
	case count == 1:
		return finding{"1 attribute", changed, ""}
	}
	thing := strconv.Itoa(count) + " attributes"
	if len(told) == 0 {
		return finding{thing, changed, ""}
	}
	rest := ": " + strings.Join(told, ", ")
	if count > len(told) {
		rest += " and " + strconv.Itoa(count-len(told)) + " more"
	}
	return finding{thing, changed, rest}
}

// namesWithNews yields the distinct top-level attributes with news: those that
// are known before the apply, if any is.
func namesWithNews(s *Subject) iter.Seq[string] {
	return func(yield func(string) bool) {
		known := slices.ContainsFunc(s.Attributes, Attribute.known)
		for i := range s.Attributes {
			if a := &s.Attributes[i]; (a.known() || !known) && !yield(a.Name) {
				return
			}
		}
		if len(s.Attributes) > 0 {
			return
		}
		seen := map[string]bool{}
		for _, path := range s.News {
			if name, _ := splitPath(path); !seen[name] {
				seen[name] = true
				if !yield(name) {
					return
				}
			}
		}
	}
}

// known reports whether something of the value after the change is known.
func (a Attribute) known() bool { return !a.Unknown || a.After != nil }

// splitPath separates the top-level attribute of a path from the rest.
func splitPath(path string) (name, rest string) {
	if i := strings.IndexAny(path, ".["); i > 0 {
		return path[:i], path[i:]
	}
	return path, ""
}

// isAttributeName reports whether name is short and spelt as providers spell
// their attributes, so that it may be quoted.
func isAttributeName(name string) bool {
	return len(name) <= 40 && isIdentifier(name)
}

// typeName is a resource type that may be quoted.
func typeName(resourceType string) string {
	if len(resourceType) <= 80 && isIdentifier(resourceType) {
		return resourceType
	}
	return "resource"
}

// isIdentifier reports whether s is a lower-case name of letters, digits, "_"
// and "-" that starts with a letter.
func isIdentifier(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || c != '_' && c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}
