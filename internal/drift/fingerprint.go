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
	mac    hash.Hash
	parser *jsontree.Parser
	// Entries of equal length, one a difference.
	news, noise []byte
	scratch     []byte // texts to be hashed, the innermost last
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
	place := sha256.Sum256([]byte(d.Place))
	if d.Noise != "" {
		// What makes it noise is how the values are written, so that counts here.
		f.noise = append(f.noise, place[:]...)
		for _, side := range [...]*jsontree.Value{d.Before, d.After} {
			var text []byte
			if side != nil {
				text = side.Raw
			}
			digest := sha256.Sum256(text)
			f.noise = append(f.noise, digest[:]...)
		}
		f.noise = append(f.noise, flag(d.Unknown))
		return
	}
	f.news = append(f.news, place[:]...)
	f.news = f.appendDigest(f.news, d.Before)
	f.news = f.appendDigest(f.news, d.After)
	f.news = append(f.news, flag(d.Unknown))
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

func (f *Fingerprinter) sum(kind string, entries []byte) Fingerprint {
	sortBlocks(entries, 3*sha256.Size+1)
	f.mac.Reset()
	f.mac.Write([]byte(kind))
	f.mac.Write([]byte{0})
	f.mac.Write(entries)
	var sum [sha256.Size]byte
	f.mac.Sum(sum[:0])
	return Fingerprint(sum[:len(Fingerprint{})])
}

// appendDigest appends a digest of what v says: neither how it is written, nor
// the order of its lists, nor what is empty in it changes the digest.
func (f *Fingerprinter) appendDigest(dst []byte, v *jsontree.Value) []byte {
	if v.Kind() == jsontree.String {
		if inner := v.Inner(f.parser); inner != nil {
			v = inner
		}
	}
	start := len(f.scratch)
	switch kind := v.Kind(); {
	case isEmpty(v):
		f.scratch = append(f.scratch, 'n')
	case kind == jsontree.Object:
		for i := range v.Kids {
			if kid := &v.Kids[i]; !isEmpty(kid) {
				f.scratch = binary.AppendUvarint(f.scratch, uint64(len(kid.Name)))
				f.scratch = append(f.scratch, kid.Name...)
				f.scratch = f.appendDigest(f.scratch, kid)
			}
		}
		f.scratch = append(f.scratch, '{')
	case kind == jsontree.Array:
		for i := range v.Kids {
			if kid := &v.Kids[i]; !isEmpty(kid) {
				f.scratch = f.appendDigest(f.scratch, kid)
			}
		}
		sortBlocks(f.scratch[start:], sha256.Size)
		f.scratch = append(f.scratch, '[')
	case kind == jsontree.Number:
		f.scratch = append(jsontree.AppendDecimal(f.scratch, v.Raw), '0')
	default:
		f.scratch = append(append(f.scratch, v.Text()...), byte(kind))
	}
	digest := sha256.Sum256(f.scratch[start:])
	f.scratch = f.scratch[:start]
	return append(dst, digest[:]...)
}

// sortBlocks sorts text as blocks of size bytes each.
func sortBlocks(text []byte, size int) {
	if len(text) <= size {
		return
	}
	blocks := make([][]byte, 0, len(text)/size)
	for block := range slices.Chunk(slices.Clone(text), size) {
		blocks = append(blocks, block)
	}
	slices.SortFunc(blocks, bytes.Compare)
	for i, block := range blocks {
		copy(text[i*size:], block)
	}
}
