package drift

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"

	"github.com/driftsentry/driftsentry/internal/jsontree"
)

// Fingerprinter makes Fingerprints: Start, Add for every difference, then News
// or Noise. It is for one goroutine.
type Fingerprinter struct {
	mac     hash.Hash
	parser  *jsontree.Parser
	news    []byte // digests, one a difference
	noise   []byte
	scratch []byte // what is to be hashed, the innermost last
}

// NewFingerprinter returns one whose fingerprints depend on key, so that nobody
// without it can try out what a hidden value might be. parser must be the one
// that the differences' trees come from.
func NewFingerprinter(key []byte, parser *jsontree.Parser) *Fingerprinter {
	return &Fingerprinter{mac: hmac.New(sha256.New, key), parser: parser}
}

// Start forgets the differences added before.
func (f *Fingerprinter) Start() { f.news, f.noise = f.news[:0], f.noise[:0] }

// Add adds a difference.
func (f *Fingerprinter) Add(d *Difference) {
	start := len(f.scratch)
	f.scratch = appendText(f.scratch, []byte(d.Place))
	f.scratch = append(f.scratch, flag(d.Unknown))
	if d.Noise == "" {
		f.appendMeaning(d.Before)
		f.appendMeaning(d.After)
	} else {
		// What makes it noise is how the values are written, so that counts here.
		f.appendWriting(d.Before)
		f.appendWriting(d.After)
	}
	digest := sha256.Sum256(f.scratch[start:])
	f.scratch = f.scratch[:start]
	if d.Noise == "" {
		f.news = append(f.news, digest[:]...)
	} else {
		f.noise = append(f.noise, digest[:]...)
	}
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// News is the fingerprint of an action and those added differences that are
// news, whatever their order.
func (f *Fingerprinter) News(action Action) Fingerprint { return f.sum(string(action), f.news) }

// Noise is the fingerprint of the added differences that are noise.
func (f *Fingerprinter) Noise() Fingerprint { return f.sum("noise", f.noise) }

func (f *Fingerprinter) sum(kind string, digests []byte) Fingerprint {
	sortDigests(digests)
	f.mac.Reset()
	f.mac.Write([]byte(kind))
	f.mac.Write([]byte{0})
	f.mac.Write(digests)
	var sum [sha256.Size]byte
	f.mac.Sum(sum[:0])
	return Fingerprint(sum[:len(Fingerprint{})])
}

// appendWriting appends a value's text to what is to be hashed.
func (f *Fingerprinter) appendWriting(v *jsontree.Value) {
	if v != nil {
		f.scratch = appendText(f.scratch, v.Raw)
	}
	f.scratch = append(f.scratch, 'w')
}

// appendMeaning appends to what is to be hashed what v says: neither how it is
// written, nor the order of its lists, nor what is empty in it makes a
// difference. Containers are appended as their digest.
func (f *Fingerprinter) appendMeaning(v *jsontree.Value) {
	if v.Kind() == jsontree.String {
		if inner := v.Inner(f.parser); inner != nil {
			v = inner
		}
	}
	switch kind := v.Kind(); {
	case isEmpty(v):
		f.scratch = append(f.scratch, 'n')
	case kind == jsontree.Object, kind == jsontree.Array:
		digest := f.containerDigest(v, kind)
		f.scratch = append(append(f.scratch, byte(kind)), digest[:]...)
	case kind == jsontree.Number:
		start := len(f.scratch)
		f.scratch = jsontree.AppendDecimal(f.scratch, v.Raw)
		f.scratch = append(binary.AppendUvarint(f.scratch, uint64(len(f.scratch)-start)), '0')
	default:
		f.scratch = append(appendText(f.scratch, v.Text()), byte(kind))
	}
}

func (f *Fingerprinter) containerDigest(v *jsontree.Value, kind jsontree.Kind) [sha256.Size]byte {
	start := len(f.scratch)
	for i := range v.Kids {
		kid := &v.Kids[i]
		if isEmpty(kid) {
			continue
		}
		if kind == jsontree.Object {
			f.scratch = appendText(f.scratch, kid.Name)
			f.appendMeaning(kid)
			continue
		}
		element := len(f.scratch)
		f.appendMeaning(kid)
		digest := sha256.Sum256(f.scratch[element:]) // of equal length, to be sorted
		f.scratch = append(f.scratch[:element], digest[:]...)
	}
	if kind == jsontree.Array {
		sortDigests(f.scratch[start:])
	}
	digest := sha256.Sum256(f.scratch[start:])
	f.scratch = f.scratch[:start]
	return digest
}

func appendText(dst, text []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// sortDigests sorts digests that are written one after the other.
func sortDigests(digests []byte) {
	const size = sha256.Size
	if len(digests) <= size {
		return
	}
	sorted := make([][size]byte, 0, len(digests)/size)
	for digest := range slices.Chunk(digests, size) {
		sorted = append(sorted, [size]byte(digest))
	}
	slices.SortFunc(sorted, func(a, b [size]byte) int { return bytes.Compare(a[:], b[:]) })
	for i := range sorted {
		copy(digests[i*size:], sorted[i][:])
	}
}
