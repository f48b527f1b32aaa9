package drift

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/driftsentry/driftsentry/internal/jsontree"
)

// pairing says which elements of two lists are taken for the same thing.
type pairing struct {
	before, after []jsontree.Value
	ofBefore      []int // index into after, or alone
	ofAfter       []int // index into before, or alone
}

const alone = -1

// elements compares two lists, as sets before positions: a provider that lists
// the same things in another order has not changed any, and one more rule in
// the middle is one rule added, not an edit of all that follow.
func (c *Comparer) elements(before, after *jsontree.Value, b, a, unknown []jsontree.Value, at spot) {
	for len(a) < len(unknown) { // Terraform leaves out what it does not know yet
		a = append(slices.Clip(a), jsontree.Value{Raw: []byte("null")})
	}
	p := newPairing(b, a)
	if open := p.pairEnds(unknown); open {
		p.pairBy(writing, unknown)
		p.pairBy(func(v *jsontree.Value) uint64 { return c.essence(v, at.policy) }, unknown)
		p.pairObjects(c, at)
		p.pairUnknown(unknown)
	}

	told := len(c.out)
	path, place := len(c.path), len(c.place)
	lone, last, reordered := false, alone, false
	for i, j := range p.ofAfter {
		c.path = appendIndex(c.path, i)
		var u *jsontree.Value
		if i < len(unknown) {
			u = &unknown[i]
		}
		if j == alone {
			c.place = append(c.place, "[]"...)
			c.lone(nil, &a[i], u)
			lone = true
		} else {
			c.place = appendIndex(c.place, j)
			c.compare(&b[j], &a[i], u, spot{name: at.name, keys: at.keys, policy: at.policy, block: true})
			reordered = reordered || j < last
			last = j
		}
		c.path, c.place = c.path[:path], c.place[:place]
	}
	for j, i := range p.ofBefore {
		if i != alone {
			continue
		}
		c.path, c.place = appendIndex(c.path, j), append(c.place, "[]"...)
		c.lone(&b[j], nil, nil)
		c.path, c.place = c.path[:path], c.place[:place]
		lone = true
	}
	if reordered && !lone && told == len(c.out) {
		c.add(Difference{Before: before, After: after, Noise: NoiseReordered})
	}
}

// lone tells an element that only one side has.
func (c *Comparer) lone(before, after, unknown *jsontree.Value) {
	d := Difference{Before: before, After: after}
	switch {
	case unknown.Kind() == jsontree.True:
		d.After, d.Unknown = nil, true
	case isEmpty(before) && isEmpty(after):
		d.Noise = NoiseEmpty
	}
	c.add(d)
}

func newPairing(before, after []jsontree.Value) *pairing {
	p := &pairing{before: before, after: after}
	all := make([]int, len(before)+len(after))
	for i := range all {
		all[i] = alone
	}
	p.ofBefore, p.ofAfter = all[:len(before):len(before)], all[len(before):]
	return p
}

func (p *pairing) pair(b, a int) { p.ofBefore[b], p.ofAfter[a] = a, b }

// pairEnds pairs what is written the same at both ends of the lists, and
// reports whether anything is left.
func (p *pairing) pairEnds(unknown []jsontree.Value) bool {
	same := func(b, a int) bool {
		return bytes.Equal(p.before[b].Raw, p.after[a].Raw) && !isUnknown(unknown, a)
	}
	n := min(len(p.before), len(p.after))
	i := 0
	for i < n && same(i, i) {
		p.pair(i, i)
		i++
	}
	for j := 1; j <= n-i && same(len(p.before)-j, len(p.after)-j); j++ {
		p.pair(len(p.before)-j, len(p.after)-j)
	}
	return slices.Contains(p.ofBefore, alone) || slices.Contains(p.ofAfter, alone)
}

// pairBy pairs elements that have the same hash, wherever they stand.
func (p *pairing) pairBy(hash func(*jsontree.Value) uint64, unknown []jsontree.Value) {
	waiting := map[uint64][]int{}
	for j, i := range p.ofBefore {
		if i == alone {
			h := hash(&p.before[j])
			waiting[h] = append(waiting[h], j)
		}
	}
	for i, j := range p.ofAfter {
		if j != alone || isUnknown(unknown, i) {
			continue
		}
		h := hash(&p.after[i])
		if queue := waiting[h]; len(queue) > 0 {
			p.pair(queue[0], i)
			waiting[h] = queue[1:]
		}
	}
}

// pairUnknown pairs elements not known before the apply with what stood there.
func (p *pairing) pairUnknown(unknown []jsontree.Value) {
	for i, j := range p.ofAfter {
		if j == alone && isUnknown(unknown, i) && i < len(p.before) && p.ofBefore[i] == alone {
			p.pair(i, i)
		}
	}
}

