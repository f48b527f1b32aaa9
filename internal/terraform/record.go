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

// decode makes the record what b encodes. Its lists are used again.
func (r *record) decode(b []byte) {
	for _, s := range r.strings() {
		*s, b = cutString(b)
	}
	b = b[copy(r.Fingerprint[:], b):]
	r.News, b = cutChanges(r.News[:0], b)
	r.Noise, _ = cutChanges(r.Noise[:0], b)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func cutString(b []byte) (string, []byte) {
	n, size := binary.Uvarint(b)
	b = b[size:]
	return string(b[:n]), b[n:]
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

func cutChanges(changes []drift.Change, b []byte) ([]drift.Change, []byte) {
	n, size := binary.Uvarint(b)
	b = b[size:]
	for range n {
		var c drift.Change
		var noise string
		c.Path, b = cutString(b)
		noise, b = cutString(b)
		c.Noise = drift.NoiseReason(noise)
		c.Unknown, b = b[0] == 1, b[1:]
		c.Before, b = cutValue(b)
		c.After, b = cutValue(b)
		changes = append(changes, c)
	}
	return changes, b
}

func appendValue(b []byte, v drift.Value) []byte {
	b = append(b, bit(v.IsHidden()))
	if v.IsHidden() {
		return b
	}
	return appendString(b, v.JSON())
}

func cutValue(b []byte) (drift.Value, []byte) {
	hidden := b[0] == 1
	if b = b[1:]; hidden {
		return drift.Hidden(), b
	}
	json, b := cutString(b)
	return drift.Shown(json), b
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}
