package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"hash/crc32"
	"strings"

	"github.com/driftsentry/driftsentry/internal/secret"
)

// Our own credentials, API keys and refresh tokens, end alike: 256 random bits,
// then a checksum of everything before. Junk is told from a credential without
// asking the database, and a scanner that finds one in a repository knows that
// it is one.
const (
	randomLength   = 43 // 32 bytes in base64url
	checksumLength = 6  // 32 bits in base 62
	sealedLength   = randomLength + checksumLength
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newCredential is a new one that begins with prefix, and the hash to keep of
// it. With 256 random bits it needs no slow hash: there is nothing to guess.
func newCredential(prefix string) (credential secret.String, hash [32]byte) {
	var random [32]byte
	rand.Read(random[:]) // it never fails: it would end the process instead
	text := append([]byte(prefix), base64.RawURLEncoding.EncodeToString(random[:])...)
	sum := checksum(text)
	text = append(text, sum[:]...)
	return secret.New(string(text)), sha256.Sum256(text)
}

// hashCredential is the hash of a credential whose prefix has been checked. It
// is false when the rest is no credential's, or was mistyped or cut off.
func hashCredential(text string, prefixLength int) (hash [32]byte, ok bool) {
	if len(text) != prefixLength+sealedLength {
		return hash, false
	}
	for _, c := range []byte(text[prefixLength:]) {
		if !isAlnum(c) && c != '-' && c != '_' {
			return hash, false
		}
	}
	body, seal := text[:len(text)-checksumLength], text[len(text)-checksumLength:]
	if sum := checksum([]byte(body)); string(sum[:]) != seal {
		return hash, false
	}
	return sha256.Sum256([]byte(text)), true
}

// checksum is the CRC-32 of text in base 62. It finds mistakes, it proves
// nothing; the hash does.
func checksum(text []byte) (digits [checksumLength]byte) {
	rest := crc32.ChecksumIEEE(text)
	for i := range digits {
		digits[checksumLength-1-i] = base62[rest%62]
		rest /= 62
	}
	return digits
}

// randomBase62 is n characters, each of them equally likely.
func randomBase62(n int) string {
	// Whatever lies past the last whole round of 62 is thrown again.
	const fair = 256 - 256%62
	var out strings.Builder
	var buffer [32]byte
	for out.Len() < n {
		rand.Read(buffer[:])
		for _, b := range buffer {
			if b < fair && out.Len() < n {
				out.WriteByte(base62[b%62])
			}
		}
	}
	return out.String()
}
