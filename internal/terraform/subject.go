package terraform

import (
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/jsontree"
	"github.com/driftsentry/driftsentry/internal/redact"
)

// maxChanges is how many changes of one resource are told one by one. From
// there on each attribute is told as one change of the whole.
const maxChanges = 10_000

// subject is what is gathered of a resource while its attributes are read, in
// clear. Nothing of it outlives the resource.
type subject struct {
	attributes []drift.Attribute // with news
	news       []string          // paths
	hidden     []string          // attributes of which all or part is hidden
	where      whereabouts
	values     map[string]any // after the change
	mayEcho    bool           // some news may be the echo of another resource

	size              int               // bytes of the record's changes
	newsOut, noiseOut int               // changes left out of the record
	outReason         drift.NoiseReason // of the first
}

func (s *subject) start() {
	clear(s.attributes)
	s.attributes, s.news, s.hidden = s.attributes[:0], s.news[:0], s.hidden[:0]
	s.where, s.mayEcho = whereabouts{}, false
	s.size, s.newsOut, s.noiseOut = 0, 0, 0
}

// note takes note of an attribute, changed or not.
func (s *subject) note(a *attribute, hidden bool) {
	if hidden {
		s.hidden = append(s.hidden, string(a.name))
	}
	s.where.note(a.name, a.treeBefore, a.treeAfter)
}

// created tells an attribute of a resource that is created.
func (x *examiner) created(a *attribute) {
	d := drift.Whole(a.name, nil, a.treeAfter)
	if a.treeAfter.Kind() == jsontree.Null {
		if d.Unknown = a.unknown != nil; !d.Unknown {
			return
		}
	}
	x.tell(a, []drift.Difference{d})
}

// deleted tells an attribute of a resource that is deleted.
func (x *examiner) deleted(a *attribute) {
	if a.treeBefore.Kind() != jsontree.Null {
		x.tell(a, []drift.Difference{drift.Whole(a.name, a.treeBefore, nil)})
	}
}

// compared tells how an attribute differs.
func (x *examiner) compared(a *attribute) {
	differences := x.comparer.Attribute(a.name, a.treeBefore, a.treeAfter, a.unknown)
	if len(x.record.News)+len(x.record.Noise)+len(differences) > maxChanges && len(differences) > 1 {
		d := drift.Whole(a.name, a.treeBefore, a.treeAfter)
		d.Unknown = a.unknown.Kind() == jsontree.True
		differences = []drift.Difference{d}
	}
	x.hear(a, differences)
	x.tell(a, differences)
}

// hear makes noise of differences that are the echo of another resource, once
// that can be told.
func (x *examiner) hear(a *attribute, differences []drift.Difference) {
	isEcho := x.isEcho(a)
	for i := range differences {
		if d := &differences[i]; d.Noise == "" && isEcho {
			d.Noise = drift.NoiseEcho
		} else if d.Noise == "" && !x.subject.mayEcho {
			x.subject.mayEcho = x.mayEcho(a)
		}
	}
}

// tell adds the differences of one attribute to the record, masked by all that
// is known so far.
func (x *examiner) tell(a *attribute, differences []drift.Difference) {
	news := false
	for i := range differences {
		d := &differences[i]
		x.fingerprints.Add(d)
		c := drift.Change{
			Path: printable(d.Path), Unknown: d.Unknown, Noise: d.Noise,
			Before: drift.Shorten(redact.Value(d.Before, &x.parser)), After: drift.Shorten(redact.Value(d.After, &x.parser)),
		}
		if d.Noise == "" {
			news = true
			x.subject.news = append(x.subject.news, c.Path)
		}
		x.show(c)
	}
	if news && x.record.Action != drift.Delete {
		x.subject.attributes = append(x.subject.attributes, drift.Attribute{
			Name: string(a.name), Before: a.treeBefore.Any(), After: a.treeAfter.Any(), Unknown: a.unknown != nil,
		})
	}
}

// show adds a change to the record, unless that would be too much.
func (x *examiner) show(c drift.Change) {
	r, s := &x.record, &x.subject
	fits := s.size+c.Size() <= drift.MaxChanges
	if fits {
		s.size += c.Size()
	}
	switch {
	case fits && c.Noise == "":
		r.News = append(r.News, c)
	case fits:
		r.Noise = append(r.Noise, c)
	case c.Noise == "":
		s.newsOut++
	default:
		if s.noiseOut++; s.noiseOut == 1 {
			s.outReason = c.Noise
		}
	}
}

// tellLeftOut tells how many changes the record lacks.
func (x *examiner) tellLeftOut() {
	if n := x.subject.newsOut; n > 0 {
		x.record.News = append(x.record.News, drift.LeftOut(n, ""))
	}
	if n := x.subject.noiseOut; n > 0 {
		x.record.Noise = append(x.record.Noise, drift.LeftOut(n, x.subject.outReason))
	}
}

// keep finishes the record and puts it into the spool.
func (x *examiner) keep() error {
	x.tellLeftOut()
	r, s := &x.record, &x.subject
	r.hideDigestsOf(s.hidden)
	r.CloudID, r.Region, r.Account = s.where.cloudID(), s.where.place(), s.where.account()
	r.contents = x.contentsBehind(r.CloudID)
	kind := isNoise
	if r.OnlyNoise() {
		r.Fingerprint = x.fingerprints.Noise()
	} else {
		kind = isNews
		x.siblingDrifted()
		r.Fingerprint = x.fingerprints.News(r.Action)
		r.Severity, r.SeverityReason = drift.Classify(drift.Subject{
			Type: r.Type, Origin: r.Origin, Action: r.Action,
			Attributes: s.attributes, News: s.news, Values: x.values(),
		})
	}
	x.sight()
	x.encoded = r.append(x.encoded[:0])
	return x.spool.Add(kind, x.encoded)
}

// maxClassified is the longest text of an unchanged attribute that is decoded for
// Classify: ports, protocols, roles and lists of addresses are short.
const maxClassified = 512

// values are the attributes after the change, decoded, for a change of which
// they may be the other half.
func (x *examiner) values() map[string]any {
	if x.record.Action == drift.Delete || x.record.Action == drift.Forget {
		return nil
	}
	if x.subject.values == nil {
		x.subject.values = map[string]any{}
	}
	values := x.subject.values
	clear(values)
	for _, m := range x.entry.after.members {
		if len(m.value) <= maxClassified && (!saysNothing(m.value) || m.value[0] == 't' || m.value[0] == 'f') {
			values[string(m.name)] = x.parser.Parse(m.value).Any()
		}
	}
	x.parser.Reset()
	return values
}

// contentsBehind is the string attribute that an id is a digest of, if any: the
// id must be hidden should that turn out to hold a secret.
func (x *examiner) contentsBehind(id string) string {
	if !isDigestID(id) {
		return ""
	}
	members := x.entry.after.members
	if len(members) == 0 {
		members = x.entry.before.members
	}
	for _, m := range members {
		if jsontree.KindOf(m.value) == jsontree.String {
			if text := jsontree.Unquote(m.value); isDigestOf(id, text) {
				return string(text)
			}
		}
	}
	return ""
}
