package redact

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Address is a resource's address with every remembered secret in it replaced by
// hidden: those of at least eight bytes wherever they stand, shorter ones that
// are a whole index key. Escapes as Terraform writes them are seen through.
func (s *Secrets) Address(address, hidden string) string {
	return s.maskKeys(readKeys(address, true), hidden)
}

// Path is the same for a change's path, whose member names are keys, too.
func (s *Secrets) Path(path, hidden string) string {
	return s.maskKeys(readKeys(path, false), hidden)
}

// keyed is a text that leads somewhere by names and keys in brackets.
type keyed struct {
	text  string
	plain []byte   // without the escapes
	at    []int    // where in text each byte of plain stands, and the end
	keys  [][2]int // in plain
}

// readKeys takes an address or, if not, a path apart.
func readKeys(text string, isAddress bool) *keyed {
	k := &keyed{text: text, plain: make([]byte, 0, len(text)), at: make([]int, 0, len(text)+1)}
	quoted := false
	start := 0 // of the key or name at hand
	end := func() {
		if quoted || !isAddress && start > 0 { // a path begins with an attribute, not a key
			k.keys = append(k.keys, [2]int{start, len(k.plain)})
		}
	}
	for i := 0; i < len(text); {
		c, size := text[i], 1
		r := rune(-1) // what an escape stands for
		switch {
		case c == '"':
			end()
			quoted, start = !quoted, len(k.plain)+1
		case quoted && c == '\\':
			r, size = unescapeKey(text[i:])
		case quoted && isAddress && (c == '$' || c == '%') && strings.HasPrefix(text[i+1:], string(c)+"{"):
			size = 2 // one of two
		case !quoted && (c == '.' || c == '['):
			end()
			start = len(k.plain) + 1
		}
		before := len(k.plain)
		if r >= 0 {
			k.plain = utf8.AppendRune(k.plain, r)
		} else {
			k.plain = append(k.plain, c)
		}
		for range len(k.plain) - before {
			k.at = append(k.at, i)
		}
		i += size
	}
	end()
	k.at = append(k.at, len(text))
	return k
}

// unescapeKey is the character that an escape at the beginning of text stands
// for, and how long the escape is.
func unescapeKey(text string) (r rune, size int) {
	if len(text) < 2 {
		return '\\', 1
	}
	var digits int
	switch c := text[1]; c {
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		r, size := utf8.DecodeRuneInString(text[1:])
		return r, 1 + size
	}
	if len(text) >= 2+digits {
		if code, err := strconv.ParseUint(text[2:2+digits], 16, 31); err == nil {
			return rune(code), 2 + digits
		}
	}
	return rune(text[1]), 2
}

// maskKeys replaces every secret by hidden.
func (s *Secrets) maskKeys(k *keyed, hidden string) string {
	var spans [][2]int
	if s.filter != nil {
		s.budget = 64*len(k.plain) + 1<<20
		for from := 0; ; {
			start, end, found := s.window(k.plain[from:])
			if !found {
				break
			}
			spans = append(spans, [2]int{from + start, from + end})
			from += end
		}
	}
	for _, key := range k.keys {
		if key[0] < key[1] && s.is(k.plain[key[0]:key[1]]) {
			spans = append(spans, key)
		}
	}
	if len(spans) == 0 {
		return k.text
	}
	slices.SortFunc(spans, func(a, b [2]int) int { return a[0] - b[0] })
	var masked strings.Builder
	told := 0 // of plain
	for _, span := range spans {
		if span[0] >= told {
			masked.WriteString(k.text[k.at[told]:k.at[span[0]]])
			masked.WriteString(hidden)
		}
		told = max(told, span[1])
	}
	masked.WriteString(k.text[k.at[told]:])
	return masked.String()
}
