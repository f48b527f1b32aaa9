package terraform

import (
	"bytes"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/jsontree"
	"github.com/driftsentry/driftsentry/internal/redact"
)

// resource makes of the entry just parsed what it says: secrets always, and a
// drift when something happens to a managed resource. i is its index in the
// plan.
func (p *reader) resource(origin drift.Origin, i int) error {
	e := &p.entry
	if e.provider != nil {
		p.seenProvider(e.provider)
	}
	action := drift.Action("")
	if e.isManaged() {
		var err error
		if action, err = e.action(); err != nil {
			return p.invalid(err.Error())
		}
		p.count(origin, action)
	}
	if action == "" {
		return p.collectEntry()
	}

	address, err := e.fullAddress()
	if err != nil {
		return p.invalid(err.Error())
	}
	p.record.start(drift.Resource{
		Address: address, PreviousAddress: printable(contents(e.previousAddress)),
		Type: e.resourceType(address), Provider: printable(contents(e.provider)),
		Origin: origin, Action: action,
	})
	if err := p.addSighting(i); err != nil {
		return err
	}
	p.comparer.Type = p.record.Type
	p.fingerprints.Start()
	p.subject.start()
	if err := p.attributes(); err != nil {
		return err
	}
	return p.keep()
}

// count keeps the header's counts of managed resources.
func (p *reader) count(origin drift.Origin, action drift.Action) {
	switch {
	case origin == drift.Outside:
		p.drifted++
		if action == drift.Delete {
			p.gone++
		}
	case origin == drift.Pending && p.entry.deposed == nil:
		p.changed++
		if action == drift.Delete && p.entry.reason == nil {
			p.destroyed++
		}
	}
}

// collectEntry collects the secrets of an entry that is no drift.
func (p *reader) collectEntry() error {
	e := &p.entry
	marksBefore, marksAfter, _, err := p.entryMarks()
	if err != nil {
		return err
	}
	named := redact.Ordinary
	for m := (merge{before: e.before.members, after: e.after.members}); ; {
		a, more := m.next()
		if !more {
			return nil
		}
		named = max(named, p.inspector.NamedBy(a.name, a.before), p.inspector.NamedBy(a.name, a.after))
		before, after := markOf(marksBefore, a.name), markOf(marksAfter, a.name)
		if !saysNothing(a.before) {
			if err := p.collect(a.name, a.before, before, named); err != nil {
				return err
			}
		}
		if !saysNothing(a.after) && (after != nil || !bytes.Equal(a.before, a.after)) {
			if err := p.collect(a.name, a.after, after, named); err != nil {
				return err
			}
		}
	}
}

// entryMarks are the trees of what is sensitive on either side, and of what is
// not known yet.
func (p *reader) entryMarks() (before, after, unknown *jsontree.Value, err error) {
	p.markParser.Reset()
	if before, err = p.parseMarks(p.entry.beforeSensitive); err != nil {
		return nil, nil, nil, err
	}
	if after, err = p.parseMarks(p.entry.afterSensitive); err != nil {
		return nil, nil, nil, err
	}
	unknown, err = p.parseMarks(p.entry.afterUnknown)
	return before, after, unknown, err
}

// attributes goes through the attributes of the entry, both sides at once.
func (p *reader) attributes() error {
	e := &p.entry
	marksBefore, marksAfter, unknown, err := p.entryMarks()
	if err != nil {
		return err
	}
	m := merge{before: e.before.members, after: e.after.members, others: p.others[:0]}
	if p.record.Action != drift.Delete && p.record.Action != drift.Forget {
		m.alsoMembersOf(unknown)
		p.others = m.others
	} else {
		unknown = nil
	}
	named := redact.Ordinary
	for {
		a, more := m.next()
		if !more {
			return nil
		}
		a.marksBefore, a.marksAfter, a.unknown = markOf(marksBefore, a.name), markOf(marksAfter, a.name), markOf(unknown, a.name)
		named = max(named, p.inspector.NamedBy(a.name, a.before), p.inspector.NamedBy(a.name, a.after))
		if err := p.attribute(&a, named); err != nil {
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
func (p *reader) attribute(a *attribute, named redact.Meaning) error {
	same := a.unknown == nil && bytes.Equal(a.before, a.after)
	if same && (saysNothing(a.after) || named == redact.Ordinary && a.marksBefore == nil && a.marksAfter == nil &&
		p.inspector.Clean(a.name, a.after) && !tellsWhere[string(a.name)]) {
		return nil
	}
	defer p.parser.Reset()
	hidden := false
	var err error
	if a.before != nil {
		if a.treeBefore, err = p.parse(&p.parser, a.before); err != nil {
			return err
		}
		hidden = p.inspector.Attribute(a.name, a.treeBefore, a.marksBefore, named)
	}
	switch {
	case same && a.marksBefore == nil && a.marksAfter == nil:
		a.treeAfter = a.treeBefore
	case a.after != nil:
		if a.treeAfter, err = p.parse(&p.parser, a.after); err != nil {
			return err
		}
		hidden = p.inspector.Attribute(a.name, a.treeAfter, a.marksAfter, named) || hidden
	}
	p.subject.note(a, hidden)
	switch p.record.Action {
	case drift.Create:
		p.created(a)
	case drift.Delete:
		p.deleted(a)
	case drift.Forget:
	default:
		if !same {
			p.compared(a)
		}
	}
	return nil
}
