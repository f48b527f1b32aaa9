package httpapi

import (
	"encoding/json"
	"net/http"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/ingest"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// scanBody is a scan as it is read back.
type scanBody struct {
	ID            uuid.UUID          `json:"id"`
	Stack         string             `json:"stack"`
	Status        drift.Completeness `json:"status"`
	Superseded    bool               `json:"superseded"`
	Format        string             `json:"format"`
	FormatVersion string             `json:"formatVersion"`
	Tool          string             `json:"tool"`
	ToolVersion   string             `json:"toolVersion"`
	TakenAt       string             `json:"takenAt"`
	ReceivedAt    string             `json:"receivedAt"`
	// Covers lists the origins of which the scan's silence means something.
	Covers       []drift.Origin `json:"covers"`
	PayloadBytes int64          `json:"payloadBytes"`
	Counts       ingest.Counts  `json:"counts"`
	// Message says what failed, of a scan that is nothing but word of that.
	Message *string `json:"message"`
	// CI is what the uploader said of its run.
	CI            json.RawMessage `json:"ci"`
	UploadedBy    *string         `json:"uploadedBy"`
	CorrelationID string          `json:"correlationId"`
	TraceID       string          `json:"traceId"`
	SpanID        string          `json:"spanId"`
}

func newScanBody(s *postgres.Scan) scanBody {
	body := scanBody{
		ID: s.ID, Stack: s.Stack, Status: s.Status, Superseded: s.Superseded,
		Format: s.Format, FormatVersion: s.FormatVersion, Tool: s.Tool, ToolVersion: s.ToolVersion,
		TakenAt: timestamp(s.TakenAt), ReceivedAt: timestamp(s.ReceivedAt), Covers: []drift.Origin{}, PayloadBytes: s.PayloadBytes,
		Counts: ingest.Counts{
			Resources: s.Resources, Detected: s.Counts.Detected, Known: s.Counts.Known,
			Reopened: s.Counts.Reopened, Resolved: s.Counts.Resolved, Noise: s.Counts.Noise,
		},
		Message: orNull(s.Message), CI: s.CI, UploadedBy: orNull(s.Actor.Name),
		CorrelationID: s.IDs.Correlation, TraceID: s.IDs.Trace, SpanID: s.IDs.Span,
	}
	for _, origin := range drift.Origins() {
		if !s.Superseded && s.Covers(origin) {
			body.Covers = append(body.Covers, origin)
		}
	}
	return body
}

// listScans answers GET /api/v1/scans, the newest first.
func (s *Server) listScans(w http.ResponseWriter, r *http.Request, c *caller) error {
	q := readQuery(r)
	ask := postgres.ScanQuery{Stack: q.text("stack"), Limit: q.limit()}
	scope := listScope("scans", q)
	s.after(q, scope, &ask.After)
	if err := q.err(); err != nil {
		return err
	}
	if err := c.within(ask.Stack); err != nil {
		return err
	}
	scans, more, err := s.DB.Scans(r.Context(), ask)
	if err != nil {
		return err
	}
	if err := s.knownStack(r, ask.Stack, len(scans) == 0); err != nil {
		return err
	}
	return answerPage(s, w, scope, scans, more, newScanBody, func(sc *postgres.Scan) any { return sc.ID })
}

// getScan answers GET /api/v1/scans/{id}.
func (s *Server) getScan(w http.ResponseWriter, r *http.Request, c *caller) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	if err := readQuery(r).err(); err != nil {
		return err
	}
	scan, err := s.DB.Scan(r.Context(), id)
	if err == nil && !c.sees(scan.Stack) {
		err = fault.New(fault.NotFound, "a scan of another stack")
	}
	if err != nil {
		return named(err, "there is no such scan")
	}
	return ok(w, http.StatusOK, newScanBody(scan))
}
