package terraform

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// A secret that is marked in one place of a plan stands unmarked in others. So
// all that holds values is examined, not only the drifts.

// changes reads resource_drift or resource_changes.
func (p *reader) changes(origin drift.Origin) error {
	return p.array(func(i int) error {
		if kind := p.dec.PeekKind(); kind != '{' && kind != jsontext.KindInvalid {
			return locate(flawed("is not an object"), p.position(i, nil))
		}
		text, err := p.value()
		if err != nil {
			return err
		}
		return p.hand(text, p.position(i, text), func(text []byte) error { return p.examiner.change(origin, i, text) })
	})
}

// deferredChanges reads changes that wait for another apply. They are no drift,
// but they may hold secrets.
func (p *reader) deferredChanges() error {
	return p.array(func(int) error { return p.give(p.examiner.deferredChange) })
}

// variables reads the input variables.
func (p *reader) variables() error {
	return p.object(func(name string) error {
		return p.give(func(text []byte) error { return p.examiner.variable(name, text) })
	})
}

// outputChanges reads how the outputs of the root module change.
func (p *reader) outputChanges() error {
	return p.object(func(name string) error {
		return p.give(func(text []byte) error { return p.examiner.outputChange(name, text) })
	})
}

// priorState reads the state before the plan.
func (p *reader) priorState() error {
	return p.object(func(name string) error {
		if name != "values" {
			return p.skip()
		}
		return p.state(&p.examiner.prior)
	})
}

// state reads the outputs and resources of a state. managed counts the latter;
// it is the examiner's.
func (p *reader) state(managed *int) error {
	resource := func(text []byte) error { return p.examiner.stateResource(managed, text) }
	return p.object(func(name string) error {
		switch name {
		case "outputs":
			return p.object(func(name string) error {
				return p.give(func(text []byte) error { return p.examiner.output(name, text) })
			})
		case "root_module":
			return p.module(resource)
		}
		return p.skip()
	})
}

// module reads a module of a state and those it calls.
func (p *reader) module(resource func(text []byte) error) error {
	return p.object(func(name string) error {
		switch name {
		case "resources":
			return p.array(func(int) error { return p.give(resource) })
		case "child_modules":
			return p.array(func(int) error { return p.module(resource) })
		}
		return p.skip()
	})
}

// configuration reads the code.
func (p *reader) configuration() error {
	return p.object(func(name string) error {
		switch name {
		case "provider_config":
			return p.object(func(string) error { return p.give(p.examiner.providerCode) })
		case "root_module":
			return p.moduleCode(p.examiner.sensitive)
		}
		return p.skip()
	})
}

// moduleCode reads a module's code and that of the modules it calls. The
// examiner notes in sensitive which of the module's variables are.
func (p *reader) moduleCode(sensitive map[string]bool) error {
	return p.object(func(name string) error {
		switch name {
		case "variables":
			return p.object(func(name string) error {
				return p.give(func(text []byte) error { return p.examiner.variableCode(name, sensitive, text) })
			})
		case "resources":
			return p.array(func(int) error { return p.give(p.examiner.resourceCode) })
		case "module_calls":
			return p.object(func(string) error { return p.moduleCall() })
		}
		return p.skip()
	})
}

// moduleCall reads the call of a module: what it is given, and its code.
func (p *reader) moduleCall() error {
	var arguments []byte
	sensitive := map[string]bool{}
	err := p.object(func(name string) error {
		switch name {
		case "expressions":
			text, err := p.objectValue()
			arguments = bytes.Clone(text) // until the code tells which are sensitive
			return err
		case "module":
			return p.moduleCode(sensitive)
		}
		return p.skip()
	})
	if err != nil || arguments == nil {
		return err
	}
	return p.hand(arguments, p.position(none, arguments), func(text []byte) error { return p.examiner.constants(text, sensitive) })
}

// give reads an object and hands it to the examiner. null is nothing to examine.
func (p *reader) give(do func(text []byte) error) error {
	text, err := p.objectValue()
	if err != nil || text == nil {
		return err
	}
	return p.hand(text, p.position(none, text), do)
}

// position is where the value just read stands.
func (p *reader) position(index int, text []byte) position {
	return position{section: p.current, index: index, offset: p.src.skipped + p.dec.InputOffset() - int64(len(text))}
}
