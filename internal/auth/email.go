package auth

import (
	"fmt"
	"strings"

	"github.com/driftsentry/driftsentry/internal/fault"
)

// The limits of RFC 5321, in bytes.
const (
	longestEmail  = 254
	longestLocal  = 64
	longestDomain = 253
	longestLabel  = 63
)

// ParseEmail returns the address in the one form in which accounts are kept and
// looked up: in lower case. It takes what mail servers do, without quoted parts,
// comments and address literals, and a domain without a dot (root@localhost).
//
// Letters outside ASCII are refused: an address that looks like another one in
// the list of users is worth more to an attacker than to anybody else.
func ParseEmail(text string) (string, error) {
	if problem := emailProblem(text); problem != "" {
		return "", fault.BadField("email", problem)
	}
	return strings.ToLower(text), nil
}

func emailProblem(text string) string {
	if text == "" {
		return "is missing"
	}
	if len(text) > longestEmail {
		return fmt.Sprintf("must be at most %d bytes long", longestEmail)
	}
	for _, r := range text {
		if r <= ' ' || r == 0x7f {
			return "must have no spaces and control characters"
		}
		if r > 0x7f {
			// Named by number: the letter itself looks innocent, that is the point.
			return fmt.Sprintf("must be written in ASCII letters: it has the character U+%04X, which may only look like one", r)
		}
	}
	local, domain, ok := strings.Cut(text, "@")
	switch {
	case !ok:
		return "must be an e-mail address: it has no @"
	case strings.Contains(domain, "@"):
		return "must be an e-mail address: it has more than one @"
	case !isDotAtom(local):
		return "must have 1 to 64 letters, digits or any of !#$%&'*+-/=?^_`{|}~ and single dots between them before the @"
	case !isDomain(domain):
		return "must have a domain name after the @"
	}
	return ""
}

func isDotAtom(local string) bool {
	if len(local) > longestLocal {
		return false
	}
	for atom := range strings.SplitSeq(local, ".") {
		if atom == "" {
			return false
		}
		for i := range len(atom) {
			if !isAlnum(atom[i]) && strings.IndexByte("!#$%&'*+-/=?^_`{|}~", atom[i]) < 0 {
				return false
			}
		}
	}
	return true
}

func isDomain(domain string) bool {
	if len(domain) > longestDomain {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > longestLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if !isAlnum(label[i]) && label[i] != '-' {
				return false
			}
		}
	}
	return true
}
