// Package redact says what is secret in a report: by mark, by name, by the look
// of a value, and because the same secret was found elsewhere in the report.
//
// It makes the drift.Value that may be shown. It stores and prints nothing, and
// remembers secrets only as hashes.
package redact

import (
	"bytes"
	"hash/maphash"

	"github.com/driftsentry/driftsentry/internal/jsontree"
)

// Inspector finds secrets in values: it sets Hidden on what must not be shown,
// and adds every secret to a collection. It is for one goroutine.
type Inspector struct {
	secrets *Secrets
	parser  *jsontree.Parser
	seed    maphash.Seed
	names   [2048]knownName // by hash; a new name pushes out the one there
	clean   [16384]uint64   // hashes of attributes without secrets, likewise
}

// knownName is what has been found out about a name.
type knownName struct {
	name      string
	meaning   Meaning
	pairName  bool // its value names what the value beside it is
	pairValue bool // it is that value
}

// NewInspector returns one that adds what it finds to secrets. parser must be
// the one that the inspected trees come from.
func NewInspector(secrets *Secrets, parser *jsontree.Parser) *Inspector {
	return &Inspector{secrets: secrets, parser: parser, seed: maphash.MakeSeed()}
}

// Attribute looks at the attribute called name of a resource, or at a variable
// or output. marks is Terraform's tree of what is sensitive in it, nil for none;
// named is what NamedBy said of the resource's name. It reports whether anything
// is hidden.
func (in *Inspector) Attribute(name []byte, value, marks *jsontree.Value, named Meaning) bool {
	known := in.known(name)
	meaning := known.meaning
	if named != Ordinary && known.pairValue {
		meaning = named
	}
	hidden := in.walk(value, marks, scope{name: name, meaning: meaning})
	if !hidden && marks == nil && named == Ordinary {
		hash := in.hash(name, value.Raw)
		in.clean[hash%uint64(len(in.clean))] = hash
	}
	return hidden
}

// Clean reports whether Attribute has already looked at the same text under the
// same name, without any marks, and found nothing. Plans say the same many times
// over: before and after, in two states, for resources that are alike.
func (in *Inspector) Clean(name, value []byte) bool {
	hash := in.hash(name, value)
	return in.clean[hash%uint64(len(in.clean))] == hash
}

func (in *Inspector) hash(name, value []byte) uint64 {
	return maphash.Bytes(in.seed, name)*3 ^ maphash.Bytes(in.seed, value)
}

// NamedBy is what an attribute says that its resource's value is, Ordinary when
// it says nothing: a variable whose key is DB_PASSWORD has a secret value.
func (in *Inspector) NamedBy(name, value []byte) Meaning {
	if jsontree.KindOf(value) != jsontree.String || len(name) < 3 || len(name) > 14 || !in.known(name).pairName {
		return Ordinary
	}
	if m := in.meaning(jsontree.Unquote(value)); m == Credential || m == Suspicious {
		return m
	}
	return Ordinary
}

// scope is what is known of a value from where it stands.
type scope struct {
	name    []byte // the nearest member's
	meaning Meaning
	marked  bool // Terraform says that it is sensitive
	copied  bool // marked as part of a copy of a whole resource
	depth   int  // how many encodings deep
}

// walk looks at a value and everything in it.
func (in *Inspector) walk(v, marks *jsontree.Value, at scope) bool {
	if marks.Kind() == jsontree.True {
		at.marked = true
	}
	switch v.Kind() {
	case jsontree.Object:
		return in.members(v, marks, at)
	case jsontree.Array:
		hidden := false
		for i := range v.Kids {
			hidden = in.walk(&v.Kids[i], marks.Element(i), at) || hidden
		}
		return in.arguments(v) || hidden
	case jsontree.String:
		return in.text(v, at)
	case jsontree.Number:
		if v.Hidden = at.marked || at.meaning == Credential && len(v.Raw) >= 6; v.Hidden {
			in.add(v.Raw)
		}
		return v.Hidden
	case jsontree.True, jsontree.False:
		v.Hidden = at.marked
		return v.Hidden
	}
	return false // null hides nothing
}

