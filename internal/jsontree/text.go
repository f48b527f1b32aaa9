package jsontree

import (
	"bytes"
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"
)

// Unquote is the contents of a JSON string. Without escapes in it they share
// the memory of quoted.
func Unquote(quoted []byte) []byte {
	inside := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inside, '\\') < 0 {
		return inside
	}
	contents, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		panic("jsontree: " + err.Error()) // the text was not checked before
	}
	return contents
}

// Text is the contents of a string, and the text of any other value.
func (v *Value) Text() []byte {
	if v.Kind() != String {
		if v == nil {
			return nil
		}
		return v.Raw
	}
	if v.text == nil {
		v.text = Unquote(v.Raw)
	}
	return v.text
}

// Inner is the JSON object or array that a string holds, nil when it holds
// none. What it parses counts as p's.
func (v *Value) Inner(p *Parser) *Value {
	if v == nil || v.asked {
		if v == nil {
			return nil
		}
		return v.inner
	}
	v.asked = true
	if v.Kind() == String && len(v.Raw) >= len(`"{}"`) {
		if contents := bytes.TrimSpace(v.Text()); HoldsJSON(contents) {
			v.inner = p.Parse(contents)
		}
	}
	return v.inner
}

// Limits of JSON in a string: what is nested deeper or has more values is not
// taken for JSON.
const (
	MaxInnerDepth  = 100
	MaxInnerValues = 200_000
)

// HoldsJSON reports whether contents is a JSON object or array within the
// limits. A name that occurs twice in an object is taken for what careless
// writers leave behind.
func HoldsJSON(contents []byte) bool {
	if len(contents) < 2 {
		return false
	}
	switch [2]byte{contents[0], contents[len(contents)-1]} {
	case [2]byte{'{', '}'}, [2]byte{'[', ']'}:
		if !jsontext.Value(contents).IsValid(jsontext.AllowDuplicateNames(true)) {
			return false
		}
		values, depth := Measure(contents)
		return values <= MaxInnerValues && depth <= MaxInnerDepth
	}
	return false
}

// Measure is how many values a text has, give or take the empty containers, and
// how deep it is nested.
func Measure(text []byte) (values, depth int) {
	open := 0
	values = 1
	for i := 0; i < len(text); {
		switch text[i] {
		case '"':
			i = stringEnd(text, i)
			continue
		case '{', '[':
			values++
			open++
			depth = max(depth, open)
		case '}', ']':
			open--
		case ',':
			values++
		}
		i++
	}
	return values, depth
}

// Any is the value as encoding/json decodes it into any with UseNumber.
func (v *Value) Any() any {
	switch v.Kind() {
	case True:
		return true
	case False:
		return false
	case Number:
		return json.Number(v.Raw)
	case String:
		return string(v.Text())
	case Array:
		elements := make([]any, len(v.Kids))
		for i := range v.Kids {
			elements[i] = v.Kids[i].Any()
		}
		return elements
	case Object:
		members := make(map[string]any, len(v.Kids))
		for i := range v.Kids {
			members[string(v.Kids[i].Name)] = v.Kids[i].Any()
		}
		return members
	}
	return nil
}
