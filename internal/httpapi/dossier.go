package httpapi

import (
	"net/http"
	"net/url"
	"slices"
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

// getDossier answers GET /api/v1/correlations/{id}.
func (s *Server) getDossier(w http.ResponseWriter, r *http.Request, c *caller) error {
	id := r.PathValue("id")
	if !correlation.Valid(id) {
		return fault.BadField("id", "must be a correlation id: 1 to 128 of A-Z a-z 0-9 . _ : and -")
	}
	if err := readQuery(r).err(); err != nil {
		return err
	}
	if err := c.everywhere("a dossier is about all stacks"); err != nil {
		return err
	}
	found, err := s.DB.Correlation(r.Context(), id, maxDossier)
	if err != nil {
		return err
	}
	body := dossierBody{
		CorrelationID: id, Scans: []scanBody{}, Drifts: []driftBody{}, Events: []auditBody{}, Errors: s.errorsOf(id, c),
		Traces: []traceBody{}, Links: s.links(id), Truncated: found.MoreScans || found.MoreDrifts || found.MoreEvents,
	}
	stacks := map[uuid.UUID]string{}
	for i := range found.Scans {
		stacks[found.Scans[i].StackID] = found.Scans[i].Stack
		body.Scans = append(body.Scans, newScanBody(&found.Scans[i]))
		body.trace(s, found.Scans[i].IDs.Trace)
	}
	for i := range found.Drifts {
		stacks[found.Drifts[i].StackID] = found.Drifts[i].Stack
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
	}
	if len(body.Scans)+len(body.Drifts)+len(body.Events)+len(body.Errors) == 0 {
		return fault.New(fault.NotFound, "nothing is known under this correlation id")
	}
	return ok(w, http.StatusOK, body)
}

// trace adds a trace that is not there yet.
func (b *dossierBody) trace(s *Server, id string) {
	known := slices.ContainsFunc(b.Traces, func(t traceBody) bool { return t.TraceID == id })
	if id != "" && !known {
		b.Traces = append(b.Traces, traceBody{TraceID: id, URL: s.jaeger("/trace/" + id)})
	}
}

// errorsOf are the tracked errors of a correlation id. What exactly went wrong
// inside is for admins.
func (s *Server) errorsOf(id string, c *caller) []TrackedError {
	errs := []TrackedError{}
	if s.ErrorsOf != nil {
		errs = append(errs, s.ErrorsOf(id)...)
	}
	for i := range errs {
		if !c.Role.May(auth.Administer) {
			errs[i].Message, errs[i].CorrelationIDs = "", []string{id}
		}
	}
	return errs
}

// links lead to where the traces and the log lines of a correlation id are. Its
// characters need no escaping in a URL.
func (s *Server) links(id string) linksBody {
	search := url.Values{"service": {"driftsentry"}, "lookback": {"2d"}, "tags": {`{"correlation_id":"` + id + `"}`}}
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
