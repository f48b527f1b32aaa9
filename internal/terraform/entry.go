package terraform

import (
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
		return flawed("has no change that is an object")
	}
	if jsontree.KindOf(e.actions) != jsontree.Array {
		return flawed("has no change.actions that is an array")
	}
	for _, s := range [...]struct {
		name string
		text []byte
	}{
		{"address", e.address},
		{"previous_address", e.previousAddress},
		{"module_address", e.moduleAddress},
		{"mode", e.mode},
		{"type", e.kind},
		{"name", e.name},
		{"provider_name", e.provider},
		{"deposed", e.deposed},
	} {
		if s.text != nil && jsontree.KindOf(s.text) != jsontree.String {
			return flawed("has as its " + s.name + " something that is not a string")
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
			err = parseSide(&e.before, c, "before")
		case `"after"`:
			err = parseSide(&e.after, c, "after")
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

// parseSide takes the object or null in front of the cursor apart.
func parseSide(s *side, c *jsontree.Cursor, name string) error {
	switch c.Kind() {
	case jsontree.Object:
		return s.parse(c)
	case jsontree.Null:
		c.Value()
		return nil
	}
	return flawed("has a change." + name + " that is neither an object nor null")
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
	return "", flawed("has change.actions that this version of DriftSentry does not know")
}
