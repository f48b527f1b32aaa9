package terraform

import (
	"encoding/binary"
	"strings"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/redact"
)

// record is a resource on its way through the spool: masked by what was known
// when it was read, and to be masked by what was found out later.
type record struct {
	drift.Resource
	// contents is what the CloudID is a digest of, if it is of an attribute.
	contents string
}

// start makes the record that of another resource.
func (r *record) start(of drift.Resource) {
	of.News, of.Noise = r.News[:0], r.Noise[:0]
	r.Resource, r.contents = of, ""
}

// hideDigestsOf hides the changes of attributes that are digests of hidden ones.
func (r *record) hideDigestsOf(hidden []string) {
	for _, changes := range [...][]drift.Change{r.News, r.Noise} {
		for i := range changes {
			c := &changes[i]
			for _, name := range hidden {
				if redact.IsDigestOf(attributeOf(c.Path), name) {
					c.Before, c.After = hide(c.Before), hide(c.After)
					break
				}
			}
		}
	}
}

// hideValue hides the changes in which the string text is one of the values.
func (r *record) hideValue(text string) {
	json := string(drift.AppendString(nil, text))
	for _, changes := range [...][]drift.Change{r.News, r.Noise} {
		for i := range changes {
			if c := &changes[i]; c.Before.JSON() == json || c.After.JSON() == json {
				c.Before, c.After = hide(c.Before), hide(c.After)
			}
		}
	}
}

// hide hides a value that is there.
func hide(v drift.Value) drift.Value {
	if v.IsNull() {
		return v
	}
	return drift.Hidden()
}

// attributeOf is the top-level attribute that a path begins with.
func attributeOf(path string) string {
	if i := strings.IndexAny(path, ".["); i > 0 {
		return path[:i]
	}
	return path
}

// The record's encoding: its fields in the order below, strings and lists after
// their length, nothing that must be looked up.

// append appends the encoded record.
func (r *record) append(b []byte) []byte {
	for _, s := range r.strings() {
		b = appendString(b, *s)
	}
	b = append(b, r.Fingerprint[:]...)
	b = appendChanges(b, r.News)
	return appendChanges(b, r.Noise)
}

// strings are the record's fields that are text.
func (r *record) strings() [12]*string {
	return [...]*string{
		&r.Address, &r.PreviousAddress, &r.Type, &r.Provider, &r.CloudID, &r.Region, &r.Account,
		(*string)(&r.Origin), (*string)(&r.Action), (*string)(&r.Severity), &r.SeverityReason, &r.contents,
	}
}

// decode makes the record what encoded encodes. Its lists are used again, its
// strings are new.
func (r *record) decode(encoded []byte) {
	s := string(encoded) // one for all of them
	for _, field := range r.strings() {
		*field, s = cutString(s)
	}
	s = s[copy(r.Fingerprint[:], s):]
	r.News, s = cutChanges(r.News[:0], s)
	r.Noise, _ = cutChanges(r.Noise[:0], s)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func cutString(s string) (field, rest string) {
	n, s := cutLength(s)
	return s[:n], s[n:]
}

func cutLength(s string) (n int, rest string) {
	var length uint64
	for i, shift := 0, 0; ; i, shift = i+1, shift+7 {
		length |= uint64(s[i]&0x7f) << shift
		if s[i] < 0x80 {
			return int(length), s[i+1:]
		}
	}
}

func appendChanges(b []byte, changes []drift.Change) []byte {
	b = binary.AppendUvarint(b, uint64(len(changes)))
	for i := range changes {
		c := &changes[i]
		b = appendString(b, c.Path)
		b = appendString(b, string(c.Noise))
		b = append(b, bit(c.Unknown))
		b = appendValue(appendValue(b, c.Before), c.After)
	}
	return b
}

func cutChanges(changes []drift.Change, s string) ([]drift.Change, string) {
	n, s := cutLength(s)
	for range n {
		var c drift.Change
		var noise string
		c.Path, s = cutString(s)
		noise, s = cutString(s)
		c.Noise = drift.NoiseReason(noise)
		c.Unknown, s = s[0] == 1, s[1:]
		c.Before, s = cutValue(s)
		c.After, s = cutValue(s)
		changes = append(changes, c)
	}
	return changes, s
}

func appendValue(b []byte, v drift.Value) []byte {
	b = append(b, bit(v.IsHidden()))
	if v.IsHidden() {
		return b
	}
	return appendString(b, v.JSON())
}

func cutValue(s string) (drift.Value, string) {
	hidden := s[0] == 1
	if s = s[1:]; hidden {
		return drift.Hidden(), s
	}
	json, s := cutString(s)
	return drift.Shown(json), s
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}
