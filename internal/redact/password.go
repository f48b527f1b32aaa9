package redact

import "bytes"

// looksLikePassword reports whether a whole value without spaces looks like a
// generated password: all kinds of characters, in no order.
func looksLikePassword(text []byte) bool {
	if len(text) < minRandom || len(text) > 128 || isPattern(text) {
		return false
	}
	var lower, upper, digit, symbol int
	rest := make([]byte, 0, len(text))
	for _, c := range text {
		switch {
		case c <= ' ' || c >= 0x7f:
			return false
		case isLower(c):
			lower++
		case isUpper(c):
			upper++
		case isDigit(c):
			digit++
		default:
			if !runBytes[c] { // those of base64 prove nothing
				symbol++
			}
			continue
		}
		rest = append(rest, c)
	}
	return lower >= 2 && upper >= 2 && digit >= 1 && symbol >= 2 && len(rest) >= 8 && oddness(rest, true) > 2
}

// isPattern reports whether text has what expressions, templates and paths are
// made of and generated passwords hardly ever hold.
func isPattern(text []byte) bool {
	for _, sure := range [...]string{"a-z", "A-Z", "0-9", "://", "arn:", "\\d", "\\w", "\\s"} {
		if bytes.Contains(text, []byte(sure)) {
			return true
		}
	}
	hints := 0
	for _, hint := range [...]string{"${", "$(", "{{", "(?", ".*", ".+", "&&", "||", "=>", "==", "::"} {
		hints += bytes.Count(text, []byte(hint))
	}
	return hints > 1 || bytes.Count(text, []byte("/"))+bytes.Count(text, []byte("."))+bytes.Count(text, []byte("-")) > len(text)/5
}
