package drift

import (
	"bytes"

	"github.com/driftsentry/driftsentry/internal/jsontree"
)

// maxDifferences is how many differences one attribute is told in. One that
// differs in more places is told as one change of the whole.
const maxDifferences = 1000

// Difference is a place where two versions of a resource do not say the same.
// Its values are the raw ones, secrets included: it lives only while a report
// is read and is masked before anything keeps it.
type Difference struct {
	Path string // as in Change.Path
	// Place is Path without what depends on the order in which a cloud happens
	// to list things, so that it is the same the next time.
	Place         string
	Before, After *jsontree.Value // nil: nothing there
	Unknown       bool            // the new value is known only after the apply
	Noise         NoiseReason
}

// Comparer finds the differences of a resource, one top-level attribute at a
// time. It is for one goroutine. Absent and null are the same to it.
type Comparer struct {
	// Type is the resource's type: some attributes are noise for some types.
	Type string
	// Parser is where JSON inside strings is taken apart. It must be the one
	// the compared trees come from.
	Parser *jsontree.Parser

	out   []Difference
	path  []byte
	place []byte
}

// spot is what the comparison knows of where in the resource it is.
type spot struct {
	name   []byte // the innermost member's name
	keys   bool   // names are what users chose: tags, labels, JSON in a string
	policy bool   // inside an IAM policy document
	block  bool   // inside an element of a list
}

// Attribute compares the two versions of one top-level attribute. unknown is
// its part of Terraform's after_unknown, nil where all is known. The result is
// good until the next call.
func (c *Comparer) Attribute(name []byte, before, after, unknown *jsontree.Value) []Difference {
	c.out, c.path, c.place = c.out[:0], c.path[:0], c.place[:0]
	c.enter(name)
	c.compare(before, after, unknown, spot{name: name, keys: holdsUserKeys(name)})
	if len(c.out) >= maxDifferences {
		c.out = c.out[:0]
		c.add(Difference{Before: before, After: after, Unknown: unknown.Kind() == jsontree.True})
	}
	return c.out
}

// Whole is the one difference of an attribute of a resource that is created or
// deleted.
func Whole(name []byte, before, after *jsontree.Value) Difference {
	var path string
	if isPlainName(name) {
		path = string(name)
	} else {
		path = string(appendName(nil, name))
	}
	return Difference{Path: path, Place: path, Before: before, After: after}
}

// compare tells how before and after differ at the current path.
func (c *Comparer) compare(before, after, unknown *jsontree.Value, at spot) {
	if unknown != nil && !bytes.Contains(unknown.Raw, []byte("true")) {
		unknown = nil // sparse trees say false, {} and [] for what is known
	}
	switch {
	case len(c.out) >= maxDifferences:
		return
	case unknown.Kind() == jsontree.True:
		noise := NoiseReason("")
		if c.computed(at) {
			noise = NoiseComputed
		}
		c.add(Difference{Before: before, Unknown: true, Noise: noise})
		return
	case unknown == nil && before != nil && after != nil && bytes.Equal(before.Raw, after.Raw):
		return
	case unknown == nil && before.Kind() == jsontree.Null && after.Kind() == jsontree.Null:
		return
	case c.computed(at):
		c.add(Difference{Before: before, After: after, Noise: NoiseComputed})
		return
	case unknown == nil && isEmpty(before) && isEmpty(after):
		c.empties(before, after, at)
		return
	case unknown == nil && at.block && !at.keys && isUnset(before, after):
		c.add(Difference{Before: before, After: after, Noise: NoiseEmpty})
		return
	}
	if at.policy && c.policyEqual(before, after, at) {
		c.add(Difference{Before: before, After: after, Noise: NoiseNormalized})
		return
	}
	switch kind := commonKind(before, after, unknown); kind {
	case jsontree.Object:
		c.members(before, after, unknown, at)
	case jsontree.Array:
		c.elements(before, after, kids(before), kids(after), kids(unknown), at)
	default:
		if at.policy && c.policyList(before, after, at) {
			return
		}
		c.scalars(before, after, at)
	}
}

// commonKind is Object or Array when both sides are that or nothing, and Null
// when they can only be told as a whole.
func commonKind(before, after, unknown *jsontree.Value) jsontree.Kind {
	common := jsontree.Null
	for _, v := range [...]*jsontree.Value{before, after, unknown} {
		switch kind := v.Kind(); {
		case kind == jsontree.Null:
		case kind != jsontree.Object && kind != jsontree.Array:
			return jsontree.Null
		case common == jsontree.Null:
			common = kind
		case common != kind:
			return jsontree.Null
		}
	}
	return common
}

