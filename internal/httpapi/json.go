package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// buffers are reused between answers; one that grew past maxKept is let go.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const maxKept = 1 << 20 // bytes

// errNotSent is an answer whose header was sent and whose body was not: the
// client has gone.
var errNotSent = errors.New("the answer could not be sent")

// writeJSON encodes body whole before the first byte is sent, so that an
// answer is either complete or an error.
func writeJSON(w http.ResponseWriter, status int, contentType string, body any) error {
	buf, _ := buffers.Get().(*bytes.Buffer)
	buf.Reset()
	defer func() {
		if buf.Cap() <= maxKept {
			buffers.Put(buf)
		}
	}()
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false) // nothing here is ever put into a page unescaped
	if err := enc.Encode(body); err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(buf.Len()))
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if _, err := w.Write(buf.Bytes()); err != nil {
		return fmt.Errorf("%w: %w", errNotSent, err)
	}
	return nil
}

// ok answers a request that succeeded.
func ok(w http.ResponseWriter, status int, body any) error {
	return writeJSON(w, status, "application/json", body)
}

// timestamp is how every time is written: RFC 3339, UTC, milliseconds.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }
