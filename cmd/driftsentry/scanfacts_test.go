package main

import (
	"slices"
	"testing"

	"github.com/driftsentry/driftsentry/internal/ingest"
	"github.com/driftsentry/driftsentry/internal/pipeline"
)

// TestServerTakesEveryFact holds the facts that scan sends against those that the
// server takes, which refuses an upload with any other. The two share no code.
func TestServerTakesEveryFact(t *testing.T) {
	t.Parallel()
	sent, taken := slices.Sorted(slices.Values(pipeline.Keys())), slices.Sorted(slices.Values(ingest.CIKeys()))
	if !slices.Equal(sent, taken) {
		t.Errorf("scan sends %q, the server takes %q", sent, taken)
	}
}
