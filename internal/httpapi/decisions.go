package httpapi

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/review"
)

// decide answers POST /api/v1/drifts/{id}/triage, approve, reject and resolve.
func (s *Server) decide(to drift.Status) func(http.ResponseWriter, *http.Request, *caller) error {
	return func(w http.ResponseWriter, r *http.Request, c *caller) error {
		id, err := pathID(r)
		if err != nil {
			return err
		}
		if err := readQuery(r).err(); err != nil {
			return err
		}
		version, err := ifMatch(r)
		if err != nil {
			return err
		}
		var body struct {
			Reason string `json:"reason"`
			Until  string `json:"until"`
		}
		// There is nothing one has to say about a triage.
		if to != drift.Triaged || r.ContentLength != 0 {
			if err := readBody(w, r, &body); err != nil {
				return err
			}
		}
		d, err := s.Review.Decide(r.Context(), review.Decision{
			Drift: id, To: to, Reason: body.Reason, Until: body.Until, IfMatch: version, Principal: c.Principal, Actor: c.from,
		})
		if err != nil {
			return named(err, noSuchDrift)
		}
		return s.answerDrift(w, r, d, false)
	}
}

const noSuchDrift = "there is no such drift"

// ifMatch is the version that a decision is about, empty for whatever there is.
func ifMatch(r *http.Request) (string, error) {
	given := r.Header.Values("If-Match")
	tag := strings.TrimSpace(strings.Join(given, ","))
	switch {
	case len(given) == 0, tag == "*":
		return "", nil
	case strings.HasPrefix(tag, "W/"):
		// Weak tags never match (RFC 9110, section 13.1.1), and we send none.
		return "", fault.New(fault.Stale, "the drift has no such version; send the ETag as it was answered")
	case len(tag) < 3 || tag[0] != '"' || strings.IndexByte(tag[1:], '"') != len(tag)-2:
		return "", fault.BadField("If-Match", `must be one ETag as it was answered, in its quotes, or *`)
	default:
		return tag[1 : len(tag)-1], nil
	}
}

// decisionActions are the events of a drift that somebody, or a date, decided.
func decisionActions() []audit.Action {
	return []audit.Action{audit.Triaged, audit.Approved, audit.Rejected, audit.Resolved, audit.Reopened}
}

// answerDrift answers one drift with its decisions, and links this request to
// the upload that found it and to the decision before.
func (s *Server) answerDrift(w http.ResponseWriter, r *http.Request, d *postgres.Drift, withNoise bool) error {
	decisions, _, err := s.DB.Events(r.Context(), postgres.AuditQuery{DriftID: d.ID, Actions: decisionActions(), Limit: maxDecisions})
	if err != nil {
		return err
	}
	s.link(r.Context(), d.IDs)
	for i := range decisions {
		if s.link(r.Context(), decisions[i].IDs) {
			break // they come newest first
		}
	}
	slices.Reverse(decisions)
	body := newDriftBody(d, withNoise)
	body.Decisions = make([]eventBody, len(decisions))
	for i := range decisions {
		body.Decisions[i] = newEventBody(&decisions[i])
	}
	w.Header().Set("ETag", `"`+review.Version(d)+`"`)
	return ok(w, http.StatusOK, body)
}

// maxDecisions is how many decisions a drift shows, the newest. All of them are
// in its timeline.
const maxDecisions = 20

// link tells of the span that made something, and reports whether there was
// one. This request's own is none: that is the decision being taken.
func (s *Server) link(ctx context.Context, made correlation.IDs) bool {
	if made.Trace == "" || made.Span == "" || made.Span == correlation.From(ctx).Span {
		return false
	}
	if s.Linked != nil {
		s.Linked(ctx, made.Trace, made.Span)
	}
	return true
}
