package drift

import (
	"strconv"
	"unicode/utf8"
)

// NoiseReason says why a difference is not news. Empty means that it is.
type NoiseReason string

// The reasons for which a difference is not news.
const (
	NoiseEmpty      NoiseReason = "empty"      // null against "", [] or {}; in a block also against 0 or false
	NoiseNormalized NoiseReason = "normalized" // the same once written the same way
	NoiseReordered  NoiseReason = "reordered"  // the same elements in another order
	NoiseComputed   NoiseReason = "computed"   // a timestamp, ETag or counter the cloud keeps
	NoiseEcho       NoiseReason = "echo"       // the same setting is managed by another resource, which did not change
)

// Change is one attribute that differs. A value longer than MaxValue is replaced
// by a text that says so. Of a resource whose changes are longer than MaxChanges
// together, the first are there and then one with LeftOutPath as its path, whose
// After is a text that says how many are not.
type Change struct {
	// Path leads to the attribute from the resource's values: members by ".name"
	// or ["any string"], elements by [index]. An index counts in the new value,
	// for what was removed in the old one. A path may go on into a string that
	// holds JSON.
	Path   string
	Before Value
	After  Value
	// Unknown is set when the new value is known only after the apply.
	Unknown bool
	Noise   NoiseReason
}

// Sensitive reports whether either side is hidden; then neither is shown.
func (c *Change) Sensitive() bool { return c.Before.IsHidden() || c.After.IsHidden() }

// AppendJSON appends the change as the API writes it. Of a sensitive one only
// the path is told.
func (c *Change) AppendJSON(b []byte) []byte {
	b = append(b, `{"path":`...)
	b = AppendString(b, c.Path)
	if c.Sensitive() {
		b = append(b, `,"sensitive":true`...)
	} else {
		b = append(append(b, `,"before":`...), c.Before.JSON()...)
		b = append(append(b, `,"after":`...), c.After.JSON()...)
	}
	if c.Unknown {
		b = append(b, `,"afterUnknown":true`...)
	}
	if c.Noise != "" {
		b = append(b, `,"noise":`...)
		b = AppendString(b, string(c.Noise))
	}
	return append(b, '}')
}

// MarshalJSON is AppendJSON for encoding/json.
func (c *Change) MarshalJSON() ([]byte, error) { return c.AppendJSON(nil), nil }

// AppendChanges appends changes as a JSON array.
func AppendChanges(b []byte, changes []Change) []byte {
	b = append(b, '[')
	for i := range changes {
		if i > 0 {
			b = append(b, ',')
		}
		b = changes[i].AppendJSON(b)
	}
	return append(b, ']')
}

// AppendString appends s as a JSON string. It is here because a scan writes
// hundreds of thousands of paths, and reflection costs more than the writing.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r) // an invalid byte becomes U+FFFD
			i += size
			continue
		}
		i++
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= ' ' && c != 0x7f:
			b = append(b, c)
		default:
			b = append(b, `\u00`...)
			if c < 0x10 {
				b = append(b, '0')
			}
			b = strconv.AppendUint(b, uint64(c), 16)
		}
	}
	return append(b, '"')
}
