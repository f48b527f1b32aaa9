package httpapi

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/driftsentry/driftsentry/internal/fault"
)

// uploadBody is the request's body as plain bytes. What it decompresses to is
// limited by whoever reads it, not here. Its errors are classified.
func (s *Server) uploadBody(w http.ResponseWriter, r *http.Request) (io.Reader, error) {
	body := &patient{
		ctx: r.Context(), body: http.MaxBytesReader(w, r.Body, s.MaxUploadBytes),
		control: http.NewResponseController(w), wait: s.RequestTimeout,
	}
	switch encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		plain, err := gzip.NewReader(body)
		if err != nil {
			return nil, gzipError(err)
		}
		return gzipBody{plain}, nil
	default:
		w.Header().Set("Accept-Encoding", "gzip, identity")
		return nil, fault.New(fault.UnsupportedMedia, "the Content-Encoding is not supported; send plain JSON or gzip")
	}
}

// patient is a body that may take its time while bytes keep coming, but never
// longer than the request's context allows.
type patient struct {
	ctx     context.Context //nolint:containedctx // io.Reader has no other way to hear of it
	body    io.Reader
	control *http.ResponseController
	wait    time.Duration
	until   time.Time
}

func (p *patient) Read(b []byte) (int, error) {
	if p.ctx.Err() != nil {
		return 0, p.ended()
	}
	// A new deadline costs a system call, so it is moved only once half of it is gone.
	if now := time.Now(); now.Add(p.wait / 2).After(p.until) {
		p.until = now.Add(p.wait)
		if last, ok := p.ctx.Deadline(); ok && last.Before(p.until) {
			p.until = last
		}
		if err := p.control.SetReadDeadline(p.until); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return 0, fmt.Errorf("wait for the upload: %w", err)
		}
	}
	n, err := p.body.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = p.classify(err)
	}
	return n, err
}

// classify says whose fault it is that a body could not be read: never ours.
func (p *patient) classify(err error) error {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.Wrap(fault.TooLarge,
			fmt.Sprintf("the plan is larger than %d bytes, the most that is taken here (MAX_UPLOAD_BYTES)", tooLarge.Limit), err)
	}
	network, isNetwork := errors.AsType[net.Error](err)
	switch {
	case p.ctx.Err() != nil:
		return p.ended()
	case isNetwork && network.Timeout():
		if last, ok := p.ctx.Deadline(); ok && !time.Now().Before(last) {
			return p.ended()
		}
		return fault.Wrap(fault.Timeout, "no more of the upload came for too long", err)
	case isNetwork, errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, http.ErrBodyReadAfterClose):
		return fault.Wrap(fault.ClientClosed, "the upload ended before all of it had come", err)
	default:
		return fault.Wrap(fault.Invalid, "the body's transfer encoding is broken", err)
	}
}

// ended says why the request's context ended the upload.
func (p *patient) ended() error {
	cause := context.Cause(p.ctx)
	if errors.Is(cause, context.Canceled) {
		return fault.Wrap(fault.ClientClosed, "the client closed the request", cause)
	}
	return fault.Wrap(fault.Timeout, "the upload took longer than the server allows", cause)
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

// gzipError tells damage in the compression from what happened under it, which
// is classified already.
func gzipError(err error) error {
	if _, classified := fault.As(err); classified {
		return err
	}
	return fault.Wrap(fault.Invalid, "the body says Content-Encoding: gzip but is not one whole gzip stream; "+
		"compress the output of terraform show -json with gzip, or send it plain", err)
}
