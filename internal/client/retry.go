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

// retry does something until it is answered, refused or not worth trying any more.
func retry[T any](ctx context.Context, c *Client, do func() (T, error)) (T, error) {
	exponential := backoff.NewExponentialBackOff()
	exponential.InitialInterval, exponential.MaxInterval, exponential.Multiplier = c.firstWait, longestWait, 2
	attempts := 0
	var last error
	got, err := backoff.Retry(ctx, func() (T, error) {
		attempts++
		got, err := do()
		if err == nil {
			return got, nil
		}
		var permanent bool
		if permanent, last = judge(ctx, err); permanent {
			return got, backoff.Permanent(last)
		}
		return got, last
	},
		backoff.WithBackOff(exponential), backoff.WithMaxTries(tries), backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(err error, wait time.Duration) {
			if c.Retrying != nil {
				c.Retrying(err, wait)
			}
		}))
	switch {
	case err == nil:
		return got, nil
	case ctx.Err() != nil && last != nil && !errors.Is(last, ctx.Err()) && !errors.Is(last, context.Cause(ctx)):
		return got, fmt.Errorf("%w; the last attempt: %w", context.Cause(ctx), last)
	case ctx.Err() != nil:
		return got, context.Cause(ctx)
	case attempts > 1:
		return got, fmt.Errorf("%w (tried %d times)", last, attempts)
	default:
		return got, last
	}
}

// unreachable explains a connection that could not be made or broke.
func unreachable(base string, err error) error {
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err // it repeats method and URL, query and all
	}
	wrapped := fmt.Errorf("reach %s: %w", base, err)
	var notFound *net.DNSError
	var proxy *proxyError
	switch _, badCertificate := errors.AsType[*tls.CertificateVerificationError](err); {
	case badCertificate:
		return fmt.Errorf("%w (SSL_CERT_FILE names a file with private authorities)", wrapped)
	case isTLS(err):
		return fmt.Errorf("%w (does it speak http:// rather than https://?)", wrapped)
	case errors.As(err, &notFound) && notFound.IsNotFound:
		return wrapped
	case errors.As(err, &proxy) && !again(proxy.Status):
		return wrapped
	}
	return &laterError{wrapped, 0}
}

func isTLS(err error) bool {
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok || err.Error() == "http: server gave HTTP response to HTTPS client"
}

// proxyError is a proxy's refusal to connect us to the server.
type proxyError struct {
	Status int // of HTTP
	hint   string
}

func (e *proxyError) Error() string {
	text := fmt.Sprintf("the proxy answered %d %s", e.Status, http.StatusText(e.Status))
	if e.hint != "" {
		text += " (" + e.hint + ")"
	}
	return text
}

// refusedByProxy looks at a proxy's answer to CONNECT, of which net/http would
// keep nothing but the words behind the number.
func refusedByProxy(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	e := &proxyError{Status: resp.StatusCode}
	if e.Status == http.StatusProxyAuthRequired {
		e.hint = proxyHint
	}
	return e
}

// judge reports whether another try can't help. A wait that would outlast ctx is
// not begun: the answer would be the same, later.
func judge(ctx context.Context, err error) (permanent bool, judged error) {
	l, ok := errors.AsType[*laterError](err)
	if !ok {
		return true, err
	}
	if deadline, bounded := ctx.Deadline(); bounded && l.after > time.Until(deadline) {
		return true, fmt.Errorf("%w; it asks to wait for %s, longer than --timeout allows", l.error, l.after.Round(time.Second))
	}
	return false, err
}
