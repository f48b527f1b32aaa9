package terraform

import (
	"bytes"

	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/jsontree"
	"github.com/driftsentry/driftsentry/internal/redact"
)

// collectAll collects the secrets among the attributes of a resource. marks is
// what Terraform says is sensitive in them.
func (p *reader) collectAll(members []member, marks []byte) error {
	p.markParser.Reset()
	tree, err := p.parseMarks(marks)
	if err != nil {
		return err
	}
	named := redact.Ordinary
	for _, m := range members {
		if saysNothing(m.value) {
			continue
		}
		named = max(named, p.inspector.NamedBy(m.name, m.value))
		if err := p.collect(m.name, m.value, markOf(tree, m.name), named); err != nil {
			return err
		}
	}
	return nil
}

// collectObject is collectAll for an object's text.
func (p *reader) collectObject(object, marks []byte) error {
	if jsontree.KindOf(object) != jsontree.Object {
		return nil
	}
	c := jsontree.CursorOn(object)
	s := side{members: p.entry.before.members[:0]}
	if err := s.parse(&c, "before"); err != nil {
		return p.invalid(err.Error())
	}
	p.entry.before = s
	return p.collectAll(s.members, marks)
}

// collectOne collects the secrets in a single value.
func (p *reader) collectOne(name, value, marks []byte) error {
	if saysNothing(value) {
		return nil
	}
	p.markParser.Reset()
	tree, err := p.parseMarks(marks)
	if err != nil {
		return err
	}
	return p.collect(name, value, tree, redact.Ordinary)
}

// collect collects the secrets in one attribute.
func (p *reader) collect(name, value []byte, marks *jsontree.Value, named redact.Meaning) error {
	if marks == nil && named == redact.Ordinary && p.inspector.Clean(name, value) {
		return nil
	}
	if value[0] != '{' && value[0] != '[' {
		p.scalar = jsontree.Value{Raw: value}
		p.inspector.Attribute(name, &p.scalar, marks, named)
	} else {
		v, err := p.parse(&p.parser, value)
		if err != nil {
			return err
		}
		p.inspector.Attribute(name, v, marks, named)
	}
	p.parser.Reset()
	return nil
}

// saysNothing reports whether no secret can be in a value: it is absent, null,
// true, false, "", {} or [].
func saysNothing(value []byte) bool {
	return len(value) <= 2 && (len(value) == 0 || value[0] == '"' || value[0] == '{' || value[0] == '[') ||
		value[0] == 'n' || value[0] == 't' || value[0] == 'f'
}

// parseMarks is the tree of what is sensitive or unknown, nil when nothing is.
// It is good until the marks' parser is reset.
func (p *reader) parseMarks(text []byte) (*jsontree.Value, error) {
	if !bytes.Contains(text, []byte("true")) {
		return nil, nil
	}
	return p.parse(&p.markParser, text)
}

// markOf is the mark of one attribute, nil when nothing in it is marked.
func markOf(marks *jsontree.Value, name []byte) *jsontree.Value {
	if marks == nil || marks.Kind() == jsontree.True {
		return marks
	}
	mark := marks.Member(string(name))
	if mark == nil || !bytes.Contains(mark.Raw, []byte("true")) {
		return nil
	}
	return mark
}

// parse builds the tree of a value, within the limits.
func (p *reader) parse(parser *jsontree.Parser, text []byte) (*jsontree.Value, error) {
	if len(text) > 2*maxDepth && (text[0] == '{' || text[0] == '[') {
		switch values, depth := jsontree.Measure(text); {
		case depth > maxDepth:
			return nil, p.invalid("is nested too deep")
		case values > maxValues:
			return nil, fault.New(fault.TooLarge, "the plan has a resource that holds too many values"+within(p.dec.StackPointer()))
		}
	}
	return parser.Parse(text), nil
}
