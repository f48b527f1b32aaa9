package terraform

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/driftsentry/driftsentry/internal/fault"
)

// object reads an object, calling member with every name to read its value.
// null is an object without members.
func (p *reader) object(member func(name string) error) error {
	switch kind := p.dec.PeekKind(); kind {
	case 'n':
		return p.skip()
	case '{':
	default:
		return p.wrongKind(kind, "an object")
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return p.malformed(err)
	}
	for p.dec.PeekKind() != '}' {
		token, err := p.dec.ReadToken()
		if err != nil {
			return p.malformed(err)
		}
		if err := member(token.String()); err != nil {
			return err
		}
	}
	_, err := p.dec.ReadToken()
	return p.checked(err)
}

// array reads an array, calling element with every index to read its value.
// null is an array without elements.
func (p *reader) array(element func(i int) error) error {
	switch kind := p.dec.PeekKind(); kind {
	case 'n':
		return p.skip()
	case '[':
	default:
		return p.wrongKind(kind, "an array")
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return p.malformed(err)
	}
	for i := 0; p.dec.PeekKind() != ']'; i++ {
		if err := element(i); err != nil {
			return err
		}
	}
	_, err := p.dec.ReadToken()
	return p.checked(err)
}

// value reads a value whole. It is good until the next read.
func (p *reader) value() ([]byte, error) {
	v, err := p.dec.ReadValue()
	return v, p.checked(err)
}

// objectValue reads an object whole, nil for null.
func (p *reader) objectValue() ([]byte, error) {
	switch kind := p.dec.PeekKind(); kind {
	case 'n':
		return nil, p.skip()
	case '{':
		return p.value()
	default:
		return nil, p.wrongKind(kind, "an object")
	}
}

func (p *reader) skip() error { return p.checked(p.dec.SkipValue()) }

// text reads a string into s.
func (p *reader) text(s *string) error {
	if kind := p.dec.PeekKind(); kind == 'n' {
		return p.skip()
	} else if kind != '"' {
		return p.wrongKind(kind, "a string")
	}
	token, err := p.dec.ReadToken()
	if err != nil {
		return p.malformed(err)
	}
	*s = token.String()
	return nil
}

// verdict is a boolean that may not be there.
type verdict uint8

const (
	unsaid verdict = iota
	no
	yes
)

// flag reads a boolean into v.
func (p *reader) flag(v *verdict) error {
	switch kind := p.dec.PeekKind(); kind {
	case 'n':
	case 't':
		*v = yes
	case 'f':
		*v = no
	default:
		return p.wrongKind(kind, "true or false")
	}
	return p.skip()
}

// wrongKind is the error for a value that is not of the kind a plan has there,
// or the decoder's error if it could not even tell the kind.
func (p *reader) wrongKind(kind jsontext.Kind, want string) error {
	if kind == jsontext.KindInvalid || kind == '}' || kind == ']' {
		if err := p.skip(); err != nil {
			return err
		}
	}
	return p.invalid("must be " + want)
}

// invalid is the error for the value that comes next or was just read.
func (p *reader) invalid(problem string) error {
	return fault.New(fault.Invalid, fmt.Sprintf("the plan is not as expected at byte %d%s: it %s",
		p.src.skipped+p.dec.InputOffset(), within(p.dec.StackPointer()), problem))
}

func (p *reader) checked(err error) error {
	if err != nil {
		return p.malformed(err)
	}
	return nil
}

// malformed classifies an error of the decoder.
func (p *reader) malformed(err error) error {
	if p.input.err != nil {
		return readFailure(p.input.err)
	}
	return malformed(err, p.src.skipped)
}
