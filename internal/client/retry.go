package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// again reports whether a status is about now and not about the upload.
func again(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// laterError is worth another try.
type laterError struct {
	error
	after time.Duration // what the server asked for; 0 leaves it to us
}

// Unwrap shows backoff how long to wait.
func (e *laterError) Unwrap() []error {
	if e.after <= 0 {
		return []error{e.error}
	}
	return []error{e.error, &backoff.RetryAfterError{Duration: e.after}}
}

// later reads Retry-After in both its forms.
func later(err error, retryAfter string) error {
	if seconds, e := strconv.Atoi(retryAfter); e == nil {
		return &laterError{err, time.Duration(seconds) * time.Second}
	}
	if at, e := http.ParseTime(retryAfter); e == nil {
		return &laterError{err, time.Until(at)}
	}
	return &laterError{err, 0}
}

// unreachable explains a connection that could not be made or broke.
func unreachable(base string, err error) error {
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err // it repeats method and URL, query and all
	}
	wrapped := fmt.Errorf("reach %s: %w", base, err)
	var notFound *net.DNSError
	switch _, badCertificate := errors.AsType[*tls.CertificateVerificationError](err); {
	case badCertificate:
		return fmt.Errorf("%w (SSL_CERT_FILE names a file with private authorities)", wrapped)
	case isTLS(err):
		return fmt.Errorf("%w (does it speak http:// rather than https://?)", wrapped)
	case errors.As(err, &notFound) && notFound.IsNotFound:
		return wrapped
	}
	return &laterError{wrapped, 0}
}

func isTLS(err error) bool {
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok || err.Error() == "http: server gave HTTP response to HTTPS client"
}

// judge marks what another try can't help. A wait that would outlast ctx is not
// begun: the answer would be the same, later.
func (c *Client) judge(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	l, ok := errors.AsType[*laterError](err)
	if !ok {
		return backoff.Permanent(err)
	}
	if deadline, bounded := ctx.Deadline(); bounded && l.after > time.Until(deadline) {
		return backoff.Permanent(err)
	}
	return err
}
