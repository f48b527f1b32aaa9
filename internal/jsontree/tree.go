package jsontree

import (
	"bytes"
	"slices"
)

// Kind is the first byte of a value's text, '0' for every number.
type Kind byte

// The kinds of JSON values.
const (
	Null   Kind = 'n'
	True   Kind = 't'
	False  Kind = 'f'
	Number Kind = '0'
	String Kind = '"'
	Array  Kind = '['
	Object Kind = '{'
)

// KindOf is the kind of the value with this text; Null for no text at all.
func KindOf(text []byte) Kind {
	if len(text) == 0 {
		return Null
	}
	return kindOf(text[0])
}

func kindOf(first byte) Kind {
	switch first {
	case 'n', 't', 'f', '"', '[', '{':
		return Kind(first)
	default:
		return Number
	}
}

// Value is one JSON value of a tree. A nil *Value is a value that is not there
// and counts as null.
type Value struct {
	Raw  []byte // its text, as written
	Name []byte // what it is called as a member of an object, unquoted
	// Kids are an array's elements, or an object's members sorted by name. Of
	// members with the same name all are there, in the order written.
	Kids []Value
	// Hidden marks what must not be shown. For this package it is just a flag.
	Hidden bool

	text  []byte // a string's contents, once asked for
	inner *Value // what a string holds when it holds JSON, once asked for
	asked bool   // inner has been asked for
}

// Kind is the value's kind.
func (v *Value) Kind() Kind {
	if v == nil {
		return Null
	}
	return KindOf(v.Raw)
}

// Member is the last member called name, nil when v has none or is no object.
func (v *Value) Member(name string) *Value {
	if v.Kind() != Object {
		return nil
	}
	i, found := slices.BinarySearchFunc(v.Kids, name, func(kid Value, name string) int {
		return bytes.Compare(kid.Name, []byte(name))
	})
	if !found {
		return nil
	}
	for i+1 < len(v.Kids) && bytes.Equal(v.Kids[i+1].Name, v.Kids[i].Name) {
		i++
	}
	return &v.Kids[i]
}

// Element is element i, nil when v has none or is no array.
func (v *Value) Element(i int) *Value {
	if v.Kind() != Array || i >= len(v.Kids) {
		return nil
	}
	return &v.Kids[i]
}

// Parser builds trees out of memory it uses again after Reset. The zero Parser
// is ready. Trees share the bytes they were parsed from.
type Parser struct {
	values []Value // the block that trees are cut from
	open   []Value // members and elements whose container is still being read
}

// Reset lets the parser use its memory again: every tree it built is void.
func (p *Parser) Reset() { p.values = p.values[:0] }

// Parse builds the tree of text, which must be valid JSON.
func (p *Parser) Parse(text []byte) *Value {
	v, _ := p.parse(text, skipSpace(text, 0))
	root := &p.cut(1)[0]
	*root = v
	return root
}

// parse reads the value at i and returns it with the index after it.
func (p *Parser) parse(text []byte, i int) (Value, int) {
	start, first := i, text[i]
	if first != '{' && first != '[' {
		end := valueEnd(text, i)
		return Value{Raw: text[start:end]}, end
	}
	bottom := len(p.open)
	sorted := true
	for i++; ; {
		i = skipSpace(text, i)
		if text[i] == ',' {
			i = skipSpace(text, i+1)
		}
		if text[i] == '}' || text[i] == ']' {
			break
		}
		var name []byte
		if first == '{' {
			end := stringEnd(text, i)
			name = Unquote(text[i:end])
			i = skipSpace(text, end)
			i = skipSpace(text, i+1)
			if n := len(p.open); sorted && n > bottom && bytes.Compare(p.open[n-1].Name, name) >= 0 {
				sorted = false
			}
		}
		var kid Value
		kid, i = p.parse(text, i)
		kid.Name = name
		p.open = append(p.open, kid)
	}
	kids := p.cut(len(p.open) - bottom)
	copy(kids, p.open[bottom:])
	p.open = p.open[:bottom]
	if !sorted {
		slices.SortStableFunc(kids, func(a, b Value) int { return bytes.Compare(a.Name, b.Name) })
	}
	return Value{Raw: text[start : i+1], Kids: kids}, i + 1
}

// cut cuts n values from the block, for the caller to fill.
func (p *Parser) cut(n int) []Value {
	start := len(p.values)
	if start+n > cap(p.values) {
		// Trees already cut from the old block keep it alive.
		p.values = make([]Value, 0, max(64, 2*n, min(2*cap(p.values), 4096)))
		start = 0
	}
	p.values = p.values[:start+n]
	return p.values[start : start+n : start+n]
}
