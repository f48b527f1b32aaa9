package postgres_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// waitForLock returns once somebody waits for a lock of this database.
func waitForLock(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	for query(t, conn, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)[0][0] == "0" {
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUploadsForOneStackWaitForEachOther(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	r := resource("a", "1")
	second := make(chan applied, 1)
	err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
		if _, err := applyIn(t.Context(), tx, "s", noon, report(noon), []*drift.Resource{r}); err != nil {
			return err
		}
		go func() { second <- apply(t, db, "s", noon.Add(time.Minute), report(noon), r, resource("b", "1")) }()
		waitForLock(t, conn)
		// Another stack waits for nobody.
		apply(t, db, "other", noon, report(noon), r)
		return nil
	})
	if err != nil {
		t.Fatalf("InTx() = %v", err)
	}
	if got := <-second; len(got.outcome.Known) != 1 || len(got.opened) != 1 {
		t.Errorf("the second upload found %+v, want the first one's drift known and one new", got.outcome)
	}
	wantRows(t, conn, `SELECT k.name, d.address, count(*) FROM drifts d JOIN stacks k ON k.id = d.stack_id GROUP BY 1, 2 ORDER BY 1, 2`,
		[]string{"other", "a", "1"}, []string{"s", "a", "1"}, []string{"s", "b", "1"})
	wantCounts(t, conn)
}

func TestDecisionsWaitForUploads(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	id := apply(t, db, "s", noon, report(noon), resource("a", "1")).opened[0]
	decided := make(chan error, 1)
	err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
		if _, err := applyIn(t.Context(), tx, "s", noon.Add(time.Minute), report(noon), nil); err != nil {
			return err
		}
		go func() {
			_, err := decide(t, db, id, postgres.Decision{Action: audit.Triaged, To: drift.Triaged, At: noon, Actor: alice})
			decided <- err
		}()
		waitForLock(t, conn)
		return nil
	})
	if err != nil {
		t.Fatalf("InTx() = %v", err)
	}
	// The upload resolved it; the decision came too late and saw that.
	if err := <-decided; err == nil {
		t.Error("Decide() of a drift that was resolved meanwhile = nil, want a conflict")
	}
	wantRows(t, conn, `SELECT status FROM drifts`, []string{"resolved"})
	wantCounts(t, conn)
}
