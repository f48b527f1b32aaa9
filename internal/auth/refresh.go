package auth

import (
	"strings"

	"github.com/driftsentry/driftsentry/internal/secret"
)

const refreshPrefix = "dsr_"

// NewRefreshToken makes the token that a login hands out beside its access
// token, and its SHA-256: all that is kept of it.
func NewRefreshToken() (token secret.String, hash [32]byte) { return newCredential(refreshPrefix) }

// HashRefreshToken is what to look a refresh token up by. It is false for a text
// that cannot be one, which therefore costs no database.
func HashRefreshToken(text string) (hash [32]byte, ok bool) {
	if !strings.HasPrefix(text, refreshPrefix) {
		return hash, false
	}
	return hashCredential(text, len(refreshPrefix))
}
