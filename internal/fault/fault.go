// Package fault says what kind of failure an error is, apart from what caused
// it: a kind the caller can act on, a message that may reach a client, and a
// hidden cause that may not.
//
// It knows neither status codes nor SQLSTATEs; httpapi and postgres map those.
package fault

import (
	"errors"
	"time"
)

// Kind is a closed list of failures. The zero Kind is Internal, so an error
// nobody classified is never blamed on the client.
type Kind uint8

// The kinds, each named for what the caller should understand by it.
const (
	Internal         Kind = iota // our fault; the cause is logged, never shown
	Invalid                      // the input is wrong; the message says where
	Unauthenticated              // no credential, or one that does not hold
	Forbidden                    // a good credential without this permission
	NotFound                     // no such thing, or not for this caller
	MethodNotAllowed             // the path exists, the method does not
	Conflict                     // the thing is in another state than assumed
	Stale                        // the thing has changed since the caller looked at it
	TooLarge                     // more bytes than this route takes
	UnsupportedMedia             // a content type or encoding nobody reads here
	RateLimited                  // too many requests; RetryAfter says when
	ClientClosed                 // the caller went away before the answer
	Unavailable                  // the database cannot be reached just now
	Timeout                      // it took longer than this request may
)

// Kinds lists every kind once, for tests and tables that must cover them all.
func Kinds() []Kind {
	kinds := make([]Kind, 0, int(Timeout)+1)
	for k := Internal; k <= Timeout; k++ {
		kinds = append(kinds, k)
	}
	return kinds
}

// Field is one wrong input: its name as the client wrote it and what it must be.
type Field struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Error is a classified failure. Message and Fields are public; whatever it
// wraps stays in the log.
type Error struct {
	Kind       Kind
	Message    string
	Fields     []Field
	RetryAfter time.Duration // zero: say nothing about when to try again

	cause error
}

// New returns a failure whose message may be shown to the client.
func New(kind Kind, message string) error {
	return &Error{Kind: kind, Message: message}
}

// Wrap classifies cause: the client sees message, the log sees both.
func Wrap(kind Kind, message string, cause error) error {
	return &Error{Kind: kind, Message: message, cause: cause}
}

// BadField returns an Invalid failure about one input, its detail reading
// "field message".
func BadField(field, message string) error {
	return BadFields(Field{Field: field, Message: message})
}

// BadFields returns an Invalid failure about several inputs at once. The
// detail is the first; the client finds all of them in the list.
func BadFields(fields ...Field) error {
	e := &Error{Kind: Invalid, Message: "the request is not valid", Fields: fields}
	if len(fields) > 0 {
		e.Message = fields[0].Field + " " + fields[0].Message
	}
	return e
}

// Error gives the message and the cause: it is for logs, not for clients.
func (e *Error) Error() string {
	if e.cause == nil {
		return e.Message
	}
	return e.Message + ": " + e.cause.Error()
}

// Unwrap returns the hidden cause, nil when there is none.
func (e *Error) Unwrap() error { return e.cause }

// As finds the outermost classified failure in err's chain.
func As(err error) (*Error, bool) { return errors.AsType[*Error](err) }

// KindOf is the kind of the outermost classified failure in err's chain, and
// Internal when there is none.
func KindOf(err error) Kind {
	if e, ok := As(err); ok {
		return e.Kind
	}
	return Internal
}
