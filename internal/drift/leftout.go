package drift

import "strconv"

// What a drift shows is for people to read. These bound what it takes to store
// and to send one; its Fingerprint covers all there was.
const (
	// MaxValue is how many bytes of JSON one shown value may have.
	MaxValue = 64 << 10
	// MaxChanges is how many bytes of paths and values the changes of one
	// resource may have together.
	MaxChanges = 1 << 20
)

// Shorten is v, or if it is longer than MaxValue a text saying how long.
func Shorten(v Value) Value {
	if len(v.json) <= MaxValue {
		return v
	}
	return Shown(`"(value of ` + strconv.Itoa(len(v.json)) + ` bytes left out)"`)
}

// LeftOutPath is the path of the change that stands for those left out.
const LeftOutPath = "…"

// LeftOut is the change that stands for n others which were too much to show.
// noise is empty if any of them is news.
func LeftOut(n int, noise NoiseReason) Change {
	return Change{Path: LeftOutPath, After: Shown(`"(` + strconv.Itoa(n) + ` changes left out)"`), Noise: noise}
}

// Size is how many bytes of MaxChanges the change takes.
func (c *Change) Size() int { return len(c.Path) + len(c.Before.json) + len(c.After.json) }
