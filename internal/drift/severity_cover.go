package drift

import "slices"

// cover tells which principals, actions and resources of a new statement an old
// one already has, by index, whether its condition lets as much through, and if
// not, whether that is because the new one is looser.
type cover struct {
	principals, actions, resources []bool
	condition, looser              bool
}

func newCover(old, s *statement) cover {
	return cover{
		principals: old.principals.covers(&s.principals),
		actions:    old.actions.covers(&s.actions),
		resources:  old.resources.covers(&s.resources),
		condition:  old.condition.covers(s.condition),
		looser:     s.condition.looser(old.condition),
	}
}

// full reports whether the old statement has all of the new one.
func (c cover) full() bool {
	every := func(covered []bool) bool { return !slices.Contains(covered, false) }
	return c.condition && every(c.principals) && every(c.actions) && every(c.resources)
}

// size is how many names there are to look at; all that is not in a list of
// exceptions counts as one.
func (n *names) size() int {
	if n.not {
		return 1
	}
	return len(n.list)
}

// at is a name; everything but exceptions is as good as everything.
func (n *names) at(i int) string {
	if n.not {
		return "*"
	}
	return n.list[i]
}

// covers tells for each of the names in others whether n has it.
func (n *names) covers(others *names) []bool {
	covered := make([]bool, others.size())
	for i := range covered {
		switch {
		case others.not && n.not:
			// All but A lies within all but B if every B lies within A.
			covered[i] = !slices.ContainsFunc(n.list, func(b string) bool { return !anyCovers(others.list, b) })
		case others.not:
			covered[i] = slices.Contains(n.list, "*")
		case n.not:
			name := others.list[i]
			covered[i] = !anyCovers(n.list, name) &&
				!slices.ContainsFunc(n.list, func(b string) bool { return globCovers(name, b) })
		default:
			covered[i] = anyCovers(n.list, others.list[i])
		}
	}
	return covered
}

func anyCovers(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return globCovers(p, name) })
}

// equal reports whether two statements are written alike.
func (s *statement) equal(o statement) bool {
	same := func(a, b names) bool { return a.not == b.not && slices.Equal(a.list, b.list) }
	return s.deny == o.deny && s.condition.covers(o.condition) && o.condition.covers(s.condition) && same(s.principals, o.principals) &&
		same(s.actions, o.actions) && same(s.resources, o.resources)
}

func allows(statements []statement) []statement { return withEffect(statements, false) }

func denies(statements []statement) []statement { return withEffect(statements, true) }

func withEffect(statements []statement, deny bool) []statement {
	var with []statement
	for _, s := range statements {
		if s.deny == deny {
			with = append(with, s)
		}
	}
	return with
}
