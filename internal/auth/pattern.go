package auth

import (
	"strings"

	"github.com/driftsentry/driftsentry/internal/fault"
)

// longestPattern is in bytes, and that of a stack's name.
const longestPattern = 200

// Pattern says which stacks a key may touch, in the manner of a shell: * is any
// run without a slash, ** any run, ? one character but a slash; the rest is
// literal. The zero Pattern matches every stack. Patterns compare with ==.
type Pattern struct {
	text string
}

// ParsePattern reads a pattern, Invalid unless some stack's name can match it.
// An empty text is refused: no pattern at all means every stack, and a form that
// was left empty must not mean that.
func ParsePattern(text string) (Pattern, error) {
	// Empty parts are in no stack's name (postgres.CheckStackName has the rule).
	bad := text == "" || len(text) > longestPattern || strings.HasPrefix(text, "/") || strings.HasSuffix(text, "/") || strings.Contains(text, "//")
	for i := range len(text) {
		bad = bad || !isAlnum(text[i]) && strings.IndexByte("._/:@+=~-*?", text[i]) < 0
	}
	if bad {
		return Pattern{}, fault.BadField("stacks", "must be a pattern of stack names: 1 to 200 of A-Z a-z 0-9 . _ / : @ + = ~ - "+
			"and *, ** and ?, with no empty part between slashes")
	}
	return Pattern{text: text}, nil
}

// String is the pattern as it was written, nothing for the zero Pattern.
func (p Pattern) String() string { return p.text }

// IsZero reports whether the pattern is none and matches everything.
func (p Pattern) IsZero() bool { return p.text == "" }

// Equal reports whether both were written alike.
func (p Pattern) Equal(other Pattern) bool { return p == other }

// Match reports whether the stack's name matches, all of it. It takes time in
// proportion to the name's length whatever the pattern, as it follows all
// readings of the pattern at once and never goes back.
func (p Pattern) Match(stack string) bool {
	if p.IsZero() {
		return true
	}
	// at[i] says that the name so far may have used up i bytes of the pattern.
	var at [longestPattern + 1]bool
	at[0] = true
	p.skipStars(&at)
	for i := range len(stack) {
		var next [longestPattern + 1]bool
		alive := false
		for j := range len(p.text) {
			if !at[j] {
				continue
			}
			switch c := p.text[j]; {
			case c == '*':
				// A star stays where it is. Of ** the first one takes slashes.
				next[j] = stack[i] != '/' || strings.HasPrefix(p.text[j:], "**")
				alive = alive || next[j]
			case c == stack[i], c == '?' && stack[i] != '/':
				next[j+1], alive = true, true
			}
		}
		if !alive {
			return false
		}
		p.skipStars(&next)
		at = next
	}
	return at[len(p.text)]
}

// skipStars lets every star match nothing.
func (p Pattern) skipStars(at *[longestPattern + 1]bool) {
	for j := range len(p.text) {
		if at[j] && p.text[j] == '*' {
			at[j+1] = true
		}
	}
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
