package redact

import (
	"regexp"
	"strings"
)

// textMask stands where a secret was in a text. No rule makes anything else of
// it, so that cleaning a clean text changes nothing.
const textMask = "***"

// The rules by which Text finds a secret.
const (
	RuleJWT        = "jwt"        // three base64url parts, the first an object
	RuleHeader     = "header"     // Bearer and Basic credentials
	RulePEM        = "pem"        // a private key block
	RuleURL        = "url"        // a password inside a URL
	RuleKey        = "key"        // keys with the well-known prefix of whoever issued them
	RuleHash       = "hash"       // password hashes: what an offline attack starts from
	RuleAssignment = "assignment" // password=…, "token": "…", secret is …
	RuleData       = "data"       // data PostgreSQL quotes in an error about it
)

// Text returns s without what looks like a credential in it. It is for what
// people and programs write: reasons, messages, user agents, log lines.
func Text(s string) string { return TextBy(s, func(string) {}) }

// TextBy is Text, and tells found the rule of every kind of secret in s.
func TextBy(s string, found func(rule string)) string {
	if !suspicious(s) {
		return s
	}
	for i := range textShapes {
		if clean := textShapes[i].pattern.ReplaceAllString(s, textShapes[i].replace); clean != s {
			s = clean
			found(textShapes[i].rule)
		}
	}
	return s
}

// textShapes find secrets in text, most specific first. suspicious must see
// something in every text that one of them matches; a test holds them together.
var textShapes = []struct {
	rule    string
	pattern *regexp.Regexp
	replace string
}{
	{RulePEM, regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)`), textMask},
	{RuleJWT, regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{2,}(?:\.[A-Za-z0-9_-]*)*`), textMask},
	{RuleURL, regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^\s/?#"'<>@:]*:[^\s/?#"'<>]*@`), "${1}" + textMask + "@"},
	// "Basic authentication" is none: a credential has more than letters, or is long.
	{RuleHeader, regexp.MustCompile(`(?i)\b(bearer|basic) +(?:[A-Z0-9._~+/=-]{20,}|[A-Z.~-]*[0-9=_+/][A-Z0-9._~+/=-]{4,})`), "${1} " + textMask},
	{RuleKey, regexp.MustCompile(`\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{30,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}` +
		`|glpat-[A-Za-z0-9_-]{16,}|xox[abeoprs]-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{10,}|whsec_[A-Za-z0-9]{16,}|GOCSPX-[A-Za-z0-9_-]{16,}|ya29\.[A-Za-z0-9_-]{16,}|(?:dckr_pat|dop_v1|shpat|hf|glsa)_[A-Za-z0-9_-]{20,}` +
		`|tskey-[A-Za-z0-9-]{16,}|pypi-[A-Za-z0-9_-]{30,}|[sr]k_(?:live|test)_[A-Za-z0-9]{8,}|sk-[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{20,}` +
		`|hv[sb]\.[A-Za-z0-9_-]{16,}|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{40,}|ds[kr]?_[A-Za-z0-9_-]{16,}|dsp_[a-z2-7]{5}(?:-[a-z2-7]{5}){3}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,})`), textMask},
	{RuleHash, regexp.MustCompile(`\$(?:argon2(?:id|i|d)|2[aby]|scrypt|pbkdf2)[$A-Za-z0-9=,+./-]{16,}`), textMask},
	{RuleAssignment, regexp.MustCompile(secretWord + `\\?["']?\s{0,3}(?:=>?|:)\s*\\?)("[^"]*"?|'[^']*'?|(?:(?:bearer|basic)\s+)?[^\s"'&,;)}\]]+)`), "${1}" + textMask},
	// "token is expired" says nothing; "token is 7Hj2" does.
	{RuleAssignment, regexp.MustCompile(secretWord + ` is +)("[^"]*"?|'[^']*'?|\S*[0-9]\S*)`), "${1}" + textMask},
	// SQLSTATE class 22 is "data exception": PostgreSQL quotes the data.
	{RuleData, regexp.MustCompile(`(?s)".*"([^"]*\(SQLSTATE 22)`), `"` + textMask + `"${1}`},
}

