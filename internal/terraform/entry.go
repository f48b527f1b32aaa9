package terraform

import (
	"errors"
	"fmt"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/jsontree"
)

// entry is one element of resource_drift or resource_changes, taken apart but
// not decoded: every field is JSON text, nil when it is null or not there.
type entry struct {
	address         []byte
	previousAddress []byte
	moduleAddress   []byte
	mode            []byte
	kind            []byte // type
	name            []byte
	index           []byte
	provider        []byte
	deposed         []byte
	reason          []byte // action_reason

	actions         []byte
	before          side
	after           side
	afterUnknown    []byte
	beforeSensitive []byte
	afterSensitive  []byte
	importing       []byte
}

// changes reads resource_drift or resource_changes.
func (p *reader) changes(origin drift.Origin) error {
	if p.dec.PeekKind() == '[' {
		if origin == drift.Outside {
			p.hasDrift = true
		} else {
			p.hasChanges = true
		}
	}
	return p.array(func(i int) error {
		text, err := p.objectValue()
		if err != nil {
			return err
		}
		if text == nil {
			return p.invalid("must be an object")
		}
		if err := p.entry.parse(text); err != nil {
			return p.invalid(err.Error())
		}
		return p.resource(origin, i)
	})
}

// parse takes an element apart and checks that it is what a plan has there.
func (e *entry) parse(text []byte) error {
	*e = entry{before: side{members: e.before.members[:0]}, after: side{members: e.after.members[:0]}}
	hasChange := false
	c := jsontree.CursorOn(text)
	for c.Enter(); ; {
		name, more := c.Name()
		if !more {
			break
		}
		if string(name) == `"change"` && c.Kind() == jsontree.Object {
			hasChange = true
			if err := e.parseChange(&c); err != nil {
				return err
			}
			continue
		}
		value := c.Value()
		if field := e.field(name); field != nil && jsontree.KindOf(value) != jsontree.Null {
			*field = value
		}
	}
	if !hasChange {
		return errors.New("has no change that is an object")
	}
	if jsontree.KindOf(e.actions) != jsontree.Array {
		return errors.New("has no change.actions that is an array")
	}
	for _, s := range [...]struct {
		name string
		text []byte
	}{
		{"address", e.address}, {"previous_address", e.previousAddress}, {"module_address", e.moduleAddress},
		{"mode", e.mode}, {"type", e.kind}, {"name", e.name}, {"provider_name", e.provider}, {"deposed", e.deposed},
	} {
		if s.text != nil && jsontree.KindOf(s.text) != jsontree.String {
			return fmt.Errorf("has a %s that is not a string", s.name)
		}
	}
	return nil
}

// parseChange takes the change in front of the cursor apart.
func (e *entry) parseChange(c *jsontree.Cursor) error {
	for c.Enter(); ; {
		name, more := c.Name()
		if !more {
			return nil
		}
		var err error
		switch string(name) {
		case `"before"`:
			err = e.before.parse(c, "before")
		case `"after"`:
			err = e.after.parse(c, "after")
		default:
			value := c.Value()
			if field := e.changeField(name); field != nil && jsontree.KindOf(value) != jsontree.Null {
				*field = value
			}
		}
		if err != nil {
			return err
		}
	}
}

func (e *entry) field(quoted []byte) *[]byte {
	switch string(quoted) {
	case `"address"`:
		return &e.address
	case `"previous_address"`:
		return &e.previousAddress
	case `"module_address"`:
		return &e.moduleAddress
	case `"mode"`:
		return &e.mode
	case `"type"`:
		return &e.kind
	case `"name"`:
		return &e.name
	case `"index"`:
		return &e.index
	case `"provider_name"`:
		return &e.provider
	case `"deposed"`:
		return &e.deposed
	case `"action_reason"`:
		return &e.reason
	}
	return nil
}

func (e *entry) changeField(quoted []byte) *[]byte {
	switch string(quoted) {
	case `"actions"`:
		return &e.actions
	case `"after_unknown"`:
		return &e.afterUnknown
	case `"before_sensitive"`:
		return &e.beforeSensitive
	case `"after_sensitive"`:
		return &e.afterSensitive
	case `"importing"`:
		return &e.importing
	}
	return nil
}

// isManaged reports whether the entry is of a resource rather than a data
// source. Very old plans do not say.
func (e *entry) isManaged() bool { return e.mode == nil || string(e.mode) == `"managed"` }

// action is what the entry's actions come to; empty when nothing happens: no-op
// and read.
func (e *entry) action() (drift.Action, error) {
	has := map[string]bool{}
	n := 0
	c := jsontree.CursorOn(e.actions)
	for c.Enter(); c.Element(); n++ {
		has[string(c.Value())] = true
	}
	switch {
	case n == 1 && has[`"no-op"`]:
		if e.importing != nil {
			return drift.Import, nil
		}
		return "", nil
	case n == 1 && has[`"read"`]:
		return "", nil
	case n == 1 && has[`"create"`]:
		return drift.Create, nil
	case n == 1 && has[`"update"`]:
		return drift.Update, nil
	case n == 1 && has[`"delete"`]:
		return drift.Delete, nil
	case n == 1 && has[`"forget"`]:
		return drift.Forget, nil
	case n == 2 && has[`"create"`] && (has[`"delete"`] || has[`"forget"`]):
		return drift.Replace, nil
	}
	return "", errors.New("has change.actions that this version of DriftSentry does not know")
}
