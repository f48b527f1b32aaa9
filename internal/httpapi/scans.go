package httpapi

import (
	"mime"
	"net/http"
	"strings"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/ingest"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// maxUploads is how many uploads are taken at the same time: each may need tens
// of megabytes. A client that is told to wait loses nothing.
const maxUploads = 16

// ciHeader brings what is known of the CI run that an upload comes from.
const ciHeader = "X-CI-Metadata"

// receiptBody is what an uploader hears: the receipt, and how the stack stands
// now. Keys for CI can read nothing else, and a job must know whether to fail.
type receiptBody struct {
	ingest.Receipt
	// Open are the drifts that wait for somebody: open and not rejected.
	Open openBody `json:"open"`
	// OpenDrifts are those drifts, of many the worst.
	OpenDrifts []ingest.Listed `json:"openDrifts"`
}

// maxOpenListed is how many open drifts an answer to an upload lists.
const maxOpenListed = 100

// createScan takes a plan, or word that there is none: POST /api/v1/scans?stack=NAME.
func (s *Server) createScan(w http.ResponseWriter, r *http.Request, c *caller) error {
	q := readQuery(r)
	upload := ingest.Upload{Stack: q.text("stack"), NotRefreshed: !q.boolean("refreshed", true), Actor: c.from}
	failed := choice(q, "status", []drift.Completeness{drift.Errored}) != ""
	if len(q.values["stack"]) == 0 {
		q.bad("stack", "is missing: name the stack as in POST /api/v1/scans?stack=prod/network")
	}
	if failed && len(q.values["refreshed"]) > 0 {
		q.bad("refreshed", "is about a plan, and status=errored says that there is none")
	}
	if err := q.err(); err != nil {
		return err
	}
	if err := postgres.CheckStackName(upload.Stack); err != nil {
		return err
	}
	if !c.sees(upload.Stack) {
		return c.everywhere("it cannot upload to another one")
	}
	if lines := r.Header.Values(ciHeader); len(lines) > 0 {
		var err error
		if upload.CI, err = ingest.ParseCI(strings.Join(lines, ","), ciHeader); err != nil {
			return err
		}
	}
	if failed {
		return s.createFailed(w, r, &upload)
	}
	return s.takePlan(w, r, &upload)
}

// takePlan keeps the plan that is the request's body.
func (s *Server) takePlan(w http.ResponseWriter, r *http.Request, upload *ingest.Upload) error {
	if err := takesPlan(r.Header.Get("Content-Type")); err != nil {
		return err
	}
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	default:
		return fault.New(fault.RateLimited, "too many uploads at the same time; try again as Retry-After says")
	}
	var err error
	if upload.Body, err = s.uploadBody(w, r); err != nil {
		return err
	}
	receipt, created, err := s.Ingest.Scan(r.Context(), *upload)
	if err != nil {
		return err
	}
	return s.answerReceipt(w, r, receipt, created)
}

// createFailed keeps word that Terraform itself failed.
func (s *Server) createFailed(w http.ResponseWriter, r *http.Request, upload *ingest.Upload) error {
	var body struct {
		Message string `json:"message" needed:"true"`
	}
	if err := readBody(w, r, &body); err != nil {
		return err
	}
	receipt, err := s.Ingest.Failed(r.Context(), ingest.Failed{
		Stack: upload.Stack, Message: body.Message, CI: upload.CI, Actor: upload.Actor,
	})
	if err != nil {
		return err
	}
	return s.answerReceipt(w, r, receipt, true)
}

func (s *Server) answerReceipt(w http.ResponseWriter, r *http.Request, receipt ingest.Receipt, created bool) error {
	counts, err := s.DB.StackOpen(r.Context(), receipt.Stack)
	if err != nil {
		return err
	}
	worst, _, err := s.DB.Drifts(r.Context(), postgres.DriftQuery{
		Stack: receipt.Stack, Statuses: []drift.Status{drift.Detected, drift.Triaged, drift.Approved},
		Sort: postgres.WorstFirst, Limit: maxOpenListed,
	})
	if err != nil {
		return err
	}
	body := receiptBody{Receipt: receipt, OpenDrifts: make([]ingest.Listed, len(worst))}
	for i := range worst {
		d := &worst[i]
		body.OpenDrifts[i] = ingest.Listed{
			ID: d.ID, Address: d.Address, Type: d.Type, Origin: d.Origin, Action: d.Action,
			Severity: d.Severity, SeverityReason: d.SeverityReason, Status: d.Status,
		}
	}
	for _, count := range counts {
		if count.Status != drift.Rejected {
			body.Open.add(count)
		}
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	w.Header().Set("Location", s.PublicURL+"/api/v1/scans/"+receipt.ID.String())
	return ok(w, status, body)
}

// planTypes are the media types a plan may come under. The form type is what
// `curl --data-binary` says of any body unless told otherwise.
var planTypes = map[string]bool{
	"": true, "application/json": true, "text/json": true, "text/plain": true,
	"application/octet-stream": true, "application/gzip": true, "application/x-gzip": true,
	"application/x-www-form-urlencoded": true,
}

func takesPlan(contentType string) error {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil && contentType != "" {
		return fault.New(fault.UnsupportedMedia, "the Content-Type header is not a media type; send application/json")
	}
	if media == "multipart/form-data" {
		return fault.New(fault.UnsupportedMedia, "send the plan as the body itself, not as a form: curl --data-binary @plan.json")
	}
	if !planTypes[media] && !strings.HasSuffix(media, "+json") {
		return fault.New(fault.UnsupportedMedia, "send the plan's JSON as application/json")
	}
	return nil
}
