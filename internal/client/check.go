package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Check asks the server who we are to it, so that a wrong address or key shows
// before a plan is made. Its errors are those of [Client.Upload].
func (c *Client) Check(ctx context.Context, correlationID string) error {
	_, err := retry(ctx, c, func() (struct{}, error) { return struct{}{}, c.checkOnce(ctx, correlationID) })
	return err
}

func (c *Client) checkOnce(ctx context.Context, correlationID string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+"/api/v1/me", http.NoBody)
	if err != nil {
		return fmt.Errorf("the server's address: %w", err)
	}
	c.sign(req, correlationID)
	resp, err := c.http.Do(req)
	if err != nil {
		return unreachable(c.URL, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return unreachable(c.URL, err)
	}
	if resp.StatusCode != http.StatusOK {
		return c.refusal(resp, text)
	}
	var me struct {
		Kind string `json:"kind"`
	}
	if media, isJSON := mediaOf(resp); json.Unmarshal(text, &me) != nil || !isJSON || me.Kind == "" {
		return fmt.Errorf("%s answered, but not as a DriftSentry does (%s); is DRIFTSENTRY_URL right?", c.URL, kindOf(media, text))
	}
	return nil
}
