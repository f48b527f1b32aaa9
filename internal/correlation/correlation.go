// Package correlation carries the ids that lead from a caller's run to our log
// lines, spans, rows and error bodies.
//
// It holds ids and nothing else: who is acting is an argument, never a context
// value.
package correlation

import (
	"context"

	"github.com/google/uuid"
)

// Header is the HTTP header in which a correlation id comes and goes.
const Header = "X-Correlation-ID"

// maxLen is the longest id accepted from outside, in bytes.
const maxLen = 128

// IDs name one piece of work. Trace and Span are W3C hex ids and empty when
// nothing is traced.
type IDs struct {
	Correlation string
	Trace       string
	Span        string
}

type key struct{}

// With returns a context that carries ids.
func With(ctx context.Context, ids IDs) context.Context {
	return context.WithValue(ctx, key{}, ids)
}

// From returns the ids ctx carries; all empty when it carries none.
func From(ctx context.Context) IDs {
	ids, _ := ctx.Value(key{}).(IDs)
	return ids
}

// New makes an id nobody has used: a UUID v7, so that ids sort by time.
func New() string {
	id, err := uuid.NewV7()
	if err != nil {
		// Only a broken system entropy source ends here, and Go's own does not return.
		return uuid.NewString()
	}
	return id.String()
}

// Valid reports whether an id from outside may be used as it is: 1 to 128 of
// A-Z a-z 0-9 . _ : and -. Anything else could forge log lines or labels.
func Valid(id string) bool {
	if id == "" || len(id) > maxLen {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '.', c == '_', c == ':', c == '-':
		default:
			return false
		}
	}
	return true
}
