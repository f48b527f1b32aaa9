// Package jsontree takes apart JSON text that has already been checked: it
// walks raw bytes without copying them, and builds trees that remember how
// every value was written.
//
// It checks nothing. Text that is not valid JSON gives nonsense or a panic, so
// callers read with a checking decoder first.
package jsontree

import "bytes"

// Cursor walks JSON text from front to back. It stands in front of a value,
// which Value takes whole and Enter takes apart: after Enter, Name goes to the
// members of an object one by one, Element to those of an array, until they say
// that there are no more and the cursor stands behind the container.
type Cursor struct {
	text []byte
	at   int
}

// CursorOn returns a cursor in front of the value with this text.
func CursorOn(text []byte) Cursor { return Cursor{text: text, at: skipSpace(text, 0)} }

// Kind is the kind of the value in front of the cursor.
func (c *Cursor) Kind() Kind { return kindOf(c.text[c.at]) }

// Value takes the value in front of the cursor.
func (c *Cursor) Value() []byte {
	start := c.at
	c.at = valueEnd(c.text, start)
	return c.text[start:c.at]
}

// Enter goes into the object or array in front of the cursor.
func (c *Cursor) Enter() { c.at++ }

// Name goes to the next member of an object and returns its name as written,
// quotes included; false means that the object has ended.
func (c *Cursor) Name() (quoted []byte, more bool) {
	if !c.next('}') {
		return nil, false
	}
	start := c.at
	c.at = stringEnd(c.text, start)
	quoted = c.text[start:c.at]
	c.at = skipSpace(c.text, c.at)
	c.at = skipSpace(c.text, c.at+1) // the colon
	return quoted, true
}

// Element goes to the next element of an array; false means that it has ended.
func (c *Cursor) Element() bool { return c.next(']') }

func (c *Cursor) next(end byte) bool {
	c.at = skipSpace(c.text, c.at)
	switch c.text[c.at] {
	case end:
		c.at++
		return false
	case ',':
		c.at = skipSpace(c.text, c.at+1)
	}
	return true
}

// Member returns the text of the member called name, nil when object has none.
// The name must be one that needs no escapes.
func Member(object []byte, name string) []byte {
	c := CursorOn(object)
	for c.Enter(); ; c.Value() {
		quoted, more := c.Name()
		if !more {
			return nil
		}
		if len(quoted) == len(name)+2 && string(quoted[1:len(quoted)-1]) == name {
			return c.Value()
		}
	}
}

// valueEnd is the index after the value that starts at i.
func valueEnd(text []byte, i int) int {
	switch text[i] {
	case '"':
		return stringEnd(text, i)
	case '{', '[':
		for depth := 0; ; {
			switch text[i] {
			case '"':
				i = stringEnd(text, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
	}
	for i < len(text) && !endsScalar[text[i]] {
		i++
	}
	return i
}

var endsScalar = [256]bool{',': true, '}': true, ']': true, ' ': true, '\t': true, '\n': true, '\r': true, ':': true}

// stringEnd is the index after the closing quote of the string that starts at i.
func stringEnd(text []byte, i int) int {
	for start := i + 1; ; {
		quote := start + bytes.IndexByte(text[start:], '"')
		slashes := 0
		for text[quote-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return quote + 1
		}
		start = quote + 1
	}
}

func skipSpace(text []byte, i int) int {
	for text[i] <= ' ' {
		i++
	}
	return i
}
