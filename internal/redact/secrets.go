package redact

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash/maphash"
	"slices"
)

const (
	// minSecret is the shortest secret that is looked for elsewhere. Shorter
	// ones are hidden where they are marked and occur by chance everywhere else.
	minSecret = 4
	// minInside is the shortest that is looked for inside other words.
	minInside = 8
	// minNatural is the same for secrets of lower-case letters alone, because
	// somebody's password may be "production".
	minNatural = 16
	// headSize is how much of a long secret finds it.
	headSize = 64
	// maxSameHead is how many lengths of secrets that begin alike are told apart.
	maxSameHead = 32
	// MaxSecrets is how many different secrets are remembered at most; together
	// they take about 30 MB.
	MaxSecrets = 250_000
)

// Secrets are the secret strings of one report. They are remembered as hashes,
// so that memory does not depend on how long they are and nothing can be read
// out of it. It is for one goroutine.
type Secrets struct {
	seed    maphash.Seed
	whole   map[uint64]struct{} // of every secret
	digests map[uint64]struct{} // the beginnings of secrets' MD5, SHA-1, SHA-256 and SHA-512
	starts  map[uint64]uint64   // by first eight bytes: lengths below headSize, bit 0 for longer
	long    map[uint64][]int    // by hash of the head: lengths
	words   map[uint32]uint16   // by first four bytes: lengths below minNatural
	filter  []uint64            // bits of starts' keys, to say no fast
	count   int
	full    bool
	budget  int // bytes the search at hand may still look at
}

// NewSecrets returns an empty collection.
func NewSecrets() *Secrets {
	return &Secrets{
		seed:    maphash.MakeSeed(),
		whole:   map[uint64]struct{}{},
		digests: map[uint64]struct{}{},
		starts:  map[uint64]uint64{},
		long:    map[uint64][]int{},
		words:   map[uint32]uint16{},
	}
}

// Full reports whether there were more than MaxSecrets secrets. What came after
// is not remembered.
func (s *Secrets) Full() bool { return s.full }

// Len is how many different secrets are remembered.
func (s *Secrets) Len() int { return s.count }

// Add remembers a secret. Short ones and words that occur in every report are
// not worth remembering: hiding them everywhere would hide the report.
func (s *Secrets) Add(secret []byte) {
	s.add(secret)
	if trimmed := bytes.TrimSpace(secret); len(trimmed) < len(secret) {
		s.add(trimmed)
	}
	// A secret kept in base64, as Kubernetes does, is no less secret without.
	if len(secret) >= minInside && len(secret)%4 == 0 {
		if text := decodeBase64(secret); len(text) >= minSecret && isText(text) {
			s.add(bytes.TrimSpace(text))
		}
	}
}

func (s *Secrets) add(secret []byte) {
	if len(secret) < minSecret || isCommon(secret) {
		return
	}
	hash := maphash.Bytes(s.seed, secret)
	if _, known := s.whole[hash]; known || s.full {
		return
	}
	if s.count == MaxSecrets {
		s.full = true
		return
	}
	s.count++
	s.whole[hash] = struct{}{}
	s.addDigests(secret)
	if len(secret) < minInside || len(secret) < minNatural && isWord(secret) {
		s.words[binary.LittleEndian.Uint32(secret)] |= 1 << len(secret)
		return
	}
	start := binary.LittleEndian.Uint64(secret)
	lengthBit := len(secret)
	if lengthBit >= headSize {
		lengthBit = 0
	}
	s.starts[start] |= 1 << lengthBit
	if s.filter == nil {
		s.filter = make([]uint64, 1<<filterBits/64)
	}
	bit := filterBit(start)
	s.filter[bit/64] |= 1 << (bit % 64)
	if len(secret) >= headSize {
		head := maphash.Bytes(s.seed, secret[:headSize])
		if lengths := s.long[head]; len(lengths) <= maxSameHead && !slices.Contains(lengths, len(secret)) {
			s.long[head] = append(lengths, len(secret))
		}
	}
}

// filterBits is the size of the filter: 128 KB, which a processor keeps close.
const filterBits = 20

func filterBit(start uint64) uint64 { return start * 0x9e3779b97f4a7c15 >> (64 - filterBits) }

// AddDigests remembers what anybody would see in a content_md5, or an id made of
// a SHA-1, of a text that holds a secret. Where the text itself occurs, the
// secret in it is found.
func (s *Secrets) AddDigests(text []byte) {
	if len(s.digests) < 4*MaxSecrets {
		s.addDigests(text)
	}
}

func (s *Secrets) addDigests(secret []byte) {
	m, h1, h2, h5 := md5.Sum(secret), sha1.Sum(secret), sha256.Sum256(secret), sha512.Sum512(secret)
	for _, digest := range [...][]byte{m[:], h1[:], h2[:], h5[:]} {
		s.digests[binary.LittleEndian.Uint64(digest)] = struct{}{}
	}
}

// isDigest reports whether data is a digest of a secret.
func (s *Secrets) isDigest(data []byte) bool {
	switch len(data) {
	case md5.Size, sha1.Size, sha256.Size, sha512.Size:
		_, known := s.digests[binary.LittleEndian.Uint64(data)]
		return known
	}
	return false
}
