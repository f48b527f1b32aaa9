package drift_test

import (
	"testing"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// TestDecisions holds every pair of statuses against the rules, written out.
func TestDecisions(t *testing.T) {
	t.Parallel()
	type step struct{ from, to drift.Status }
	allowed := map[step]bool{
		{drift.Detected, drift.Triaged}:  true,
		{drift.Detected, drift.Approved}: true,
		{drift.Detected, drift.Rejected}: true,
		{drift.Triaged, drift.Approved}:  true,
		{drift.Triaged, drift.Rejected}:  true,
		{drift.Approved, drift.Resolved}: true,
		{drift.Rejected, drift.Resolved}: true,
	}
	everything := append(drift.Statuses(), "", "open")
	for _, from := range everything {
		for _, to := range everything {
			if got, want := from.CanBecome(to), allowed[step{from, to}]; got != want {
				t.Errorf("%q.CanBecome(%q) = %v, want %v", from, to, got, want)
			}
		}
	}
}
