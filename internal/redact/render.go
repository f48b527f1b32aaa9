package redact

import (
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
	if len(v.Kids) == 0 && v.Kind() != jsontree.Object && v.Kind() != jsontree.Array {
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
			dst = append(drift.AppendString(dst, string(v.Kids[i].Name)), ':')
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
	}
	return append(dst, v.Raw...)
}
