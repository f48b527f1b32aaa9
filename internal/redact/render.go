package redact

import (
	"bytes"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/jsontree"
)

// Value is what may be shown of a value after an Inspector has looked at it.
func Value(v *jsontree.Value, p *jsontree.Parser) drift.Value {
	if v.Kind() == jsontree.Null {
		return drift.Value{}
	}
	if isHidden(v, p) {
		return drift.Hidden()
	}
	if len(v.Kids) == 0 && v.Kind() != jsontree.Number && bytes.IndexByte(v.Raw, '\\') < 0 {
		return drift.Shown(string(v.Raw)) // as most are
	}
	return drift.Shown(string(appendShown(nil, v, p)))
}

// isHidden reports whether nothing of v may be shown. A string that holds JSON
// is written as one, so a secret in it hides it all.
func isHidden(v *jsontree.Value, p *jsontree.Parser) bool {
	return v.Hidden || v.Kind() == jsontree.String && holdsHidden(v.Inner(p), p)
}

// holdsHidden reports whether anything in v is hidden.
func holdsHidden(v *jsontree.Value, p *jsontree.Parser) bool {
	if v == nil {
		return false
	}
	if isHidden(v, p) {
		return true
	}
	for i := range v.Kids {
		if holdsHidden(&v.Kids[i], p) {
			return true
		}
	}
	return false
}

// appendShown writes v without spaces and without what is hidden in it.
func appendShown(dst []byte, v *jsontree.Value, p *jsontree.Parser) []byte {
	if isHidden(v, p) {
		return drift.AppendString(dst, drift.HiddenText)
	}
	switch v.Kind() {
	case jsontree.Object:
		dst = append(dst, '{')
		for i := range v.Kids {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(drift.AppendString(dst, storable(v.Kids[i].Name)), ':')
			dst = appendShown(dst, &v.Kids[i], p)
		}
		return append(dst, '}')
	case jsontree.Array:
		dst = append(dst, '[')
		for i := range v.Kids {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendShown(dst, &v.Kids[i], p)
		}
		return append(dst, ']')
	case jsontree.String:
		if bytes.Contains(v.Raw, []byte(`\u0000`)) {
			return drift.AppendString(dst, storable(v.Text()))
		}
	case jsontree.Number:
		if !isStorableNumber(v.Raw) {
			return drift.AppendString(dst, string(v.Raw))
		}
	}
	return append(dst, v.Raw...)
}

// storable is text without NUL, which no database column for text or JSON takes.
func storable(text []byte) string {
	return string(bytes.ReplaceAll(text, []byte{0}, []byte("\uFFFD")))
}

// isStorableNumber reports whether a database can keep a number exactly: it may
// have a few thousand digits, and the exponent adds zeros.
func isStorableNumber(number []byte) bool {
	const mostDigits, mostExponent = 2000, 4 // digits of the exponent
	if len(number) > mostDigits {
		return false
	}
	i := bytes.IndexAny(number, "eE")
	return i < 0 || len(bytes.TrimLeft(number[i+1:], "+-0")) < mostExponent
}
