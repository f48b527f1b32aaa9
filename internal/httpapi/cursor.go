package httpapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// cursors makes and reads the opaque cursors of lists. A cursor is the place
// after an item, signed together with the list it belongs to: one that was
// tampered with, or taken to a list with other filters, is refused instead of
// quietly showing the wrong page. The key serves nothing else.
type cursors struct{ key []byte }

var errBadCursor = errors.New("not a cursor of this list")

const cursorMAC = 12 // bytes of the HMAC that are kept; a forged one gains nothing but a place in a list

// seal makes the cursor for a place in the list that scope names.
func (c cursors) seal(scope string, place any) (string, error) {
	body, err := json.Marshal(place)
	if err != nil {
		return "", fmt.Errorf("encode a cursor: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(append(c.mac(scope, body), body...)), nil
}

// open reads the cursor of a request into place.
func (c cursors) open(scope, cursor string, place any) error {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) < cursorMAC || !hmac.Equal(raw[:cursorMAC], c.mac(scope, raw[cursorMAC:])) {
		return errBadCursor
	}
	if err := json.Unmarshal(raw[cursorMAC:], place); err != nil {
		return errBadCursor
	}
	return nil
}

func (c cursors) mac(scope string, body []byte) []byte {
	h := hmac.New(sha256.New, c.key)
	h.Write([]byte(scope))
	h.Write([]byte{0})
	h.Write(body)
	return h.Sum(nil)[:cursorMAC]
}
