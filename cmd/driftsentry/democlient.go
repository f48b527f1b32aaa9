package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/secret"
)

// demoClient asks the demo's own server, as a script would.
type demoClient struct {
	url  string
	key  secret.String
	http *http.Client
}

type demoReceipt struct {
	ByOrigin map[drift.Origin]demoCounts
}

type demoCounts struct{ Detected, Known, Reopened, Resolved, Noise int }

type demoDrift struct {
	ID, Stack, Address, SeverityReason string
	Severity                           drift.Severity
	Origin                             drift.Origin
}

// upload sends a plan; before says that it had come before, and that the
// receipt is the one of then.
func (c demoClient) upload(ctx context.Context, stack string, plan []byte) (receipt demoReceipt, before bool, err error) {
	status, err := c.do(ctx, http.MethodPost, "/api/v1/scans?stack="+url.QueryEscape(stack), plan, &receipt)
	return receipt, status == http.StatusOK, err
}

// worst lists a few open drifts from outside, the worst first.
func (c demoClient) worst(ctx context.Context) ([]demoDrift, error) {
	var page struct{ Items []demoDrift }
	_, err := c.do(ctx, http.MethodGet, "/api/v1/drifts?status=detected&origin=outside&sort=-severity&limit=8", nil, &page)
	return page.Items, err
}

func (c demoClient) do(ctx context.Context, method, path string, body []byte, into any) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("ask the demo's server: %w", err)
	}
	req.Header.Set("X-API-Key", c.key.Reveal())
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, fmt.Errorf("ask the demo's server: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, fmt.Errorf("read the answer of %s: %w", path, err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return 0, fmt.Errorf("%s %s answered %s: %s", method, path, resp.Status, answer)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return 0, fmt.Errorf("decode the answer of %s: %w", path, err)
	}
	return resp.StatusCode, nil
}
