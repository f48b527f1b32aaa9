package httpapi

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/ingest"
)

// createScan takes a plan: POST /api/v1/scans?stack=NAME.
func (s *Server) createScan(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r)
	upload := ingest.Upload{Stack: q.text("stack"), NotRefreshed: !q.boolean("refreshed", true)}
	if upload.Stack == "" && len(q.errs) == 0 {
		q.bad("stack", "is missing: name the stack as in POST /api/v1/scans?stack=prod/network")
	}
	if err := q.err(); err != nil {
		return err
	}
	if err := takesPlan(r.Header.Get("Content-Type")); err != nil {
		return err
	}
	body, err := s.uploadBody(w, r)
	if err != nil {
		return err
	}
	upload.Body, upload.Actor = body, s.actor(r)
	receipt, created, err := s.Ingest.Scan(r.Context(), upload)
	if err != nil {
		return uploadError(err, s.MaxUploadBytes)
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

// uploadBody is the request's body as plain bytes. What it decompresses to is
// limited by whoever reads it, not here.
func (s *Server) uploadBody(w http.ResponseWriter, r *http.Request) (io.Reader, error) {
	var body io.Reader = &patient{
		body:    http.MaxBytesReader(w, r.Body, s.MaxUploadBytes),
		control: http.NewResponseController(w), wait: s.RequestTimeout,
	}
	switch encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		plain, err := gzip.NewReader(body)
		if err != nil {
			return nil, uploadError(gzipError(err), s.MaxUploadBytes)
		}
		return gzipBody{plain}, nil
	default:
		w.Header().Set("Accept-Encoding", "gzip, identity")
		return nil, fault.New(fault.UnsupportedMedia, "the Content-Encoding is not supported; send plain JSON or gzip")
	}
}

// gzipBody reads a compressed body and says so when it is broken.
type gzipBody struct{ r *gzip.Reader }

func (g gzipBody) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = gzipError(err)
	}
	return n, err
}

// gzipError tells damage in the compression from trouble on the line under it.
func gzipError(err error) error {
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || strings.HasPrefix(err.Error(), "flate:") {
		return fault.Wrap(fault.Invalid, "the body says Content-Encoding: gzip but is not a whole gzip stream; "+
			"compress the output of terraform show -json with gzip, or send it plain", err)
	}
	return err
}

// patient is a body that may take as long as it needs while bytes keep coming.
type patient struct {
	body    io.Reader
	control *http.ResponseController
	wait    time.Duration
	until   time.Time
}

func (p *patient) Read(b []byte) (int, error) {
	// A new deadline costs a system call, so it is moved only once half of it is gone.
	if now := time.Now(); now.Add(p.wait / 2).After(p.until) {
		p.until = now.Add(p.wait)
		if err := p.control.SetReadDeadline(p.until); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return 0, err
		}
	}
	return p.body.Read(b)
}

// uploadError classifies what can only go wrong while a body is read.
func uploadError(err error, maxBytes int64) error {
	var tooLarge *http.MaxBytesError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &tooLarge):
		return fault.Wrap(fault.TooLarge, fmt.Sprintf("the plan is larger than %d bytes, the most that is taken here (MAX_UPLOAD_BYTES)", maxBytes), err)
	case fault.KindOf(err) != fault.Internal:
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fault.Wrap(fault.ClientClosed, "the upload ended before its announced length", err)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fault.Wrap(fault.Timeout, "no more of the upload came for too long", err)
	}
	return err
}
