package httpapi

import (
	"net/http"
	"strings"

	"github.com/driftsentry/driftsentry/internal/accounts"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/secret"
)

const (
	keyHeader = "X-Api-Key" // as net/http keys its map
	// maxCredential bounds a credential, in bytes. Nobody needs to look at more.
	maxCredential = 4 << 10
)

const howToCome = "send an access token as Authorization: Bearer …, or an API key as X-API-Key: dsk_…"

// credentialOf is the credential a request came with: a token or a key, and
// given is false when there is neither.
func credentialOf(r *http.Request) (c accounts.Credential, given bool, err error) {
	bearers, keys := r.Header["Authorization"], r.Header[keyHeader]
	if len(keys) == 1 && len(bearers) == 1 && !isBearer(bearers[0]) {
		bearers = nil // what a proxy in front of us asked for
	}
	switch {
	case len(bearers)+len(keys) == 0:
		return accounts.Credential{}, false, nil
	case len(bearers)+len(keys) > 1:
		// Whichever we took, somebody would be surprised at who they are.
		return accounts.Credential{}, true, fault.New(fault.Invalid, "more than one credential was sent; "+howToCome)
	}
	if len(keys) == 1 {
		key := strings.TrimSpace(keys[0])
		if key == "" || len(key) > maxCredential {
			return accounts.Credential{}, true, errBadCredential
		}
		return accounts.Credential{APIKey: secret.New(key)}, true, nil
	}
	scheme, token, _ := strings.Cut(strings.TrimSpace(bearers[0]), " ")
	token = strings.TrimSpace(token)
	switch {
	case !strings.EqualFold(scheme, "Bearer"):
		return accounts.Credential{}, true, fault.New(fault.Unauthenticated, "the Authorization header has another scheme than Bearer; "+howToCome)
	case token == "" || len(token) > maxCredential:
		return accounts.Credential{}, true, errBadCredential
	default:
		return accounts.Credential{Bearer: secret.New(token)}, true, nil
	}
}

func isBearer(authorization string) bool {
	scheme, _, _ := strings.Cut(strings.TrimSpace(authorization), " ")
	return strings.EqualFold(scheme, "Bearer")
}

var errBadCredential = fault.New(fault.Unauthenticated, "the credential is not valid; "+howToCome)
