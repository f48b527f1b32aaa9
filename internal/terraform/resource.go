package terraform

import (
	"bytes"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/jsontree"
	"github.com/driftsentry/driftsentry/internal/redact"
)

// change examines element i of resource_drift or resource_changes: for secrets
// always, and for drift when something happens to a managed resource.
func (x *examiner) change(origin drift.Origin, i int, text []byte) error {
	e := &x.entry
	if err := e.parse(text); err != nil {
		return err
	}
	x.provider(e.provider)
	action := drift.Action("")
	if e.isManaged() {
		var err error
		if action, err = e.action(); err != nil {
			return err
		}
		x.count(origin, action)
	}
	if action == "" {
		return x.quiet()
	}

	if err := x.begin(origin, action); err != nil {
		return err
	}
	if err := x.list(i); err != nil {
		return err
	}
	if err := x.compare(); err != nil {
		return err
	}
	if x.subject.mayEcho {
		return x.echoer.held.Add(isNews, text)
	}
	return x.keep()
}

// begin starts the record of the entry.
func (x *examiner) begin(origin drift.Origin, action drift.Action) error {
	e := &x.entry
	address, err := e.fullAddress()
	if err != nil {
		return err
	}
	kind, err := e.resourceType(address)
	if err != nil {
		return err
	}
	x.record.start(drift.Resource{
		Address: address, PreviousAddress: printable(contents(e.previousAddress)),
		Type: kind, Provider: printable(contents(e.provider)),
		Origin: origin, Action: action,
	})
	x.comparer.Type = x.record.Type
	x.fingerprints.Start()
	x.subject.start()
	return nil
}

// count keeps the tally of managed resources.
func (x *examiner) count(origin drift.Origin, action drift.Action) {
	switch {
	case origin == drift.Outside:
		x.drifted++
		if action == drift.Delete {
			x.gone++
		}
	case x.entry.deposed == nil:
		x.changed++
		if action == drift.Delete && x.entry.reason == nil {
			x.destroyed++
		}
	}
}

// entryMarks are the trees of what is sensitive on either side of the entry,
// and of what is not known yet.
func (x *examiner) entryMarks() (before, after, unknown *jsontree.Value, err error) {
	x.markParser.Reset()
	if before, err = x.marks(x.entry.beforeSensitive); err != nil {
		return nil, nil, nil, err
	}
	if after, err = x.marks(x.entry.afterSensitive); err != nil {
		return nil, nil, nil, err
	}
	unknown, err = x.marks(x.entry.afterUnknown)
	return before, after, unknown, err
}

// quiet collects the secrets of an entry that is no drift.
func (x *examiner) quiet() error {
	marksBefore, marksAfter, _, err := x.entryMarks()
	if err != nil {
		return err
	}
	named := max(x.namedBy(x.entry.before.members), x.namedBy(x.entry.after.members))
	for m := (merge{before: x.entry.before.members, after: x.entry.after.members}); ; {
		a, more := m.next()
		if !more {
			return nil
		}
		before, after := markOf(marksBefore, a.name), markOf(marksAfter, a.name)
		if !saysNothing(a.before) {
			if err := x.collect(a.name, a.before, before, named); err != nil {
				return err
			}
		}
		if !saysNothing(a.after) && (after != nil || !bytes.Equal(a.before, a.after)) {
			if err := x.collect(a.name, a.after, after, named); err != nil {
				return err
			}
		}
	}
}

// compare goes through the attributes of an entry that is a drift, both sides
// at once.
func (x *examiner) compare() error {
	e := &x.entry
	marksBefore, marksAfter, unknown, err := x.entryMarks()
	if err != nil {
		return err
	}
	m := merge{before: e.before.members, after: e.after.members, others: x.others[:0]}
	if x.record.Action != drift.Delete && x.record.Action != drift.Forget {
		m.alsoMembersOf(unknown)
		x.others = m.others
	} else {
		unknown = nil
	}
	named := max(x.namedBy(e.before.members), x.namedBy(e.after.members))
	for {
		a, more := m.next()
		if !more {
			return nil
		}
		a.marksBefore, a.marksAfter, a.unknown = markOf(marksBefore, a.name), markOf(marksAfter, a.name), markOf(unknown, a.name)
		if err := x.attribute(&a, named); err != nil {
			return err
		}
	}
}

// attribute is one attribute on both sides.
type attribute struct {
	name                    []byte
	before, after           []byte // nil: not there
	marksBefore, marksAfter *jsontree.Value
	unknown                 *jsontree.Value

	treeBefore, treeAfter *jsontree.Value
}

// attribute looks at one attribute: the secrets in it, where it says that the
// resource is, and how it differs.
func (x *examiner) attribute(a *attribute, named redact.Meaning) error {
	same := a.unknown == nil && bytes.Equal(a.before, a.after)
	if same && (saysNothing(a.after) || named == redact.Ordinary && a.marksBefore == nil && a.marksAfter == nil &&
		x.inspector.Clean(a.name, a.after) && x.subject.where.field(a.name) == nil) {
		return nil
	}
	defer x.parser.Reset()
	hidden := false
	var err error
	if a.before != nil {
		if a.treeBefore, err = x.parse(&x.parser, a.before); err != nil {
			return err
		}
		hidden = x.inspector.Attribute(a.name, a.treeBefore, a.marksBefore, named)
	}
	switch {
	case same && a.marksBefore == nil && a.marksAfter == nil:
		a.treeAfter = a.treeBefore
	case a.after != nil:
		if a.treeAfter, err = x.parse(&x.parser, a.after); err != nil {
			return err
		}
		hidden = x.inspector.Attribute(a.name, a.treeAfter, a.marksAfter, named) || hidden
	}
	x.subject.note(a, hidden)
	switch x.record.Action {
	case drift.Create:
		x.created(a)
	case drift.Delete:
		x.deleted(a)
	case drift.Forget:
	default:
		if !same {
			x.compared(a)
		}
	}
	return nil
}
