package httpapi

import (
	"mime"
	"net/http"
	"strings"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/ingest"
)

// maxUploads is how many uploads are taken at the same time: each may need tens
// of megabytes. A client that is told to wait loses nothing.
const maxUploads = 16

// createScan takes a plan: POST /api/v1/scans?stack=NAME.
func (s *Server) createScan(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r)
	upload := ingest.Upload{Stack: q.text("stack"), NotRefreshed: !q.boolean("refreshed", true)}
	if len(q.values["stack"]) == 0 {
		q.bad("stack", "is missing: name the stack as in POST /api/v1/scans?stack=prod/network")
	}
	if err := q.err(); err != nil {
		return err
	}
	if err := takesPlan(r.Header.Get("Content-Type")); err != nil {
		return err
	}
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	default:
		return fault.New(fault.RateLimited, "too many uploads at the same time; try again as Retry-After says")
	}
	body, err := s.uploadBody(w, r)
	if err != nil {
		return err
	}
	upload.Body, upload.Actor = body, s.actor(r)
	receipt, created, err := s.Ingest.Scan(r.Context(), upload)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	w.Header().Set("Location", "/api/v1/scans/"+receipt.ID.String())
	return ok(w, status, receipt)
}

// actor is who sent a request. Until callers have credentials that is nobody
// in particular, from somewhere.
func (s *Server) actor(r *http.Request) audit.Actor {
	return audit.Actor{Name: "anonymous", ClientAddress: s.Clients.Of(r).String(), UserAgent: clip(r.UserAgent())}
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
