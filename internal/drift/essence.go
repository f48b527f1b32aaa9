package drift

import (
	"bytes"
	"hash/maphash"

	"github.com/driftsentry/driftsentry/internal/jsontree"
)

var essenceSeed = maphash.MakeSeed()

// essence is a hash of what a value says: the order of lists, ways of writing,
// and what is empty do not change it. It only proposes which elements to
// compare; whether they are the same is then looked at, so that a collision
// does no harm.
func (c *Comparer) essence(v *jsontree.Value, policy bool) uint64 {
	if isEmpty(v) {
		return 0
	}
	if policy && isAnybody(v) {
		return 1 // "*" or {"AWS": "*"}
	}
	switch v.Kind() {
	case jsontree.Object:
		var sum uint64
		for i := range v.Kids {
			kid := &v.Kids[i]
			if e := c.essence(kid, policy); e != 0 {
				sum += blend(maphash.Bytes(essenceSeed, kid.Name), e)
			}
		}
		return blend('{', sum)
	case jsontree.Array:
		var sum uint64
		for i := range v.Kids {
			if e := c.essence(&v.Kids[i], policy); e != 0 {
				if policy && len(v.Kids) == 1 {
					return e // to a policy a list of one is the one
				}
				sum += blend('[', e)
			}
		}
		return blend(']', sum)
	case jsontree.String:
		if inner := v.Inner(c.Parser); inner != nil {
			return c.essence(inner, isPolicy(inner))
		}
	}
	text := v.Text()
	if jsontree.IsNumber(text) {
		var decimal [64]byte
		text = jsontree.AppendDecimal(decimal[:0], text)
	}
	if policy {
		text = bytes.ToLower(text)
	}
	return maphash.Bytes(essenceSeed, text)
}

// writing is a hash of how a value is written.
func writing(v *jsontree.Value) uint64 { return maphash.Bytes(essenceSeed, v.Raw) }

// blend mixes two hashes so that their sums tell who belongs to whom.
func blend(a, b uint64) uint64 {
	x := a*0x9e3779b97f4a7c15 ^ b
	x = (x ^ x>>32) * 0xd6e8feb86659fd93
	return x ^ x>>32
}
