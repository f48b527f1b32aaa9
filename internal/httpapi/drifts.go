package httpapi

import (
	"encoding/json"
	"net/http"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// driftBody is a drift as clients read it.
type driftBody struct {
	ID             uuid.UUID       `json:"id"`
	Stack          string          `json:"stack"`
	Address        string          `json:"address"`
	Type           string          `json:"type"`
	Provider       string          `json:"provider"`
	CloudID        *string         `json:"cloudId"`
	Region         *string         `json:"region"`
	Account        *string         `json:"account"`
	Origin         drift.Origin    `json:"origin"`
	Action         drift.Action    `json:"action"`
	Severity       drift.Severity  `json:"severity"`
	SeverityReason string          `json:"severityReason"`
	Status         drift.Status    `json:"status"`
	DetectedAt     string          `json:"detectedAt"`
	LastSeenAt     string          `json:"lastSeenAt"`
	TimesSeen      int64           `json:"timesSeen"`
	QuietUntil     *string         `json:"quietUntil"`
	ResolvedAt     *string         `json:"resolvedAt"`
	Resolution     *string         `json:"resolution"`
	PreviousID     *uuid.UUID      `json:"previousId"`
	Changes        json.RawMessage `json:"changes"`
	// Noise are the resource's differences that are no news, for those who ask
	// with noise=true.
	Noise         json.RawMessage `json:"noise,omitempty"`
	CI            json.RawMessage `json:"ci"`
	ScanID        uuid.UUID       `json:"scanId"`
	CorrelationID string          `json:"correlationId"`
	TraceID       string          `json:"traceId"`
	SpanID        string          `json:"spanId"`
	// Decisions are what became of one drift that was asked for, the newest last;
	// lists leave them out.
	Decisions []eventBody `json:"decisions,omitzero"`
}

func newDriftBody(d *postgres.Drift, withNoise bool) driftBody {
	body := driftBody{
		ID: d.ID, Stack: d.Stack, Address: d.Address, Type: d.Type, Provider: d.Provider,
		CloudID: orNull(d.CloudID), Region: orNull(d.Region), Account: orNull(d.Account),
		Origin: d.Origin, Action: d.Action, Severity: d.Severity, SeverityReason: d.SeverityReason,
		Status: d.Status, DetectedAt: timestamp(d.DetectedAt), LastSeenAt: timestamp(d.LastSeenAt), TimesSeen: d.TimesSeen,
		QuietUntil: timeOrNull(d.QuietUntil), ResolvedAt: timeOrNull(d.ResolvedAt), Resolution: orNull(d.Resolution),
		PreviousID: idOrNull(d.PreviousID), Changes: d.Changes,
		CI: d.CI, ScanID: d.ScanID, CorrelationID: d.IDs.Correlation, TraceID: d.IDs.Trace, SpanID: d.IDs.Span,
	}
	if withNoise {
		if body.Noise = d.Noise; body.Noise == nil {
			body.Noise = json.RawMessage("[]")
		}
	}
	return body
}

// driftSorts are the orders a list of drifts can have; the first is used when
// none is asked for. A minus means descending, and the worst severity is the
// highest.
var driftSorts = []struct {
	name string
	sort postgres.DriftSort
}{
	{"-detectedAt", postgres.Newest},
	{"detectedAt", postgres.Oldest},
	{"-severity", postgres.WorstFirst},
	{"severity", postgres.MildestFirst},
	{"address", postgres.AddressAZ},
	{"-address", postgres.AddressZA},
}

// listDrifts answers GET /api/v1/drifts.
func (s *Server) listDrifts(w http.ResponseWriter, r *http.Request, c *caller) error {
	q := readQuery(r)
	ask := postgres.DriftQuery{
		Statuses: choices(q, "status", drift.Statuses()), Severities: choices(q, "severity", drift.Severities()),
		Origins: choices(q, "origin", drift.Origins()),
		Stack:   q.text("stack"), Type: q.text("type"), Search: q.text("q"), Limit: q.limit(),
	}
	withNoise := q.boolean("noise", false)
	names := make([]string, len(driftSorts))
	for i, known := range driftSorts {
		names[i] = known.name
	}
	sort := choice(q, "sort", names)
	for _, known := range driftSorts {
		if known.name == sort {
			ask.Sort = known.sort
		}
	}
	scope := listScope("drifts", q)
	var after postgres.DriftCursor
	if s.after(q, scope, &after) {
		ask.After = &after
	}
	if err := q.err(); err != nil {
		return err
	}
	if err := c.within(ask.Stack); err != nil {
		return err
	}
	drifts, more, err := s.DB.Drifts(r.Context(), ask)
	if err != nil {
		return err
	}
	if err := s.knownStack(r, ask.Stack, len(drifts) == 0); err != nil {
		return err
	}
	return answerPage(s, w, scope, drifts, more,
		func(d *postgres.Drift) driftBody { return newDriftBody(d, withNoise) },
		func(d *postgres.Drift) any { return d.Cursor() })
}

// getDrift answers GET /api/v1/drifts/{id}.
func (s *Server) getDrift(w http.ResponseWriter, r *http.Request, c *caller) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	q := readQuery(r)
	withNoise := q.boolean("noise", false)
	if err := q.err(); err != nil {
		return err
	}
	d, err := s.driftFor(r, c, id)
	if err != nil {
		return err
	}
	return s.answerDrift(w, r, d, withNoise)
}

