package terraform

import (
	"bytes"

	"github.com/driftsentry/driftsentry/internal/jsontree"
)

// A secret that is marked in one place of a plan stands unmarked in others. So
// everything but the drifts is read for the secrets in it, and for counting.

// secretSources are variables kept until the code, which comes after them, has
// told which of them are sensitive.
type secretSources struct {
	variables []variable
	held      int
	sensitive map[string]bool
}

type variable struct {
	name  string
	value []byte
}

// counts are resources of a state.
type counts struct{ managed int }

// variable reads one input variable.
func (p *reader) variable(name string) error {
	object, err := p.objectValue()
	if err != nil || object == nil {
		return err
	}
	value := jsontree.Member(object, "value")
	if value == nil {
		return nil
	}
	if p.held += len(value); p.held > maxHeld {
		// Too much to keep: taken for sensitive, which hides too much at worst.
		return p.collectOne([]byte(name), value, []byte("true"))
	}
	p.variables = append(p.variables, variable{name: name, value: bytes.Clone(value)})
	return nil
}

// inspectVariables looks at the variables once the code has been read.
func (p *reader) inspectVariables() error {
	for _, v := range p.variables {
		var marks []byte
		if p.sensitive[v.name] {
			marks = []byte("true")
		}
		if err := p.collectOne([]byte(v.name), v.value, marks); err != nil {
			return err
		}
	}
	p.variables = nil
	return nil
}

// outputChange reads one output of the root module.
func (p *reader) outputChange(name string) error {
	p.hasOther = true
	change, err := p.objectValue()
	if err != nil || change == nil {
		return err
	}
	for _, side := range [...][2]string{{"before", "before_sensitive"}, {"after", "after_sensitive"}} {
		if err := p.collectOne([]byte(name), jsontree.Member(change, side[0]), jsontree.Member(change, side[1])); err != nil {
			return err
		}
	}
	return nil
}

// priorState reads a member of prior_state.
func (p *reader) priorState(name string) error {
	p.hasPriorState = true
	if name != "values" {
		return p.skip()
	}
	return p.stateValues(&p.prior)
}

// stateValues reads a state's outputs and resources.
func (p *reader) stateValues(c *counts) error {
	return p.object(func(name string) error {
		switch name {
		case "outputs":
			return p.object(p.output)
		case "root_module":
			return p.module(c)
		}
		return p.skip()
	})
}

func (p *reader) output(name string) error {
	output, err := p.objectValue()
	if err != nil || output == nil {
		return err
	}
	return p.collectOne([]byte(name), jsontree.Member(output, "value"), jsontree.Member(output, "sensitive"))
}

// module reads a module of a state and those it calls.
func (p *reader) module(c *counts) error {
	return p.object(func(name string) error {
		switch name {
		case "resources":
			return p.array(func(int) error { return p.stateResource(c) })
		case "child_modules":
			return p.array(func(int) error { return p.module(c) })
		}
		return p.skip()
	})
}

// stateResource reads a resource of a state.
func (p *reader) stateResource(c *counts) error {
	object, err := p.objectValue()
	if err != nil || object == nil {
		return err
	}
	var marks []byte
	managed, deposed := true, false
	values := side{members: p.entry.before.members[:0]}
	cursor := jsontree.CursorOn(object)
	for cursor.Enter(); ; {
		name, more := cursor.Name()
		if !more {
			break
		}
		switch string(name) {
		case `"mode"`:
			managed = string(cursor.Value()) == `"managed"`
		case `"deposed_key"`:
			deposed = jsontree.KindOf(cursor.Value()) == jsontree.String
		case `"provider_name"`:
			p.seenProvider(cursor.Value())
		case `"values"`:
			if cursor.Kind() != jsontree.Object {
				cursor.Value()
			} else if err := values.parse(&cursor, "values"); err != nil {
				return p.invalid(err.Error())
			}
		case `"sensitive_values"`:
			marks = cursor.Value()
		default:
			cursor.Value()
		}
	}
	p.entry.before = values // its memory is used again
	if managed && !deposed {
		c.managed++
	}
	return p.collectAll(values.members, marks)
}

// seenProvider takes note of a provider's name, written as JSON.
func (p *reader) seenProvider(name []byte) {
	if !p.openTofu && !p.terraform && jsontree.KindOf(name) == jsontree.String {
		p.seen(name[1 : len(name)-1])
	}
}

