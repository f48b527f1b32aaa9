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
)

// demoClient asks the demo's own server, as a script would.
type demoClient struct {
	url  string
	http *http.Client
}

type demoReceipt struct {
	Counts struct{ Resources, Detected, Known, Reopened, Resolved, Noise int }
}

type demoDrift struct {
	ID, Stack, Address, SeverityReason string
	Severity                           drift.Severity
	Origin                             drift.Origin
}

func (c demoClient) upload(ctx context.Context, stack string, plan []byte) (demoReceipt, error) {
	var receipt demoReceipt
	err := c.do(ctx, http.MethodPost, "/api/v1/scans?stack="+url.QueryEscape(stack), plan, &receipt)
	return receipt, err
}

// worst lists a few open drifts from outside, the worst first.
func (c demoClient) worst(ctx context.Context) ([]demoDrift, error) {
	var page struct{ Items []demoDrift }
	err := c.do(ctx, http.MethodGet, "/api/v1/drifts?status=detected&origin=outside&sort=-severity&limit=8", nil, &page)
	return page.Items, err
}

func (c demoClient) do(ctx context.Context, method, path string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("ask the demo's server: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask the demo's server: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", path, err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s answered %s: %s", method, path, resp.Status, answer)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("decode the answer of %s: %w", path, err)
	}
	return nil
}
