package httpapi

import (
	"encoding/json"
	"net/http"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// noiseBody is a resource that differs in nothing that is news: shown to those
// who ask, never opened, never alarmed about.
type noiseBody struct {
	Address     string          `json:"address"`
	Type        string          `json:"type"`
	Origin      drift.Origin    `json:"origin"`
	Changes     json.RawMessage `json:"changes"` // each with the reason why it is noise
	FirstSeenAt string          `json:"firstSeenAt"`
	ChangedAt   string          `json:"changedAt"`
	ScanID      uuid.UUID       `json:"scanId"`
}

func newNoiseBody(n *postgres.Noise) noiseBody {
	return noiseBody{
		Address: n.Address, Type: n.Type, Origin: n.Origin, Changes: n.Changes,
		FirstSeenAt: timestamp(n.FirstSeenAt), ChangedAt: timestamp(n.ChangedAt), ScanID: n.ScanID,
	}
}

// listNoise answers GET /api/v1/noise?stack=NAME, by address.
func (s *Server) listNoise(w http.ResponseWriter, r *http.Request, c *caller) error {
	q := readQuery(r)
	ask := postgres.NoiseQuery{Stack: q.text("stack"), Limit: q.limit()}
	if len(q.values["stack"]) == 0 {
		q.bad("stack", "is missing: noise is listed for one stack")
	}
	scope := listScope("noise", q)
	s.after(q, scope, &ask.After)
	if err := q.err(); err != nil {
		return err
	}
	if err := c.within(ask.Stack); err != nil {
		return err
	}
	noise, more, err := s.DB.Noise(r.Context(), ask)
	if err != nil {
		return err
	}
	if err := s.knownStack(r, ask.Stack, len(noise) == 0); err != nil {
		return err
	}
	return answerPage(s, w, scope, noise, more, newNoiseBody, func(n *postgres.Noise) any { return n.Cursor() })
}
