package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/driftsentry/driftsentry/internal/config"
)

// healthcheckTimeout is shorter than the default timeout of container engines,
// so that the reason is printed before the probe is killed.
const healthcheckTimeout = 2 * time.Second

func (p process) healthcheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the local service whether it is alive: exit code 0 or 1",
		Long:  "Asks GET /health/live of the service on this machine, at HOST and PORT of the\nenvironment. Images without a shell use it as their health check.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			listen, err := config.LoadListen(p.env)
			if err != nil {
				return err
			}
			return askAlive(cmd.Context(), "http://"+listen.LocalAddress()+"/health/live")
		},
	}
}

func askAlive(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, healthcheckTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask %s: %w", url, err)
	}
	// A proxy from the environment must not answer for the service.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("not alive: %w", err)
	}
	if err := resp.Body.Close(); err != nil {
		return fmt.Errorf("ask %s: %w", url, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("not alive: %s answered %s", url, resp.Status)
	}
	return nil
}
