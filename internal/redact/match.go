package redact

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"hash/maphash"
	"strconv"
)

// In reports whether a remembered secret is in text: as the whole of it or a
// part, escaped as in JSON or a URL, in base64, or as its digest.
func (s *Secrets) In(text []byte) bool {
	s.budget = 64*len(text) + 1<<20
	return s.count > 0 && s.in(text, 0)
}

func (s *Secrets) in(text []byte, depth int) bool {
	if len(text) < minSecret {
		return false
	}
	if s.budget -= len(text); s.budget < 0 {
		return true
	}
	if _, known := s.whole[maphash.Bytes(s.seed, text)]; known {
		return true
	}
	if s.filter != nil {
		if _, _, found := s.window(text); found {
			return true
		}
	}
	if len(s.words) > 0 && s.hasWord(text) {
		return true
	}
	return depth <= maxDepth && (s.unescaped(text, depth) || s.encoded(text, depth))
}

// window looks for secrets everywhere in text. Every position costs a look into
// the filter; what passes is compared by hash. When that, or looking behind
// escapes and base64, takes unreasonably long, as only a text made for it can,
// everything is a secret.
func (s *Secrets) window(text []byte) (start, end int, found bool) {
	for i := 0; i+minInside <= len(text); i++ {
		key := binary.LittleEndian.Uint64(text[i:])
		bit := filterBit(key)
		if s.filter[bit/64]>>(bit%64)&1 == 0 {
			continue
		}
		lengths, known := s.starts[key]
		if !known {
			continue
		}
		for length := minInside; length < headSize && i+length <= len(text); length++ {
			if lengths>>length&1 == 0 {
				continue
			}
			if s.budget -= length; s.budget < 0 || s.is(text[i:i+length]) {
				return i, i + length, true
			}
		}
		if lengths&1 == 0 || i+headSize > len(text) {
			continue
		}
		same := s.long[maphash.Bytes(s.seed, text[i:i+headSize])]
		if len(same) > maxSameHead {
			return i, i + headSize, true
		}
		for _, length := range same {
			if i+length > len(text) {
				continue
			}
			if s.budget -= length; s.budget < 0 || s.is(text[i:i+length]) {
				return i, i + length, true
			}
		}
	}
	return 0, 0, false
}

func (s *Secrets) is(text []byte) bool {
	_, known := s.whole[maphash.Bytes(s.seed, text)]
	return known
}

// hasWord looks for short secrets that stand alone, between characters that are
// no letters or digits.
func (s *Secrets) hasWord(text []byte) bool {
	for i := 0; i+minSecret <= len(text); i++ {
		if i > 0 && isAlnum(text[i-1]) && isAlnum(text[i]) {
			continue
		}
		lengths := s.words[binary.LittleEndian.Uint32(text[i:])]
		for length := minSecret; lengths>>length != 0 && i+length <= len(text); length++ {
			end := i + length
			if lengths>>length&1 == 1 && (end == len(text) || !isAlnum(text[end-1]) || !isAlnum(text[end])) && s.is(text[i:end]) {
				return true
			}
		}
	}
	return false
}

// unescaped looks at what text says without the escapes of JSON or a URL.
func (s *Secrets) unescaped(text []byte, depth int) bool {
	if bytes.IndexByte(text, '%') >= 0 {
		if plain := unescapeURL(text); len(plain) < len(text) {
			if s.in(plain, depth+1) {
				return true
			}
			if bytes.IndexByte(plain, '+') >= 0 && s.in(bytes.ReplaceAll(plain, []byte("+"), []byte(" ")), depth+1) {
				return true
			}
		}
	}
	if bytes.IndexByte(text, '\\') >= 0 {
		return s.in(unescapeJSON(text), depth+1)
	}
	return false
}

// unescapeURL takes the escapes of a URL out of a text that need not be one.
func unescapeURL(text []byte) []byte {
	plain := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if code, err := strconv.ParseUint(string(text[i+1:i+3]), 16, 8); err == nil {
				plain = append(plain, byte(code))
				i += 2
				continue
			}
		}
		plain = append(plain, text[i])
	}
	return plain
}

// unescapeJSON takes the escapes of a JSON string out of a text that need not
// be one.
func unescapeJSON(text []byte) []byte {
	plain := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			plain = append(plain, text[i])
			continue
		}
		i++
		switch text[i] {
		case 'n':
			plain = append(plain, '\n')
		case 't':
			plain = append(plain, '\t')
		case 'r':
			plain = append(plain, '\r')
		case 'u':
			if i+5 <= len(text) {
				if code, err := strconv.ParseUint(string(text[i+1:i+5]), 16, 16); err == nil {
					plain = append(plain, string(rune(code))...)
					i += 4
					continue
				}
			}
			plain = append(plain, 'u')
		default:
			plain = append(plain, text[i])
		}
	}
	return plain
}

// encoded looks at what runs of hexadecimal and base64 stand for.
func (s *Secrets) encoded(text []byte, depth int) bool {
	for i := 0; i < len(text); {
		if !runBytes[text[i]] {
			i++
			continue
		}
		start := i
		for i < len(text) && (runBytes[text[i]] || wraps(text, start, i)) {
			i++
		}
		if run := text[start:i]; len(run) > minInside && s.inRun(run, depth) {
			return true
		}
	}
	return false
}

// maxStarts is in how many places of one run base64 may begin.
const maxStarts = 8

func (s *Secrets) inRun(run []byte, depth int) bool {
	if bytes.ContainsAny(run, "\r\n") {
		run = bytes.Join(bytes.Fields(run), nil)
	}
	starts := 0
	for i := range run {
		if i > 0 && isAlnum(run[i-1]) || !isAlnum(run[i]) && run[i] != '+' && run[i] != '/' {
			continue
		}
		if s.isHexDigest(run[i:]) {
			return true
		}
		if starts++; starts > maxStarts || !isMixed(run[i:]) {
			continue
		}
		if data := decodeBase64Prefix(run[i:]); len(data) >= minSecret {
			if s.isDigest(data) || s.in(unpack(data), depth+1) {
				return true
			}
		}
	}
	return false
}

// isMixed reports whether a run has both capitals and small letters, as base64 of
// anything worth hiding has and most names do not.
func isMixed(run []byte) bool {
	var upper, lower bool
	for _, c := range run {
		upper, lower = upper || isUpper(c), lower || isLower(c)
		if upper && lower {
			return true
		}
	}
	return false
}

// isHexDigest reports whether run begins with a digest in hexadecimal that ends
// where its letters and digits end.
func (s *Secrets) isHexDigest(run []byte) bool {
	n := 0
	for n < len(run) && isAlnum(run[n]) {
		n++
	}
	switch n {
	case 32, 40, 64, 128:
		data := make([]byte, n/2)
		if _, err := hex.Decode(data, run[:n]); err == nil {
			return s.isDigest(data)
		}
	}
	return false
}

// decodeBase64Prefix decodes as much of run as is base64 in one alphabet.
func decodeBase64Prefix(run []byte) []byte {
	var plus, dash bool
	end := len(run)
	for i, c := range run {
		plus = plus || c == '+' || c == '/'
		dash = dash || c == '-' || c == '_'
		if !isAlnum(c) && (plus && dash || c == '=' || c == '.' || c == '~') {
			end = i
			break
		}
	}
	run = run[:end]
	if len(run)%4 == 1 {
		run = run[:len(run)-1]
	}
	return decodeBase64(run)
}