// secretWord opens a group with a name that a secret goes by and whatever a
// programmer hangs on to it: tokenHash, password_2.
const secretWord = `(?i)((?:pass(?:word|wd|phrase)|\bpwd|secret|token|api[-_ ]?key|access[-_]?key|private[-_]?key|signing[-_]?key|credentials?` +
	`|authorization|cookie)[A-Za-z0-9_]{0,24}`

// anchors are the bytes at which suspicious stops to look. They are rare in
// paths and messages, which makes the common text cost a nanosecond a byte.
var anchors = func() (set [256]bool) {
	for _, c := range []byte("J@=:-_A$.2 ") {
		set[c] = true
	}
	return set
}()

// suspicious reports whether s is worth the price of the shapes.
func suspicious(s string) bool {
	const shortest = 6 // "pwd=ab"
	if len(s) < shortest {
		return false
	}
	asked := false
	for i := range len(s) {
		switch {
		case !anchors[s[i]]:
		case s[i] == '@': // user:password@host
			// Asked once: a text of nothing but @ must not cost its square.
			if !asked && strings.Contains(s, "://") {
				return true
			}
			asked = true
		case suspiciousAt(s, i):
			return true
		}
	}
	return false
}

// suspiciousAt looks round the anchor at s[i]. It may be wrong in one way
// only: to suspect too much.
func suspiciousAt(s string, i int) bool {
	switch s[i] {
	case 'J':
		return before(s, i, "ey")
	case '=', ':': // password=…
		return endsInSecretWord(s[:i])
	case ' ': // Bearer …, password is …
		return beforeFold(s, i, "bearer") || beforeFold(s, i, "basic") ||
			beforeFold(s, i, " is") && endsInSecretWord(s[:i-3])
	case '-':
		return after(s, i, "----BEGIN") || before(s, i, "glpat") || before(s, i, "sk") || before(s, i, "GOCSPX") ||
			before(s, i, "tskey") || before(s, i, "pypi") || before(s, i, "xapp") || i >= 4 && s[i-4:i-1] == "xox"
	case '_':
		if before(s, i, "pat") || before(s, i, "npm") || before(s, i, "sk") || before(s, i, "rk") || before(s, i, "ds") || before(s, i, "dsk") || before(s, i, "dsr") || before(s, i, "dsp") ||
			before(s, i, "whsec") || before(s, i, "v1") || before(s, i, "hf") || before(s, i, "glsa") {
			return true
		}
		return i >= 3 && s[i-3:i-1] == "gh"
	case 'A':
		return after(s, i, "KIA") || after(s, i, "SIA") || after(s, i, "Iza")
	case '$':
		return after(s, i, "argon2") || after(s, i, "2") || after(s, i, "scrypt") || after(s, i, "pbkdf2")
	case '.':
		return before(s, i, "hvs") || before(s, i, "hvb") || before(s, i, "SG") || before(s, i, "ya29") || after(s, i, "atlasv1")
	case '2':
		return before(s, i, "(SQLSTATE ")
	}
	return false
}

func before(s string, i int, word string) bool { return strings.HasSuffix(s[:i], word) }

func beforeFold(s string, i int, word string) bool {
	return i >= len(word) && hasFold(s[i-len(word):], word)
}

func after(s string, i int, word string) bool { return strings.HasPrefix(s[i+1:], word) }

// endsInSecretWord reports whether the end of s may be secretWord, quoted or
// not.
func endsInSecretWord(s string) bool {
	const longest = 13 + 24 + 5 // "authorization", what hangs on to it, \" and spaces
	s = s[max(0, len(s)-longest):]
	for i := range len(s) {
		switch s[i] | 0x20 {
		case 'p', 's', 't', 'k', 'c', 'a':
			if rest := s[i:]; hasFold(rest, "pass") || hasFold(rest, "pwd") || hasFold(rest, "secret") || hasFold(rest, "token") ||
				hasFold(rest, "key") || hasFold(rest, "credential") || hasFold(rest, "authorization") || hasFold(rest, "cookie") {
				return true
			}
		}
	}
	return false
}

func hasFold(s, word string) bool {
	return len(s) >= len(word) && strings.EqualFold(s[:len(word)], word)
}
