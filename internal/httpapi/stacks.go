package httpapi

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// stackBody is a stack with its freshness: no open drift means nothing unless
// one knows when somebody last looked.
type stackBody struct {
	Name      string        `json:"name"`
	CreatedAt string        `json:"createdAt"`
	Freshness freshnessBody `json:"freshness"`
	Open      openBody      `json:"open"`
}

type freshnessBody struct {
	LastScanID     *uuid.UUID          `json:"lastScanId"`
	LastScanAt     *string             `json:"lastScanAt"`
	LastScanStatus *drift.Completeness `json:"lastScanStatus"`
	// LastCompleteAt is when a scan last told everything; null means that no
	// drift is known because nobody has ever looked properly.
	LastCompleteAt *string `json:"lastCompleteAt"`
	AgeSeconds     *int64  `json:"ageSeconds"` // since LastCompleteAt
}

// openBody counts open drifts, the two origins apart.
type openBody struct {
	Outside severityCounts `json:"outside"`
	Pending severityCounts `json:"pending"`
}

type severityCounts struct {
	Critical int64 `json:"critical"`
	Warning  int64 `json:"warning"`
	Info     int64 `json:"info"`
}

func (c *severityCounts) add(severity drift.Severity, n int64) {
	switch severity {
	case drift.Critical:
		c.Critical += n
	case drift.Warning:
		c.Warning += n
	case drift.Info:
		c.Info += n
	}
}

func (b *openBody) add(count postgres.OpenCount) {
	if count.Origin == drift.Pending {
		b.Pending.add(count.Severity, count.Drifts)
	} else {
		b.Outside.add(count.Severity, count.Drifts)
	}
}

func newStackBody(now time.Time) func(*postgres.StackState) stackBody {
	return func(st *postgres.StackState) stackBody {
		body := stackBody{Name: st.Name, CreatedAt: timestamp(st.CreatedAt), Freshness: freshnessBody{
			LastScanID: idOrNull(st.LastScanID), LastScanAt: timeOrNull(st.LastScanAt),
			LastCompleteAt: timeOrNull(st.LastCompleteAt),
		}}
		if st.LastScanStatus != "" {
			body.Freshness.LastScanStatus = &st.LastScanStatus
		}
		if !st.LastCompleteAt.IsZero() {
			age := max(0, int64(now.Sub(st.LastCompleteAt).Seconds()))
			body.Freshness.AgeSeconds = &age
		}
		for _, count := range st.Open {
			body.Open.add(count)
		}
		return body
	}
}

// listStacks answers GET /api/v1/stacks, by name.
func (s *Server) listStacks(w http.ResponseWriter, r *http.Request, c *caller) error {
	q := readQuery(r)
	ask := postgres.StackQuery{Search: q.text("q"), Limit: q.limit()}
	scope := listScope("stacks", q)
	s.after(q, scope, &ask.After)
	if err := q.err(); err != nil {
		return err
	}
	if err := c.everywhere("ask for one of them at /api/v1/stacks/NAME"); err != nil {
		return err
	}
	stacks, more, err := s.DB.Stacks(r.Context(), ask)
	if err != nil {
		return err
	}
	return answerPage(s, w, scope, stacks, more, newStackBody(time.Now()), func(st *postgres.StackState) any { return st.Name })
}

// getStack answers GET /api/v1/stacks/{name...}.
func (s *Server) getStack(w http.ResponseWriter, r *http.Request, c *caller) error {
	if err := readQuery(r).err(); err != nil {
		return err
	}
	name := r.PathValue("name")
	if postgres.CheckStackName(name) != nil || !c.sees(name) {
		return fault.New(fault.NotFound, noSuchStack)
	}
	stack, err := s.DB.Stack(r.Context(), name)
	if err != nil {
		return named(err, noSuchStack)
	}
	return ok(w, http.StatusOK, newStackBody(time.Now())(stack))
}
