package httpapi

import (
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/fault"
)

// page is how every list answers. NextCursor is null on the last page.
type page[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"nextCursor"`
}

// after reads the cursor parameter into place and reports whether there was a
// good one.
func (s *Server) after(q *query, scope string, place any) (given bool) {
	cursor := q.text("cursor")
	if cursor == "" {
		return false
	}
	if err := s.cursors.open(scope, cursor, place); err != nil {
		q.bad("cursor", "must be the nextCursor of the page before, with the same filters and sort")
		return false
	}
	return true
}

// knownStack tells a stack without anything from one that was never scanned,
// for a list that came out empty.
func (s *Server) knownStack(r *http.Request, name string, empty bool) error {
	if name == "" || !empty {
		return nil
	}
	_, err := s.DB.Stack(r.Context(), name)
	return named(err, noSuchStack)
}

const noSuchStack = "there is no such stack; a stack begins with its first scan"

// listScope names a list with its filters: everything of the query but the
// place and the size of a page.
func listScope(name string, q *query) string {
	filters := url.Values{}
	for key, values := range q.values {
		if key != "cursor" && key != "limit" {
			filters[key] = values
		}
	}
	return name + "?" + filters.Encode()
}

// answerPage answers one page of a list.
func answerPage[Row, Body any](
	s *Server, w http.ResponseWriter, scope string, rows []Row, more bool, body func(*Row) Body, place func(*Row) any,
) error {
	answer := page[Body]{Items: make([]Body, len(rows))}
	for i := range rows {
		answer.Items[i] = body(&rows[i])
	}
	if more && len(rows) > 0 {
		cursor, err := s.cursors.seal(scope, place(&rows[len(rows)-1]))
		if err != nil {
			return err
		}
		answer.NextCursor = &cursor
	}
	return ok(w, http.StatusOK, answer)
}

// named says what was not found; other errors pass.
func named(err error, message string) error {
	if fault.KindOf(err) == fault.NotFound {
		return fault.Wrap(fault.NotFound, message, err)
	}
	return err
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func idOrNull(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

func timeOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := timestamp(t)
	return &s
}
