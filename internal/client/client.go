// Package client sends plans to a DriftSentry server and reads its answer.
//
// A plan is streamed and compressed on the wire, never held in memory. Whatever
// it comes from can be asked again, because an upload that was lost on its way
// is sent anew: the server takes the same plan once, however often it comes.
//
// It decides nothing about drift, prints nothing and reads no environment.
package client

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/secret"
)

// MetadataHeader carries what the pipeline knows of itself; see internal/pipeline.
const MetadataHeader = "X-CI-Metadata"

const (
	// tries is how often one upload is sent at most. With the waits between them
	// a server may be away for about half a minute.
	tries       = 6
	firstWait   = time.Second
	longestWait = 15 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes: whoever answers may
	// not be who we think it is.
	maxAnswer = 8 << 20
)

// Options are where a server is and how to talk to it.
type Options struct {
	URL       string        // without a slash at its end
	Key       secret.String // empty sends none
	UserAgent string
	// Wrap puts tracing round the transport; nil leaves it bare.
	Wrap func(http.RoundTripper) http.RoundTripper
	// Retrying hears of each attempt that went wrong and how long the next one
	// is waited for; nil hears nothing.
	Retrying func(err error, wait time.Duration)
}

// Client talks to one server. It may be used from several goroutines.
type Client struct {
	Options
	http      *http.Client
	firstWait time.Duration // shorter in tests
}

// New returns a client of the server at o.URL. Proxies and private authorities
// come from the usual variables: HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE.
func New(o Options) *Client {
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		// A plan is not sent before the server has said that it wants it: a wrong
		// key costs no gigabyte, and no second run of terraform show.
		ExpectContinueTimeout:  time.Second,
		OnProxyConnectResponse: refusedByProxy,
	}
	var rt http.RoundTripper = transport
	if o.Wrap != nil {
		rt = o.Wrap(rt)
	}
	return &Client{Options: o, firstWait: firstWait, http: &http.Client{
		Transport: rt,
		// net/http would turn a redirected POST into a GET, and carry the key to
		// wherever it is sent.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Scan is one upload.
type Scan struct {
	Stack       string
	Correlation string
	Metadata    string // the value of MetadataHeader; empty sends none
	Plan        Source
}

// Upload sends a plan and returns what the server made of it. An error is an
// *[APIError] when the server refused, a *[SourceError] when the plan could not
// be read, and what ended ctx when that did.
func (c *Client) Upload(ctx context.Context, scan Scan) (*Answer, error) {
	return c.post(ctx, scan, nil, func() *body { return compressed(ctx, scan.Plan) })
}

// ReportError records that the scan of a stack failed, so that nobody takes
// silence for good news. message is what went wrong.
func (c *Client) ReportError(ctx context.Context, scan Scan, message string) (*Answer, error) {
	payload, err := errorPayload(message)
	if err != nil {
		return nil, err
	}
	return c.post(ctx, scan, url.Values{"status": {"errored"}}, func() *body { return plain(payload) })
}

// post sends the same thing until it is answered, refused or not worth trying
// any more.
func (c *Client) post(ctx context.Context, scan Scan, query url.Values, newBody func() *body) (*Answer, error) {
	if query == nil {
		query = url.Values{}
	}
	query.Set("stack", scan.Stack)
	target := c.URL + "/api/v1/scans?" + query.Encode()
	return retry(ctx, c, func() (*Answer, error) { return c.once(ctx, target, scan, newBody()) })
}

// once sends one request and reads its answer.
func (c *Client) once(ctx context.Context, target string, scan Scan, b *body) (*Answer, error) {
	defer b.abandon()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, b)
	if err != nil {
		return nil, fmt.Errorf("the server's address: %w", err)
	}
	req.ContentLength = b.length
	req.Header.Set("Content-Type", "application/json")
	if b.encoding != "" {
		req.Header.Set("Content-Encoding", b.encoding)
	}
	req.Header.Set("Expect", "100-continue")
	c.sign(req, scan.Correlation)
	if scan.Metadata != "" {
		req.Header.Set(MetadataHeader, scan.Metadata)
	}
	resp, err := c.http.Do(req)
	// What made the plan unreadable explains the request better than what the
	// connection says about its end; and a plan that was cut short is no success,
	// whatever was answered.
	if failure := b.failure(); failure != nil {
		if err == nil {
			resp.Body.Close()
		}
		return nil, failure
	}
	if err != nil {
		return nil, unreachable(c.URL, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, unreachable(c.URL, err)
	}
	return c.read(resp, text, scan.Correlation)
}

// sign says who asks, and for what run.
func (c *Client) sign(req *http.Request, correlationID string) {
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.UserAgent)
	req.Header.Set(correlation.Header, correlationID)
	if !c.Key.IsZero() {
		req.Header.Set("X-Api-Key", c.Key.Reveal())
	}
}

// link is where a person finds what path names on this server.
func (c *Client) link(path string) string {
	switch {
	case strings.HasPrefix(path, "/"):
		return c.URL + path
	case strings.HasPrefix(path, "https://"), strings.HasPrefix(path, "http://"):
		return path // the server knows where people reach it
	default:
		return ""
	}
}
