package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/fault"
)

// maxDossier is how many scans, drifts and events a dossier holds of each.
const maxDossier = 100

// TrackedError is a group of errors as the error tracker knows it.
type TrackedError struct {
	Fingerprint    string    `json:"fingerprint"`
	Code           string    `json:"code"`
	Where          string    `json:"where"`
	Type           string    `json:"type"`
	Message        string    `json:"message,omitempty"`
	Count          uint64    `json:"count"`
	FirstSeen      time.Time `json:"firstSeen"`
	LastSeen       time.Time `json:"lastSeen"`
	CorrelationIDs []string  `json:"correlationIds"`
}

// dossierBody is all that is known under one correlation id, the oldest first.
type dossierBody struct {
	CorrelationID string         `json:"correlationId"`
	Scans         []scanBody     `json:"scans"`
	Drifts        []driftBody    `json:"drifts"`
	Events        []auditBody    `json:"events"`
	Errors        []TrackedError `json:"errors"`
	Traces        []traceBody    `json:"traces"`
	Links         linksBody      `json:"links"`
	// Truncated says that there is more of something than is shown.
	Truncated bool `json:"truncated"`
}

type traceBody struct {
	TraceID string  `json:"traceId"`
	URL     *string `json:"url"`
}

type linksBody struct {
	Traces *string `json:"traces"`
	Logs   *string `json:"logs"`
}

// getDossier answers GET /api/v1/correlations/{id}. A key for some stacks sees
// what is theirs.
func (s *Server) getDossier(w http.ResponseWriter, r *http.Request, c *caller) error {
	id := r.PathValue("id")
	if !correlation.Valid(id) {
		return fault.BadField("id", "must be a correlation id: 1 to 128 of A-Z a-z 0-9 . _ : and -")
	}
	if err := readQuery(r).err(); err != nil {
		return err
	}
	stacks, err := s.DB.CorrelationStacks(r.Context(), id)
	if err != nil {
		return err
	}
	within := c.reach(stacks)
	found, err := s.DB.Correlation(r.Context(), id, within, maxDossier)
	if err != nil {
		return err
	}
	body := dossierBody{
		CorrelationID: id, Scans: []scanBody{}, Drifts: []driftBody{}, Events: []auditBody{}, Errors: s.errorsOf(id, c),
		Traces: []traceBody{}, Truncated: found.MoreScans || found.MoreDrifts || found.MoreEvents,
	}
	var when span
	for i := range found.Scans {
		body.Scans = append(body.Scans, newScanBody(&found.Scans[i]))
		body.trace(s, found.Scans[i].IDs.Trace)
		when.include(found.Scans[i].ReceivedAt)
	}
	for i := range found.Drifts {
		body.Drifts = append(body.Drifts, newDriftBody(&found.Drifts[i], false))
	}
	for i := range found.Events {
		found.Events[i].Stack = stacks[found.Events[i].StackID]
		e := newAuditBody(&found.Events[i])
		if !c.Role.May(auth.Administer) {
			// Who logged in from where is for those who may read the audit trail.
			if found.Events[i].DriftID == uuid.Nil {
				continue
			}
			e.ClientAddress, e.UserAgent = nil, nil
		}
		body.Events = append(body.Events, e)
		body.trace(s, found.Events[i].IDs.Trace)
		when.include(found.Events[i].At)
	}
	if len(body.Scans)+len(body.Drifts)+len(body.Events)+len(body.Errors) == 0 {
		return fault.New(fault.NotFound, "nothing is known under this correlation id")
	}
	for i := range body.Errors {
		when.include(body.Errors[i].FirstSeen)
		when.include(body.Errors[i].LastSeen)
	}
	body.Links = s.links(id, when)
	return ok(w, http.StatusOK, body)
}

// reach is which of the stacks the caller's credential is for; nil is all there
// is, also what is of no stack.
func (c *caller) reach(stacks map[uuid.UUID]string) []uuid.UUID {
	if c.Stacks.IsZero() {
		return nil
	}
	within := []uuid.UUID{}
	for id, name := range stacks {
		if c.sees(name) {
			within = append(within, id)
		}
	}
	return within
}

// span is the time in which something happened.
type span struct{ from, to time.Time }

func (v *span) include(at time.Time) {
	if v.from.IsZero() || at.Before(v.from) {
		v.from = at
	}
	if at.After(v.to) {
		v.to = at
	}
}

// trace adds a trace that is not there yet.
func (b *dossierBody) trace(s *Server, id string) {
	known := slices.ContainsFunc(b.Traces, func(t traceBody) bool { return t.TraceID == id })
	if id != "" && !known {
		b.Traces = append(b.Traces, traceBody{TraceID: id, URL: s.jaeger("/trace/" + id)})
	}
}

// errorsOf are the tracked errors of a correlation id. What exactly went wrong
// inside is for admins. They are of no stack, and so not for keys of some.
func (s *Server) errorsOf(id string, c *caller) []TrackedError {
	errs := []TrackedError{}
	if s.ErrorsOf != nil && c.Stacks.IsZero() {
		errs = append(errs, s.ErrorsOf(id)...)
	}
	for i := range errs {
		if !c.Role.May(auth.Administer) {
			errs[i].Message, errs[i].CorrelationIDs = "", []string{id}
		}
	}
	return errs
}

// around is how long before and after what is known a trace may have been: an
// upload takes minutes, and clocks differ.
const around = time.Hour

// links lead to where the traces and the log lines of a correlation id are. Its
// characters need no escaping in a URL.
func (s *Server) links(id string, when span) linksBody {
	micros := func(at time.Time) string { return strconv.FormatInt(at.UnixMicro(), 10) }
	// Jaeger searches the last hours unless it is told when.
	search := url.Values{
		"service": {"driftsentry"}, "tags": {`{"correlation_id":"` + id + `"}`},
		"lookback": {"custom"}, "start": {micros(when.from.Add(-around))}, "end": {micros(when.to.Add(around))},
	}
	links := linksBody{Traces: s.jaeger("/search?" + search.Encode())}
	if s.LogsURL != "" {
		logs := strings.NewReplacer("{correlationId}", id, "%7BcorrelationId%7D", id).Replace(s.LogsURL)
		links.Logs = &logs
	}
	return links
}

func (s *Server) jaeger(path string) *string {
	if s.JaegerURL == "" {
		return nil
	}
	link := s.JaegerURL + path
	return &link
}
