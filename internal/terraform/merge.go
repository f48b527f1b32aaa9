package terraform

import (
	"bytes"
	"slices"

	"github.com/driftsentry/driftsentry/internal/jsontree"
)

// member is a member of an object: an attribute of a resource.
type member struct {
	name  []byte // unquoted
	value []byte // text
}

// side is a resource as it was or will be.
type side struct {
	members []member // sorted by name
}

// parse takes the object in front of the cursor apart.
func (s *side) parse(c *jsontree.Cursor) error {
	sorted := true // as Terraform writes it
	for c.Enter(); ; {
		quoted, more := c.Name()
		if !more {
			break
		}
		m := member{name: jsontree.Unquote(quoted), value: c.Value()}
		if n := len(s.members); n > 0 && bytes.Compare(s.members[n-1].name, m.name) > 0 {
			sorted = false
		}
		if s.members = append(s.members, m); len(s.members) > maxAttributes {
			return flawed("has more attributes than any resource")
		}
	}
	if !sorted {
		slices.SortFunc(s.members, func(a, b member) int { return bytes.Compare(a.name, b.name) })
	}
	return nil
}

// merge walks two sides of a resource at once, by attribute.
type merge struct {
	before, after []member // what is left of them
	others        []member // names of which neither side may have a value
}

// alsoMembersOf lets the walk visit the names of another object, too.
func (m *merge) alsoMembersOf(v *jsontree.Value) {
	if v.Kind() == jsontree.Object {
		for i := range v.Kids {
			m.others = append(m.others, member{name: v.Kids[i].Name})
		}
	}
}

// next is the next attribute, or false after the last.
func (m *merge) next() (attribute, bool) {
	var a attribute
	for _, side := range [...][]member{m.before, m.after, m.others} {
		if len(side) > 0 && (a.name == nil || bytes.Compare(side[0].name, a.name) < 0) {
			a.name = side[0].name
		}
	}
	if a.name == nil {
		return a, false
	}
	a.before, m.before = take(m.before, a.name)
	a.after, m.after = take(m.after, a.name)
	_, m.others = take(m.others, a.name)
	return a, true
}

// take takes the value called name off the front of members.
func take(members []member, name []byte) (value []byte, rest []member) {
	if len(members) > 0 && bytes.Equal(members[0].name, name) {
		return members[0].value, members[1:]
	}
	return nil, members
}
