package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/fault"
)

const (
	defaultLimit = 20
	maxLimit     = 100
	maxParameter = 1000 // bytes of one query parameter
	// longestName bounds the name that is quoted back, in bytes. Ours are shorter;
	// a longer one may be a token whose name was forgotten.
	longestName = 24
)

// query reads a request's query parameters and gathers everything that is
// wrong with them, so that the client hears of all of it at once.
type query struct {
	values url.Values
	known  []string
	errs   []fault.Field
}

// readQuery parses r's query string. A parameter given twice is an error: one
// of the two would be ignored without a word.
func readQuery(r *http.Request) *query {
	values, err := url.ParseQuery(r.URL.RawQuery)
	q := &query{values: values}
	if err != nil {
		q.bad("query", "is not a valid query string: a %%, & or ; is out of place")
	}
	return q
}

func (q *query) bad(field, format string, args ...any) {
	q.errs = append(q.errs, fault.Field{Field: field, Message: fmt.Sprintf(format, args...)})
}

// text is a parameter's value, "" when it is not given.
func (q *query) text(name string) string {
	q.known = append(q.known, name)
	given := q.values[name]
	switch {
	case len(given) == 0:
		return ""
	case len(given) > 1:
		q.bad(name, "must be given once, not %d times", len(given))
	case given[0] == "" && name != "cursor":
		// Most likely a shell variable that was not set; it must not mean "all".
		q.bad(name, "must not be empty; leave it out to ask for everything")
	case len(given[0]) > maxParameter:
		q.bad(name, "must be at most %d bytes long", maxParameter)
	case !printable(given[0]):
		q.bad(name, "must be UTF-8 text without control characters")
	default:
		return given[0]
	}
	return ""
}

// choice is a parameter which may only take one of the allowed values.
func choice[T ~string](q *query, name string, allowed []T) T {
	v := T(q.text(name))
	if v != "" && !slices.Contains(allowed, v) {
		q.bad(name, "must be one of %s", list(allowed))
		return ""
	}
	return v
}

// choices is a parameter that may name several allowed values, by commas.
func choices[T ~string](q *query, name string, allowed []T) []T {
	text := q.text(name)
	if text == "" {
		return nil
	}
	var chosen []T
	for word := range strings.SplitSeq(text, ",") {
		v := T(strings.TrimSpace(word))
		if !slices.Contains(allowed, v) {
			q.bad(name, "must be one of %s, or several with commas between", list(allowed))
			return nil
		}
		chosen = append(chosen, v)
	}
	return chosen
}

// limit is the page size, 1 to 100, 20 unless given.
func (q *query) limit() int {
	v := q.text("limit")
	if v == "" {
		return defaultLimit
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > maxLimit {
		q.bad("limit", "must be between 1 and %d", maxLimit)
		return defaultLimit
	}
	return n
}

// moment is a parameter that names a time; zero when it is not given.
func (q *query) moment(name string) time.Time {
	v := q.text(name)
	if v == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, v)
	if err != nil {
		q.bad(name, "must be a time such as 2026-01-02T15:04:05Z; a + in it is written %%2B")
	}
	return at
}

// id is a parameter that names a thing by its UUID; Nil when it is not given.
func (q *query) id(name string) uuid.UUID {
	v := q.text(name)
	if v == "" {
		return uuid.Nil
	}
	id, err := parseID(v)
	if err != nil {
		q.bad(name, notAnID)
	}
	return id
}

// boolean is a parameter that is true or false, with the meaning of its absence.
func (q *query) boolean(name string, absent bool) bool {
	switch q.text(name) {
	case "":
		return absent
	case "true":
		return true
	case "false":
		return false
	default:
		q.bad(name, "must be true or false")
		return absent
	}
}

// err is nil, or everything that was wrong. Parameters nobody asked for are
// wrong too: a misspelt filter must not answer with everything.
func (q *query) err() error {
	for name := range q.values {
		switch {
		case slices.Contains(q.known, name):
		case len(name) > longestName:
			q.bad("query", "has a parameter that is none of this route's; %s", q.takes())
		default:
			q.bad(clip(name), "is not a parameter of this route; %s", q.takes())
		}
	}
	if len(q.errs) == 0 {
		return nil
	}
	slices.SortStableFunc(q.errs, func(a, b fault.Field) int { return strings.Compare(a.Field, b.Field) })
	return fault.BadFields(q.errs...)
}

// takes says which parameters there are.
func (q *query) takes() string {
	if len(q.known) == 0 {
		return "it takes no parameters"
	}
	return "it takes " + list(q.known)
}

const notAnID = "must be a UUID such as 0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a"

// pathID is the {id} of the route.
func pathID(r *http.Request) (uuid.UUID, error) {
	id, err := parseID(r.PathValue("id"))
	if err != nil {
		return uuid.Nil, fault.BadField("id", notAnID)
	}
	return id, nil
}

// parseID takes one spelling alone: uuid.Parse also takes URNs and braces, and
// two spellings of one resource would be two cache keys.
func parseID(text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil || len(text) != 36 {
		return uuid.Nil, errNotAnID
	}
	return id, nil
}

var errNotAnID = errors.New(notAnID)

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// clip makes a name from outside short and printable enough to be quoted back.
func clip(s string) string { return clipTo(s, 40) }

// clipTo is s printable, and cut after so many characters.
func clipTo(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, strings.ToValidUTF8(s, "?"))
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

func list[T ~string](words []T) string {
	var b strings.Builder
	for i, w := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(string(w))
	}
	return b.String()
}
