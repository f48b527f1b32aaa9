package auth

import (
	"strings"

	"github.com/driftsentry/driftsentry/internal/secret"
)

const (
	keyPrefix       = "dsk_"
	keyPrefixLength = len(keyPrefix) + 8
)

// NewAPIKey makes a key for a program: the key itself, to be shown once; the
// prefix by which people tell keys apart ("dsk_1a2B3c4D"); and the SHA-256 of the
// whole key, by which it is found again.
func NewAPIKey() (key secret.String, prefix string, hash [32]byte) {
	prefix = keyPrefix + randomBase62(keyPrefixLength-len(keyPrefix))
	key, hash = newCredential(prefix + "_")
	return key, prefix, hash
}

// ParseAPIKey takes a key apart. It is false for a text that cannot be one,
// which therefore costs no database.
func ParseAPIKey(text string) (prefix string, hash [32]byte, ok bool) {
	if len(text) != keyPrefixLength+1+sealedLength || !strings.HasPrefix(text, keyPrefix) || text[keyPrefixLength] != '_' {
		return "", hash, false
	}
	for i := len(keyPrefix); i < keyPrefixLength; i++ {
		if !isAlnum(text[i]) {
			return "", hash, false
		}
	}
	hash, ok = hashCredential(text, keyPrefixLength+1)
	if !ok {
		return "", hash, false
	}
	return text[:keyPrefixLength], hash, true
}
