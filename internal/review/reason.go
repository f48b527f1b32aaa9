package review

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/driftsentry/driftsentry/internal/redact"
)

// The limits of a reason, in characters. Towards the lower one only
// those count that can be seen: ten spaces are no reason.
const (
	minReason = 10
	maxReason = 1000
)

// cleanReason is the reason as it is kept, without secrets somebody pasted; or
// what is wrong with it.
func cleanReason(text string) (reason, problem string) {
	if !utf8.ValidString(text) {
		return "", "must be UTF-8 text"
	}
	text = strings.TrimSpace(norm.NFC.String(strings.ReplaceAll(text, "\r\n", "\n")))
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		return "", "must not hold control characters"
	}
	if r, found := hidden(text); found {
		return "", fmt.Sprintf("must not hold characters that cannot be seen or that turn the text round, such as the %U in it", r)
	}
	if n := seen(text); n < minReason {
		return "", fmt.Sprintf("must have at least %d characters that can be seen, without spaces, but has %d", minReason, n)
	}
	if n := utf8.RuneCountInString(text); n > maxReason {
		return "", fmt.Sprintf("must have at most %d characters, but has %d", maxReason, n)
	}
	return redact.Text(text), ""
}

// The joiners of Persian and of the scripts of India, which change how the
// letters round them look.
const zwnj, zwj = '\u200c', '\u200d'

// hidden is the first format character in a text: one that shows nothing, or
// shows what follows in another order. With those a reason could read differently
// to a person than to a program.
func hidden(text string) (r rune, found bool) {
	runes := []rune(text)
	for i, r := range runes {
		switch {
		case !unicode.Is(unicode.Cf, r), unicode.Is(unicode.Prepended_Concatenation_Mark, r): // the latter are Arabic signs, and seen
		case (r == zwnj || r == zwj) && i > 0 && i < len(runes)-1 && unicode.In(runes[i-1], unicode.L, unicode.M) && unicode.In(runes[i+1], unicode.L, unicode.M):
		default:
			return r, true
		}
	}
	return 0, false
}

// seen is how many characters of a text can be seen.
func seen(text string) int {
	n := 0
	for _, r := range text {
		const brailleBlank = '\u2800'
		// Some letters are blank, such as the fillers of Hangul.
		blank := unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) || r == brailleBlank
		if unicode.IsGraphic(r) && !unicode.IsSpace(r) && !blank {
			n++
		}
	}
	return n
}
