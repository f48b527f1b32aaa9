package auth

import (
	_ "embed" // common.txt
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/secret"
)

// In characters. NIST SP 800-63B asks for length, and for nothing about kinds of
// characters: such rules make passwords harder to remember, not to guess.
const (
	shortestPassword = 12
	longestPassword  = 128
)

// common holds the words that most passwords are made of, a line each.
//
//go:embed common.txt
var common string

// CheckPassword is Invalid unless password may protect the account with this
// e-mail address: long enough, and not among the first that anybody would try.
func CheckPassword(password secret.String, email string) error {
	if problem := passwordProblem(password.Reveal(), email); problem != "" {
		return fault.BadField("password", problem)
	}
	return nil
}

func passwordProblem(text, email string) string {
	if len(text) > longestInput || !utf8.ValidString(text) {
		return fmt.Sprintf("must be valid UTF-8 of at most %d characters", longestPassword)
	}
	// NFC counts as a person does. NFKC, which is hashed, makes one character of
	// some scripts eighteen.
	switch n := utf8.RuneCountInString(norm.NFC.String(text)); {
	case n < shortestPassword:
		return fmt.Sprintf("must have at least %d characters", shortestPassword)
	case n > longestPassword:
		return fmt.Sprintf("must have at most %d characters", longestPassword)
	case strings.ContainsFunc(text, unicode.IsControl):
		return "must have no control characters, such as line breaks"
	}
	folded := strings.ToLower(normal(text))
	switch {
	case isEmail(folded, strings.ToLower(email)):
		return "must not be made of the e-mail address"
	case isRepetition(folded), isSequence(folded):
		return "must not be a few characters repeated or a row of the keyboard or the alphabet"
	case isCommon(folded):
		return "is one of the first that anybody would try: take several words that have nothing to do with each other"
	}
	return ""
}

// isEmail reports whether little is left of text without the address or the
// name in it.
func isEmail(text, email string) bool {
	const shortestName = 4 // shorter ones are in words by accident
	rest := text
	name, _, _ := strings.Cut(email, "@")
	for _, part := range []string{email, name} {
		if len(part) >= shortestName {
			rest = strings.ReplaceAll(rest, part, "")
		}
	}
	return rest != text && utf8.RuneCountInString(rest) < shortestPassword/2
}

// isRepetition reports whether text is a run of at most four characters, over
// and over.
func isRepetition(text string) bool {
	runes := []rune(text)
	for period := 1; period <= 4; period++ {
		same := true
		for i := period; i < len(runes) && same; i++ {
			same = runes[i] == runes[i-period]
		}
		if same {
			return true
		}
	}
	return false
}

// rows are what fingers run along, in both directions and over the end.
var rows = []string{
	"abcdefghijklmnopqrstuvwxyz", "1234567890", "0123456789", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm",
	"azertyuiopqsdfghjklmwxcvbn", "1234567890qwertyuiop", "qwertyuiop1234567890", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
	"qazwsxedcrfvtgbyhnujmikolp", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "a1b2c3d4e5f6g7h8i9j0", "1a2b3c4d5e6f7g8h9i0j",
}

func isSequence(text string) bool {
	backwards := reversed(text)
	for _, row := range rows {
		endless := strings.Repeat(row, len(text)/len(row)+2)
		if strings.Contains(endless, text) || strings.Contains(endless, backwards) {
			return true
		}
	}
	return false
}

func reversed(text string) string {
	runes := []rune(text)
	for i, j := 0, len(runes)-1; i < j; i, j = i+1, j-1 {
		runes[i], runes[j] = runes[j], runes[i]
	}
	return string(runes)
}

// leet turns digits and signs back into the letters that they stand for, a byte
// for a byte.
var leet = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i")

// isCommon reports whether text is made of common words, with what people hang
// on to them when a rule asks for more: digits, signs, a year.
func isCommon(text string) bool {
	letters := leet.Replace(text)
	rest := []byte(text)
	found := false
	for line := range strings.Lines(common) {
		word := strings.TrimSpace(line)
		for at := 0; ; at += len(word) {
			next := strings.Index(letters[at:], word)
			if next < 0 {
				break
			}
			at += next
			clear(rest[at : at+len(word)])
			found = true
		}
	}
	left, leftLetters := 0, 0
	for _, r := range string(rest) {
		if r != 0 {
			left++
		}
		if unicode.IsLetter(r) {
			leftLetters++
		}
	}
	// Many digits may make up for a common word; what fills it up may not.
	return found && leftLetters < 2 && left < shortestPassword*3/4
}
