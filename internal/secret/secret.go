// Package secret holds text that must not be seen: passwords, keys, connection
// strings, tokens.
//
// A [String] prints as *** wherever Go turns values into text, and gives up what
// it holds only to a caller that says [String.Reveal]. Searching for that word
// therefore finds every place where a secret leaves its wrapping.
//
// The package does not encrypt, does not wipe memory and does not guess what is
// secret; it only keeps what it was given out of logs, errors and dumps.
package secret

import (
	"crypto/subtle"
	"fmt"
	"io"
)

// mask is what every secret looks like, whatever its length. An empty secret
// looks the same: whether one is set is already a fact about it.
const mask = "***"

// String is a secret text. Its zero value holds the empty string.
//
// It cannot be compared with == or used as a map key, on purpose: compare with
// [String.Equal].
type String struct {
	// A closure and not a string: fmt prints unexported fields by reflection,
	// without asking their methods, and reports a bad verb (%p) by dumping the
	// operand. Reflection sees nothing but an address in a func.
	reveal func() string
}

// New wraps text. The caller should not keep the bare text.
func New(text string) String {
	return String{reveal: func() string { return text }}
}

// Reveal returns the bare text, for the one place that needs it. Don't store it.
func (s String) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsZero reports whether there is no secret, so that `json:",omitzero"` works.
func (s String) IsZero() bool { return s.Reveal() == "" }

// Equal reports whether both hold the same text, in a time that depends on their
// lengths only.
func (s String) Equal(other String) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns the mask.
func (String) String() string { return mask }

// Format prints the mask for every verb, flag and width.
func (String) Format(f fmt.State, _ rune) {
	// A Formatter has no way to report a failing writer; fmt keeps track of it.
	_, _ = io.WriteString(f, mask)
}

// MarshalText returns the mask: encoders (JSON, YAML, XML, slog) write nothing else.
func (String) MarshalText() ([]byte, error) { return []byte(mask), nil }

// UnmarshalText takes the secret from text, so that decoders can fill one.
func (s *String) UnmarshalText(text []byte) error {
	*s = New(string(text))
	return nil
}
