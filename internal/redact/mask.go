package redact

import (
	"bytes"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/jsontree"
)

// Masker hides remembered secrets in what was to be shown. It is for one
// goroutine, and for when every secret of a report is known.
type Masker struct {
	secrets *Secrets
	parser  jsontree.Parser
	text    []byte
}

// NewMasker returns one that hides what secrets remembers.
func NewMasker(secrets *Secrets) *Masker { return &Masker{secrets: secrets} }

// Holds reports whether a remembered secret is in text.
func (m *Masker) Holds(text string) bool {
	m.text = append(m.text[:0], text...)
	return m.secrets.In(m.text)
}

// Value is v with every string hidden in which a remembered secret is.
func (m *Masker) Value(v drift.Value) drift.Value {
	if v.IsHidden() || v.IsNull() || m.secrets.Len() == 0 {
		return v
	}
	m.text = append(m.text[:0], v.JSON()...)
	if saysNothing(m.text) || !m.secrets.In(m.text) {
		return v
	}
	defer m.parser.Reset()
	tree := m.parser.Parse(m.text)
	if !m.hide(tree) {
		return drift.Hidden() // a secret that goes over several strings
	}
	return Value(tree, &m.parser)
}

// hide marks what holds a secret, and reports whether anything does.
func (m *Masker) hide(v *jsontree.Value) bool {
	switch v.Kind() {
	case jsontree.String, jsontree.Number:
		v.Hidden = m.secrets.In(v.Text())
		return v.Hidden
	case jsontree.Object, jsontree.Array:
		hidden := false
		for i := range v.Kids {
			kid := &v.Kids[i]
			if len(kid.Name) > 0 && m.secrets.In(kid.Name) {
				v.Hidden = true
				return true
			}
			hidden = m.hide(kid) || hidden
		}
		return hidden
	}
	return false
}

// Path is a change's path with the members hidden whose name is a secret.
func (m *Masker) Path(path string) string { return m.secrets.Path(path, drift.HiddenText) }

// saysNothing reports whether a value is too short to hold a secret.
func saysNothing(json []byte) bool {
	return len(json) < minSecret || bytes.Equal(json, []byte("true")) || bytes.Equal(json, []byte("false"))
}
