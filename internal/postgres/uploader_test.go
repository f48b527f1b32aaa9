package postgres_test

import (
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// TestEventsOfUploadsSayWhereFrom writes every kind of event an upload can, and
// one that nobody asked for, which came from nowhere.
func TestEventsOfUploadsSayWhereFrom(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	a := apply(t, db, "s", noon, report(noon), resource("a", "1"), resource("b", "1"), resource("c", "1"))
	reject := postgres.Decision{Action: audit.Rejected, To: drift.Rejected, At: noon.Add(time.Minute), Actor: alice}
	if _, err := decide(t, db, a.opened[0], reject); err != nil {
		t.Fatal(err)
	}
	moved := resource("b2", "1")
	moved.PreviousAddress = "b"
	apply(t, db, "s", noon.Add(time.Hour), report(noon.Add(time.Hour)), resource("a", "2"), moved, resource("d", "1"))
	wantRows(t, conn, `SELECT action, count(*) FROM events WHERE actor = 'key:ci' AND client_address = '203.0.113.9' AND user_agent = 'driftsentry/1.0'
		GROUP BY action ORDER BY action`,
		[]string{"changed", "1"}, []string{"detected", "4"}, []string{"moved", "1"}, []string{"reopened", "1"}, []string{"resolved", "1"})

	reject.At, reject.Until = noon.Add(2*time.Hour), noon.Add(3*time.Hour)
	if _, err := decide(t, db, a.opened[0], reject); err != nil {
		t.Fatal(err)
	}
	stacks, err := db.ExpiredRejections(t.Context(), noon.Add(4*time.Hour), 1)
	if err != nil || len(stacks) != 1 {
		t.Fatalf("ExpiredRejections() = %v, %v, want the stack", stacks, err)
	}
	err = db.InTx(t.Context(), func(tx *postgres.Tx) error {
		_, err := tx.ReopenExpired(t.Context(), stacks[0], noon.Add(4*time.Hour), correlation.IDs{Correlation: "c"})
		return err
	})
	if err != nil {
		t.Fatalf("ReopenExpired() = %v", err)
	}
	wantRows(t, conn, `SELECT action, count(client_address), count(user_agent) FROM events WHERE actor = 'system' GROUP BY action`,
		[]string{"reopened", "0", "0"})
}