// members compares two objects by name. Either may be missing.
func (c *Comparer) members(before, after, unknown *jsontree.Value, at spot) {
	var sides [3][]jsontree.Value
	for i, v := range [...]*jsontree.Value{before, after, unknown} {
		if v.Kind() == jsontree.Object {
			sides[i] = v.Kids
		}
	}
	for {
		var name []byte
		for _, kids := range sides {
			if len(kids) > 0 && (name == nil || bytes.Compare(kids[0].Name, name) < 0) {
				name = kids[0].Name
			}
		}
		if name == nil {
			return
		}
		var member [3]*jsontree.Value
		for i := range sides {
			for len(sides[i]) > 0 && bytes.Equal(sides[i][0].Name, name) {
				member[i] = &sides[i][0] // of several with this name the last counts
				sides[i] = sides[i][1:]
			}
		}
		path, place := len(c.path), len(c.place)
		c.enter(name)
		c.compare(member[0], member[1], member[2], spot{
			name: name, keys: at.keys || holdsUserKeys(name), policy: at.policy, block: at.block,
		})
		c.path, c.place = c.path[:path], c.place[:place]
	}
}

// scalars compares what is not taken apart further, except strings that hold JSON.
func (c *Comparer) scalars(before, after *jsontree.Value, at spot) {
	switch b, a := before.Kind(), after.Kind(); {
	case b == jsontree.String && a == jsontree.String:
		inBefore, inAfter := before.Inner(c.Parser), after.Inner(c.Parser)
		if inBefore != nil && inAfter != nil {
			c.documents(before, after, inBefore, inAfter, at)
			return
		}
		if bytes.Equal(before.Text(), after.Text()) {
			return // the same, escaped differently
		}
	case b == jsontree.Number && a == jsontree.Number:
		if jsontree.SameNumber(before.Raw, after.Raw) {
			return
		}
	case sameSpelling(before, after):
		c.add(Difference{Before: before, After: after, Noise: NoiseNormalized})
		return
	}
	c.add(Difference{Before: before, After: after})
}

// documents compares what two strings hold.
func (c *Comparer) documents(before, after, inBefore, inAfter *jsontree.Value, at spot) {
	told := len(c.out)
	c.compare(inBefore, inAfter, nil, spot{
		name: at.name, keys: true, policy: isPolicy(inBefore) && isPolicy(inAfter),
	})
	if told == len(c.out) {
		c.add(Difference{Before: before, After: after, Noise: NoiseNormalized})
	}
}

// sameSpelling reports whether a string and a number or boolean are the same
// but for the quotes.
func sameSpelling(a, b *jsontree.Value) bool {
	if b.Kind() == jsontree.String {
		a, b = b, a
	}
	if a.Kind() != jsontree.String {
		return false
	}
	switch b.Kind() {
	case jsontree.Number:
		return jsontree.IsNumber(a.Text()) && jsontree.SameNumber(a.Text(), b.Raw)
	case jsontree.True, jsontree.False:
		return bytes.Equal(a.Text(), b.Raw)
	}
	return false
}

// empties compares two values that say nothing.
func (c *Comparer) empties(before, after *jsontree.Value, at spot) {
	b, a := before.Kind(), after.Kind()
	switch {
	case b == jsontree.Object && a == jsontree.Object:
		c.members(before, after, nil, at)
	case b != a || len(kids(before)) != len(kids(after)):
		c.add(Difference{Before: before, After: after, Noise: NoiseEmpty})
	}
}

// isUnset reports whether one side is null and the other zero or false. In a
// nested block the cloud fills in what the code leaves out; a resource's own
// attributes say something with false.
func isUnset(before, after *jsontree.Value) bool {
	return before.Kind() == jsontree.Null && IsZero(after) || after.Kind() == jsontree.Null && IsZero(before)
}

// IsZero reports whether v is null, false or a number that is zero.
func IsZero(v *jsontree.Value) bool {
	switch v.Kind() {
	case jsontree.Null, jsontree.False:
		return true
	case jsontree.Number:
		return jsontree.SameNumber(v.Raw, []byte("0"))
	}
	return false
}

// isEmpty reports whether v says nothing: null, "", [], {} or a container of
// nothing else.
func isEmpty(v *jsontree.Value) bool {
	switch v.Kind() {
	case jsontree.Null:
		return true
	case jsontree.String:
		return len(v.Raw) == len(`""`)
	case jsontree.Array, jsontree.Object:
		for i := range v.Kids {
			if !isEmpty(&v.Kids[i]) {
				return false
			}
		}
		return true
	}
	return false
}

func kids(v *jsontree.Value) []jsontree.Value {
	if v.Kind() != jsontree.Array {
		return nil
	}
	return v.Kids
}

// add tells a difference at the current path.
func (c *Comparer) add(d Difference) {
	if len(c.out) >= maxDifferences {
		return // it will be told as a whole
	}
	d.Path, d.Place = string(c.path), string(c.place)
	c.out = append(c.out, d)
}
