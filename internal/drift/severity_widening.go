package drift

import (
	"slices"
	"strings"
)

// widensPolicy matches a document that allows something the old one did not, or
// no longer forbids something. Of a new document only what everybody or an
// administrator gets is critical: the code asks for it, and it had to allow
// something.
func widensPolicy(e *evidence) (finding, bool) {
	before, after, ok := e.policies()
	if !ok {
		return finding{}, false
	}
	w := weigh(allows(before), allows(after))
	if e.Action == Create && w.rank < everyAction {
		return finding{}, false
	}
	if w.rank <= otherCondition && !e.unknown && weigh(denies(after), denies(before)).rank > otherCondition {
		w = widening{denyLoosened, " by loosening a deny"}
	}
	return finding{e.policyName(), widened, w.rest}, w.rank > otherCondition
}

// changesCondition matches a document that allows or forbids the same under a
// condition that asks for something else, which may let more through or less.
func changesCondition(e *evidence) (finding, bool) {
	before, after, ok := e.policies()
	other := ok && (weigh(allows(before), allows(after)).rank == otherCondition ||
		!e.unknown && weigh(denies(after), denies(before)).rank == otherCondition)
	return finding{e.policyName() + " condition", changed, ""}, other && e.Action != Create
}

// narrowsPolicy matches a document that allows less than the old one did.
func narrowsPolicy(e *evidence) (finding, bool) {
	before, after, ok := e.policies()
	less := ok && !e.unknown && (weigh(allows(after), allows(before)).rank > 0 || weigh(denies(before), denies(after)).rank > 0)
	return finding{e.policyName(), narrowed, ""}, less && e.Action != Create
}

// beyondComparison matches a document that is too large to be weighed.
func beyondComparison(e *evidence) (finding, bool) {
	_, _, before := readPolicies(e.before[0])
	_, _, after := readPolicies(e.after[0])
	return finding{e.policyName(), changed, ", too large to compare"}, before || after
}

// policies are the documents on both sides. It fails where there are none, or
// they are too large, or the new one is not known yet.
func (e *evidence) policies() (before, after []statement, ok bool) {
	before, foundBefore, largeBefore := readPolicies(e.before[0])
	after, foundAfter, largeAfter := readPolicies(e.after[0])
	if largeBefore || largeAfter || e.unknown && !foundAfter {
		return nil, nil, false
	}
	// Something that is there and no document, next to one, cannot be weighed.
	if !foundBefore && isOn(e.before[0]) || !foundAfter && isOn(e.after[0]) {
		return nil, nil, false
	}
	return before, after, foundBefore || foundAfter
}

// policyName is "trust policy" for who may become a role, else "policy".
func (e *evidence) policyName() string {
	if e.attribute == "assume_role_policy" {
		return "trust policy"
	}
	return "policy"
}

// The ranks of a widening, the worst highest.
const (
	otherCondition = iota + 1 // wider or narrower: who can tell
	denyLoosened
	moreNames
	newStatement
	everyResource
	everyService
	conditionGone
	everyAction
	everybody
)

// widening is the worst of what one set of statements allows beyond another,
// and the end of the phrase for it.
type widening struct {
	rank int
	rest string
}

// maxComparisons bounds how often single permissions are compared. What is left
// then, and within no single old statement, counts as wider.
const maxComparisons = 1 << 18

// weigh finds what statements of one effect allow beyond others.
func weigh(old, now []statement) widening {
	var worst widening
	left := maxComparisons
	for i := range now {
		s := &now[i]
		if slices.ContainsFunc(old, s.equal) {
			continue
		}
		covers := make([]cover, len(old))
		for j := range old {
			covers[j] = newCover(&old[j], s)
		}
		if slices.ContainsFunc(covers, cover.full) {
			continue
		}
		if w := weighStatement(covers, s, len(now) > len(old), &left); w.rank > worst.rank {
			worst = w
		}
	}
	return worst
}

func weighStatement(covers []cover, s *statement, added bool, left *int) widening {
	var worst widening
	for p := range s.principals.size() {
		for a := range s.actions.size() {
			for r := range s.resources.size() {
				if *left -= 1 + len(covers); *left < 0 {
					return widening{max(worst.rank, moreNames), worst.rest}
				}
				if w := weighOne(covers, s, p, a, r, added); w.rank > worst.rank {
					worst = w
				}
			}
		}
	}
	return worst
}

// weighOne says what it means that s allows one principal one action on one
// resource, given what the old statements cover.
func weighOne(covers []cover, s *statement, p, a, r int, added bool) widening {
	var who, what, where, always, looser bool
	for i := range covers {
		c := &covers[i]
		cp, ca, cr := c.principals[p], c.actions[a], c.resources[r]
		switch {
		case cp && ca && cr && c.condition:
			return widening{}
		case cp && ca && cr:
			always = true
			looser = looser || c.looser
		case c.condition && ca && cr:
			who = true
		case c.condition && cp && cr:
			what = true
		case c.condition && cp && ca:
			where = true
		}
	}
	action := s.actions.at(a)
	switch {
	case always && !looser:
		return widening{otherCondition, ""}
	case len(s.condition) == 0 && s.principals.not:
		return widening{everybody, " to all but some principals"}
	case len(s.condition) == 0 && s.principals.at(p) == "*":
		return widening{everybody, ` to principal "*"`}
	case s.actions.not:
		return widening{everyAction, " to all but some actions"}
	case action == "*":
		return widening{everyAction, " to all actions"}
	case always && len(s.condition) == 0:
		return widening{conditionGone, " by removing a condition"}
	case always:
		return widening{conditionGone, " by loosening a condition"}
	case strings.HasSuffix(action, ":*"):
		return widening{everyService, " to all actions of a service"}
	case s.resources.at(r) == "*" && writes(action):
		return widening{everyResource, " to all resources"}
	case added:
		return widening{newStatement, " by a new statement"}
	case what:
		return widening{moreNames, " to more actions"}
	case where:
		return widening{moreNames, " to more resources"}
	case who:
		return widening{moreNames, " to more principals"}
	default:
		return widening{moreNames, ""}
	}
}

// writes reports whether an action does more than look.
func writes(action string) bool {
	_, verb, ok := strings.Cut(action, ":")
	for _, look := range []string{"get", "list", "describe", "view", "lookup", "batchget"} {
		if strings.HasPrefix(verb, look) {
			return false
		}
	}
	return ok
}
