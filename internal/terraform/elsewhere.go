package terraform

import (
	"bytes"

	"github.com/driftsentry/driftsentry/internal/jsontree"
)

// The parts of a plan that hold no drift, as the examiner sees them.

// variable examines an input variable, {"value": …}.
func (x *examiner) variable(name string, text []byte) error {
	value := jsontree.Member(text, "value")
	if value == nil {
		return nil
	}
	if x.held += len(value); x.held > maxHeld {
		// Too much to keep: taken for sensitive, which hides too much at worst.
		return x.value([]byte(name), value, markedWhole)
	}
	x.variables = append(x.variables, variable{name: name, value: bytes.Clone(value)})
	return nil
}

// output examines an output of a state.
func (x *examiner) output(name string, text []byte) error {
	return x.value([]byte(name), jsontree.Member(text, "value"), jsontree.Member(text, "sensitive"))
}

// outputChange examines how an output changes.
func (x *examiner) outputChange(name string, text []byte) error {
	if err := x.value([]byte(name), jsontree.Member(text, "before"), jsontree.Member(text, "before_sensitive")); err != nil {
		return err
	}
	return x.value([]byte(name), jsontree.Member(text, "after"), jsontree.Member(text, "after_sensitive"))
}

// stateResource examines a resource of a state, and counts it if it is managed.
func (x *examiner) stateResource(count *int, text []byte) error {
	var marks, kind []byte
	managed, deposed := true, false
	values := side{members: x.entry.before.members[:0]}
	c := jsontree.CursorOn(text)
	for c.Enter(); ; {
		name, more := c.Name()
		if !more {
			break
		}
		switch string(name) {
		case `"mode"`:
			managed = string(c.Value()) == `"managed"`
		case `"type"`:
			kind = quoteOrNil(c.Value())
		case `"deposed_key"`:
			deposed = jsontree.KindOf(c.Value()) == jsontree.String
		case `"provider_name"`:
			x.provider(c.Value())
		case `"sensitive_values"`:
			marks = c.Value()
		case `"values"`:
			if c.Kind() != jsontree.Object {
				c.Value()
			} else if err := values.parse(&c); err != nil {
				return err
			}
		default:
			c.Value()
		}
	}
	x.entry.before = values // its memory is used again
	if managed && !deposed {
		*count++
		if count == &x.prior {
			if err := x.siblingState(contents(kind), values.members); err != nil {
				return err
			}
		}
	}
	return x.attributes(values.members, marks)
}

// provider takes note of a provider's source address, written as JSON.
func (x *examiner) provider(name []byte) {
	switch {
	case x.openTofu || x.terraform:
	case bytes.HasPrefix(name, []byte(`"registry.opentofu.org/`)):
		x.openTofu = true
	case bytes.HasPrefix(name, []byte(`"registry.terraform.io/`)):
		x.terraform = true
	}
}

// deferredChange examines a change that waits for another apply.
func (x *examiner) deferredChange(text []byte) error {
	change := jsontree.Member(text, "resource_change")
	if jsontree.KindOf(change) == jsontree.Object {
		change = jsontree.Member(change, "change")
	}
	if jsontree.KindOf(change) != jsontree.Object {
		return nil
	}
	for _, s := range [...][2]string{{"before", "before_sensitive"}, {"after", "after_sensitive"}} {
		values := jsontree.Member(change, s[0])
		if jsontree.KindOf(values) != jsontree.Object {
			continue
		}
		c := jsontree.CursorOn(values)
		var attributes side
		if err := attributes.parse(&c); err != nil {
			return err
		}
		if err := x.attributes(attributes.members, jsontree.Member(change, s[1])); err != nil {
			return err
		}
	}
	return nil
}

// providerCode examines the configuration of a provider.
func (x *examiner) providerCode(text []byte) error {
	x.provider(quoteOrNil(jsontree.Member(text, "full_name")))
	return x.constants(jsontree.Member(text, "expressions"), nil)
}

func quoteOrNil(text []byte) []byte {
	if jsontree.KindOf(text) != jsontree.String {
		return nil
	}
	return text
}

// variableCode examines the declaration of a variable, with its default.
func (x *examiner) variableCode(name string, sensitive map[string]bool, text []byte) error {
	marks := jsontree.Member(text, "sensitive")
	if string(marks) == "true" {
		sensitive[name] = true
	}
	return x.value([]byte(name), jsontree.Member(text, "default"), marks)
}

// resourceCode examines the code of a resource.
func (x *examiner) resourceCode(text []byte) error {
	if string(jsontree.Member(text, "mode")) != `"data"` {
		x.code++
	}
	return x.constants(jsontree.Member(text, "expressions"), nil)
}

// constants examines what is written literally in the arguments of a block.
// Those named in sensitive are.
func (x *examiner) constants(expressions []byte, sensitive map[string]bool) error {
	switch jsontree.KindOf(expressions) {
	case jsontree.Array: // a nested block, once for each time it occurs
		c := jsontree.CursorOn(expressions)
		for c.Enter(); c.Element(); {
			if err := x.constants(c.Value(), nil); err != nil {
				return err
			}
		}
	case jsontree.Object:
		c := jsontree.CursorOn(expressions)
		for c.Enter(); ; {
			quoted, more := c.Name()
			if !more {
				return nil
			}
			name := jsontree.Unquote(quoted)
			if err := x.constant(name, c.Value(), sensitive[string(name)]); err != nil {
				return err
			}
		}
	}
	return nil
}

// constant examines one argument of a block.
func (x *examiner) constant(name, expression []byte, sensitive bool) error {
	var literal []byte
	if jsontree.KindOf(expression) == jsontree.Object {
		literal = jsontree.Member(expression, "constant_value")
	}
	switch {
	case literal == nil:
		return x.constants(expression, nil)
	case sensitive:
		return x.value(name, literal, markedWhole)
	}
	return x.value(name, literal, nil)
}