// deferredChange reads a change that waits for another apply. It is no drift,
// but it may hold secrets.
func (p *reader) deferredChange() error {
	p.hasOther = true
	object, err := p.objectValue()
	if err != nil || object == nil {
		return err
	}
	change := jsontree.Member(object, "resource_change")
	if jsontree.KindOf(change) == jsontree.Object {
		change = jsontree.Member(change, "change")
	}
	if jsontree.KindOf(change) != jsontree.Object {
		return nil
	}
	if err := p.collectObject(jsontree.Member(change, "before"), jsontree.Member(change, "before_sensitive")); err != nil {
		return err
	}
	return p.collectObject(jsontree.Member(change, "after"), jsontree.Member(change, "after_sensitive"))
}

// configuration reads a member of the code.
func (p *reader) configuration(name string) error {
	p.hasConfiguration = true
	switch name {
	case "provider_config":
		return p.object(func(string) error {
			provider, err := p.objectValue()
			if err != nil || provider == nil {
				return err
			}
			if name := jsontree.Member(provider, "full_name"); name != nil {
				p.seenProvider(name)
			}
			return p.collectConstants(jsontree.Member(provider, "expressions"), nil)
		})
	case "root_module":
		sensitive, err := p.moduleCode()
		p.sensitive = sensitive
		return err
	}
	return p.skip()
}

// moduleCode reads a module's code and that of the modules it calls. It returns
// which of the module's variables are sensitive.
func (p *reader) moduleCode() (sensitive map[string]bool, err error) {
	sensitive = map[string]bool{}
	err = p.object(func(name string) error {
		switch name {
		case "variables":
			return p.object(func(name string) error { return p.variableCode(name, sensitive) })
		case "resources":
			return p.array(func(int) error { return p.resourceCode() })
		case "module_calls":
			return p.object(func(string) error { return p.moduleCall() })
		}
		return p.skip()
	})
	return sensitive, err
}

// variableCode reads the declaration of a variable, with its default.
func (p *reader) variableCode(name string, sensitive map[string]bool) error {
	declaration, err := p.objectValue()
	if err != nil || declaration == nil {
		return err
	}
	marks := jsontree.Member(declaration, "sensitive")
	if string(marks) == "true" {
		sensitive[name] = true
	}
	return p.collectOne([]byte(name), jsontree.Member(declaration, "default"), marks)
}

// resourceCode reads the code of a resource.
func (p *reader) resourceCode() error {
	resource, err := p.objectValue()
	if err != nil || resource == nil {
		return err
	}
	if string(jsontree.Member(resource, "mode")) != `"data"` {
		p.configured++
	}
	return p.collectConstants(jsontree.Member(resource, "expressions"), nil)
}

// moduleCall reads the call of a module: what it is given, and its code.
func (p *reader) moduleCall() error {
	var arguments []byte
	var sensitive map[string]bool
	err := p.object(func(name string) (err error) {
		switch name {
		case "expressions":
			value, err := p.objectValue()
			arguments = bytes.Clone(value)
			return err
		case "module":
			sensitive, err = p.moduleCode()
			return err
		}
		return p.skip()
	})
	if err != nil {
		return err
	}
	return p.collectConstants(arguments, sensitive)
}

// collectConstants looks at what is written literally in the arguments of a
// block. Those named in sensitive are.
func (p *reader) collectConstants(expressions []byte, sensitive map[string]bool) error {
	switch jsontree.KindOf(expressions) {
	case jsontree.Array: // a nested block, once for each time it occurs
		c := jsontree.CursorOn(expressions)
		for c.Enter(); c.Element(); {
			if err := p.collectConstants(c.Value(), nil); err != nil {
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
			if err := p.collectConstant(name, c.Value(), sensitive[string(name)]); err != nil {
				return err
			}
		}
	}
	return nil
}

// collectConstant looks at one argument of a block.
func (p *reader) collectConstant(name, expression []byte, sensitive bool) error {
	var constant []byte
	if jsontree.KindOf(expression) == jsontree.Object {
		constant = jsontree.Member(expression, "constant_value")
	}
	if constant == nil {
		return p.collectConstants(expression, nil)
	}
	var marks []byte
	if sensitive {
		marks = []byte("true")
	}
	return p.collectOne(name, constant, marks)
}
