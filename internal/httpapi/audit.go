package httpapi

import (
	"encoding/hex"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// auditBody is an entry of the audit trail, with what only admins are shown.
type auditBody struct {
	eventBody
	Stack         *string    `json:"stack"`
	DriftID       *uuid.UUID `json:"driftId"`
	ClientAddress *string    `json:"clientAddress"`
	UserAgent     *string    `json:"userAgent"`
}

func newAuditBody(e *audit.Event) auditBody {
	return auditBody{
		eventBody: newEventBody(e), Stack: orNull(e.Stack), DriftID: idOrNull(e.DriftID),
		ClientAddress: orNull(e.Actor.ClientAddress), UserAgent: orNull(e.Actor.UserAgent),
	}
}

// listAudit answers GET /api/v1/audit, the newest first.
func (s *Server) listAudit(w http.ResponseWriter, r *http.Request, _ *caller) error {
	q := readQuery(r)
	ask := postgres.AuditQuery{
		Actions: choices(q, "action", audit.Actions()), Actor: q.text("actor"), Stack: q.text("stack"), DriftID: q.id("drift"),
		Correlation: q.text("correlation"), Since: q.moment("since"), Until: q.moment("until"), Limit: q.limit(),
	}
	scope := listScope("audit", q)
	s.after(q, scope, &ask.After)
	if err := q.err(); err != nil {
		return err
	}
	events, more, err := s.DB.Events(r.Context(), ask)
	if err != nil {
		return err
	}
	if err := s.knownStack(r, ask.Stack, len(events) == 0); err != nil {
		return err
	}
	return answerPage(s, w, scope, events, more, newAuditBody, func(e *audit.Event) any { return e.ID })
}

// verificationBody says what a part of the audit trail is like.
type verificationBody struct {
	OK     bool  `json:"ok"` // no flaws in this part
	Seals  int64 `json:"seals"`
	Events int64 `json:"events"`
	// SignaturesChecked is false where the service has no key: then OK does not say
	// who wrote the trail.
	SignaturesChecked bool       `json:"signaturesChecked"`
	Unsigned          int64      `json:"unsigned"`
	ForeignKey        int64      `json:"foreignKey"`
	Flaws             []flawBody `json:"flaws"`
	// Head is there on the last page.
	Head       *headBody `json:"head"`
	NextCursor *string   `json:"nextCursor"`
}

type flawBody struct {
	Kind   postgres.FlawKind `json:"kind"`
	Chain  *string           `json:"chain"`
	Seq    *int64            `json:"seq"`
	SealID *uuid.UUID        `json:"sealId"`
	Count  int64             `json:"count"`
	What   string            `json:"what"`
}

type headBody struct {
	At     string `json:"at"`
	Digest string `json:"digest"`
	Chains int64  `json:"chains"`
	Seals  int64  `json:"seals"`
}

// verifyAudit answers GET /api/v1/audit/verify, a part of the trail at a time.
func (s *Server) verifyAudit(w http.ResponseWriter, r *http.Request, _ *caller) error {
	q := readQuery(r)
	ask := postgres.VerifyQuery{HeadAt: q.moment("headAt")}
	if ask.HeadAt.After(time.Now()) {
		// It would be another one at each call until then.
		q.bad("headAt", "must not be in the future")
	}
	scope := listScope("audit/verify", q)
	s.after(q, scope, &ask.After)
	if err := q.err(); err != nil {
		return err
	}
	var keys [][]byte
	if s.SealKey != nil {
		keys = [][]byte{s.SealKey}
	}
	v, err := s.DB.VerifyAudit(r.Context(), keys, ask)
	if err != nil {
		return err
	}
	body := verificationBody{
		OK: len(v.Flaws) == 0, Seals: v.Seals, Events: v.Events, SignaturesChecked: v.SignaturesChecked,
		Unsigned: v.Unsigned, ForeignKey: v.ForeignKey, Flaws: make([]flawBody, len(v.Flaws)),
	}
	for i, f := range v.Flaws {
		body.Flaws[i] = flawBody{Kind: f.Kind, Chain: orNull(f.Chain), SealID: idOrNull(f.Seal), Count: f.Count, What: f.What}
		if f.Chain != "" {
			body.Flaws[i].Seq = &f.Seq
		}
	}
	if h := v.Head; h != nil {
		body.Head = &headBody{At: timestamp(h.At), Digest: hex.EncodeToString(h.Digest[:]), Chains: h.Chains, Seals: h.Seals}
	}
	if !v.Done {
		cursor, err := s.cursors.seal(scope, v.Next)
		if err != nil {
			return err
		}
		body.NextCursor = &cursor
	}
	return ok(w, http.StatusOK, body)
}