// isUnknown reports whether element i is, or holds, something not known yet.
func isUnknown(unknown []jsontree.Value, i int) bool {
	return i < len(unknown) && bytes.Contains(unknown[i].Raw, []byte("true"))
}

// pairObjects pairs the objects that are left: by a member that names them, or
// when more than half of what they say is the same. What stays alone was added
// or removed.
func (p *pairing) pairObjects(c *Comparer, at spot) {
	b, a := p.left(p.before, p.ofBefore), p.left(p.after, p.ofAfter)
	if len(b) == 0 || len(a) == 0 {
		return
	}
	if len(p.before) == 1 && len(p.after) == 1 {
		p.pair(0, 0) // a nested block that occurs once
		return
	}
	if name := p.identity(b, a); name != "" {
		waiting := make(map[string]int, len(b))
		for _, j := range b {
			waiting[string(p.before[j].Member(name).Raw)] = j
		}
		for _, i := range a {
			if j, ok := waiting[string(p.after[i].Member(name).Raw)]; ok {
				p.pair(j, i)
			}
		}
		b, a = p.left(p.before, p.ofBefore), p.left(p.after, p.ofAfter)
	}
	p.pairSimilar(c, b, a, at)
}

// left are the indices of the objects that are still alone.
func (p *pairing) left(values []jsontree.Value, of []int) []int {
	var left []int
	for i, other := range of {
		if other == alone && values[i].Kind() == jsontree.Object {
			left = append(left, i)
		}
	}
	return left
}

// identities are members that tell an object in a list from its neighbours,
// the surest first.
var identities = []string{
	"id", "Id", "ID", "arn", "Arn", "name", "Name", "key", "Key", "sid", "Sid",
	"rule_number", "rule_no", "priority", "Priority", "device_name", "cidr_block",
	"path", "Path", "domain_name", "hostname", "port", "Port", "containerPort",
}

// identity is the first member by which each of these objects can be told from
// the others on its side, empty when there is none.
func (p *pairing) identity(b, a []int) string {
	distinct := func(values []jsontree.Value, which []int, name string) bool {
		seen := make(map[string]struct{}, len(which))
		for _, i := range which {
			m := values[i].Member(name)
			if isEmpty(m) || m.Kind() == jsontree.Object || m.Kind() == jsontree.Array {
				return false
			}
			seen[string(m.Raw)] = struct{}{}
		}
		return len(seen) == len(which)
	}
	for _, name := range identities {
		if distinct(p.before, b, name) && distinct(p.after, a, name) {
			return name
		}
	}
	return ""
}

// maxSimilarityWork is how many bytes pairSimilar may read before it would
// rather say added and removed.
const maxSimilarityWork = 4 << 20

// pairSimilar pairs objects of which more than half is the same, the most
// similar first.
func (p *pairing) pairSimilar(c *Comparer, b, a []int, at spot) {
	work := 0
	for _, j := range b {
		work += len(a) * len(p.before[j].Raw)
	}
	for _, i := range a {
		work += len(b) * len(p.after[i].Raw)
	}
	if work > maxSimilarityWork {
		return
	}
	type candidate struct{ score, distance, b, a int }
	var candidates []candidate
	for _, j := range b {
		for _, i := range a {
			if score := c.similarity(&p.before[j], &p.after[i], at); score > 50 {
				candidates = append(candidates, candidate{score, max(i-j, j-i), j, i})
			}
		}
	}
	slices.SortFunc(candidates, func(x, y candidate) int {
		return cmp.Or(-cmp.Compare(x.score, y.score), cmp.Compare(x.distance, y.distance),
			cmp.Compare(x.b, y.b), cmp.Compare(x.a, y.a))
	})
	for _, pick := range candidates {
		if p.ofBefore[pick.b] == alone && p.ofAfter[pick.a] == alone {
			p.pair(pick.b, pick.a)
		}
	}
}

// similarity is how much of what two objects say is the same, in percent.
// Members that say nothing on either side, or just false, do not count: two
// firewall rules are not alike for what neither uses.
func (c *Comparer) similarity(b, a *jsontree.Value, at spot) int {
	same, all := 0, 0
	for i := range b.Kids {
		x, y := &b.Kids[i], a.Member(string(b.Kids[i].Name))
		switch {
		case saysLittle(x) && saysLittle(y):
		case y != nil && (bytes.Equal(x.Raw, y.Raw) || c.essence(x, at.policy) == c.essence(y, at.policy)):
			same++
			all++
		default:
			all++
		}
	}
	for i := range a.Kids {
		if y := &a.Kids[i]; !saysLittle(y) && b.Member(string(y.Name)) == nil {
			all++
		}
	}
	if all == 0 {
		return 0
	}
	return 100 * same / all
}

func saysLittle(v *jsontree.Value) bool { return v.Kind() == jsontree.False || isEmpty(v) }