// members looks at an object's members. A value beside a name means what the
// name says: {"name": "DB_PASSWORD", "value": "…"}.
func (in *Inspector) members(v, marks *jsontree.Value, at scope) bool {
	named := in.namedBy(v)
	if at.marked && isCopy(v) {
		at.copied = true
	}
	hidden := false
	for i := range v.Kids {
		kid := &v.Kids[i]
		if len(kid.Name) >= minRandom && in.scan(kid.Name, true, at.depth) {
			v.Hidden = true // a name is not worth showing the rest for
			return true
		}
		known := in.known(kid.Name)
		inside := at
		inside.name = kid.Name
		switch {
		case named != Ordinary && known.pairValue:
			inside.meaning = named
		case at.meaning == Credential && known.meaning != Credential && !isMetadata(string(kid.Name)):
			// Inside something secret everything is, unless it says otherwise.
		default:
			inside.meaning = known.meaning
		}
		var mark *jsontree.Value
		if marks != nil {
			mark = marks.Member(string(kid.Name))
		}
		hidden = in.walk(kid, mark, inside) || hidden
	}
	return hidden
}

// text looks at a string.
func (in *Inspector) text(v *jsontree.Value, at scope) bool {
	text := v.Text()
	switch {
	case len(text) == 0:
		v.Hidden = at.marked
		return v.Hidden
	case at.marked:
		v.Hidden = true
		in.collect(v, at)
		return true
	case isSecretValue(at.meaning, text):
		v.Hidden = true
		in.collect(v, at)
		return true
	}
	if at.depth < maxDepth {
		if document := v.Inner(in.parser); document != nil {
			hidden := in.walk(document, nil, scope{name: at.name, meaning: publicOrOrdinary(at.meaning), depth: at.depth + 1})
			if hidden {
				in.secrets.AddDigests(text)
			}
			return hidden
		}
	}
	if v.Hidden = in.scan(text, at.meaning == Public, at.depth); v.Hidden {
		in.secrets.AddDigests(text)
	}
	return v.Hidden
}

// collect remembers a hidden string, and what in it is a secret of its own.
func (in *Inspector) collect(v *jsontree.Value, at scope) {
	if at.depth < maxDepth {
		if document := v.Inner(in.parser); document != nil {
			// Its members are secrets; the document itself, written in
			// another way the next time, is found by them.
			in.walk(document, nil, scope{name: at.name, meaning: at.meaning, marked: true, copied: at.copied, depth: at.depth + 1})
			in.secrets.AddDigests(v.Text())
			return
		}
	}
	text := v.Text()
	in.scan(text, true, at.depth)
	// What Terraform hides only because it stands beside a secret is no reason
	// to hide the same word everywhere.
	if at.meaning != Credential && (at.copied || at.marked && isMetadata(string(at.name)) && at.depth > 0) {
		return
	}
	in.add(text)
}

func publicOrOrdinary(m Meaning) Meaning {
	if m == Public {
		return Public
	}
	return Ordinary
}

// isCopy reports whether a sensitive object is a resource that somebody made an
// output of. The one password in it made Terraform mark the region as well. What
// in it is secret is marked in the resource itself.
func isCopy(v *jsontree.Value) bool {
	const fewest = 8 // members of a resource
	return len(v.Kids) >= fewest && v.Member("id") != nil
}

// namedBy is what an object's name or key says that its value is.
func (in *Inspector) namedBy(v *jsontree.Value) Meaning {
	for i := range v.Kids {
		if m := in.NamedBy(v.Kids[i].Name, v.Kids[i].Raw); m != Ordinary {
			return m
		}
	}
	return Ordinary
}

var (
	pairNames  = set(`name key Name Key parameter_name parameter_key ParameterKey header variable_name secret_name`)
	valueNames = set(`value Value values Values default default_value string_value parameter_value ParameterValue plaintext
		plaintext_value text content data`)
)

// meaning is MeaningOf with a memory.
func (in *Inspector) meaning(name []byte) Meaning { return in.known(name).meaning }

// known is what there is to know about a name. It is good until the next call.
func (in *Inspector) known(name []byte) *knownName {
	slot := &in.names[maphash.Bytes(in.seed, name)%uint64(len(in.names))]
	if slot.name != string(name) {
		const longest = 256 // what is longer is no name but somebody's text
		*slot = knownName{name: string(name[:min(len(name), longest)])}
		if len(name) <= longest {
			slot.meaning = MeaningOf(slot.name)
			slot.pairName, slot.pairValue = pairNames[slot.name], valueNames[slot.name]
		}
	}
	return slot
}

// add remembers a secret.
func (in *Inspector) add(secret []byte) { in.secrets.Add(secret) }

// parse is the tree of text that holds a JSON object or array, nil otherwise.
func (in *Inspector) parse(text []byte) *jsontree.Value {
	text = bytes.TrimSpace(text)
	if !jsontree.HoldsJSON(text) {
		return nil
	}
	return in.parser.Parse(text)
}