// driftFor is a drift, as long as the caller may see it.
func (s *Server) driftFor(r *http.Request, c *caller, id uuid.UUID) (*postgres.Drift, error) {
	d, err := s.DB.Drift(r.Context(), id)
	if err != nil {
		return nil, named(err, noSuchDrift)
	}
	if !c.sees(d.Stack) {
		return nil, fault.New(fault.NotFound, noSuchDrift)
	}
	return d, nil
}

// eventBody is one line of a timeline.
type eventBody struct {
	ID            uuid.UUID       `json:"id"`
	At            string          `json:"at"`
	Action        audit.Action    `json:"action"`
	Actor         string          `json:"actor"`
	From          *string         `json:"from"`
	To            *string         `json:"to"`
	Reason        *string         `json:"reason"`
	Until         *string         `json:"until"`
	Detail        json.RawMessage `json:"detail"`
	ScanID        *uuid.UUID      `json:"scanId"`
	CorrelationID string          `json:"correlationId"`
	TraceID       string          `json:"traceId"`
	SpanID        string          `json:"spanId"`
}

func newEventBody(e *audit.Event) eventBody {
	return eventBody{
		ID: e.ID, At: timestamp(e.At), Action: e.Action, Actor: e.Actor.Name, From: orNull(e.From), To: orNull(e.To),
		Reason: orNull(e.Reason), Until: timeOrNull(e.Until), Detail: e.Detail, ScanID: idOrNull(e.ScanID),
		CorrelationID: e.IDs.Correlation, TraceID: e.IDs.Trace, SpanID: e.IDs.Span,
	}
}

// getTimeline answers GET /api/v1/drifts/{id}/timeline, the oldest event first.
func (s *Server) getTimeline(w http.ResponseWriter, r *http.Request, c *caller) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	q := readQuery(r)
	ask := postgres.EventQuery{Limit: q.limit()}
	scope := listScope("timeline/"+id.String(), q)
	s.after(q, scope, &ask.After)
	if err := q.err(); err != nil {
		return err
	}
	if !c.Stacks.IsZero() {
		if _, err := s.driftFor(r, c, id); err != nil {
			return err
		}
	}
	events, more, err := s.DB.Timeline(r.Context(), id, ask)
	if err != nil {
		return named(err, noSuchDrift)
	}
	return answerPage(s, w, scope, events, more, newEventBody, func(e *audit.Event) any { return e.ID })
}
