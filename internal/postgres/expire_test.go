package postgres_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

func TestRejectionsEnd(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	s := apply(t, db, "s", noon, report(noon), resource("a", "1"), resource("b", "1"), resource("c", "1"), resource("d", "1"))
	other := apply(t, db, "other", noon, report(noon), resource("a", "1"))
	reject := func(id uuid.UUID, until time.Time) {
		t.Helper()
		d := postgres.Decision{Action: audit.Rejected, To: drift.Rejected, At: noon, Reason: "known for years", Until: until, Actor: alice}
		if _, err := decide(t, db, id, d); err != nil {
			t.Fatal(err)
		}
	}
	reject(s.opened[0], noon.AddDate(0, 0, 2))
	reject(s.opened[1], noon.AddDate(0, 0, 3))
	reject(s.opened[2], time.Time{}) // for good
	reject(other.opened[0], noon.AddDate(0, 0, 1))
	stackOf := func(id uuid.UUID) uuid.UUID {
		d, err := db.Drift(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return d.StackID
	}
	stackS, stackOther := stackOf(s.opened[0]), stackOf(other.opened[0])
	expired := func(at time.Time, limit int, want ...uuid.UUID) {
		t.Helper()
		got, err := db.ExpiredRejections(t.Context(), at, limit)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("ExpiredRejections(%v) = %v, %v, want %v", at, got, err, want)
		}
	}
	expired(noon.AddDate(0, 0, 1).Add(-time.Millisecond), 10)
	expired(noon.AddDate(0, 0, 1), 10, stackOther)
	expired(noon.AddDate(0, 0, 3), 10, stackOther, stackS)
	expired(noon.AddDate(0, 0, 3), 1, stackOther)

	at := noon.AddDate(0, 0, 2)
	for _, want := range [][]uuid.UUID{{s.opened[0]}, {}} { // the second time there is nothing left
		inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
			got, err := tx.ReopenExpired(ctx, stackS, at, caller)
			if err == nil && !slices.Equal(got, want) {
				t.Errorf("ReopenExpired() = %v, want %v", got, want)
			}
			return err
		})
	}
	wantCounts(t, conn)
	wantRows(t, conn, `SELECT address, status, quiet_until IS NULL FROM drifts d JOIN stacks k ON k.id = d.stack_id WHERE k.name = 's' ORDER BY 1`,
		[]string{"a", "detected", "t"}, []string{"b", "rejected", "f"}, []string{"c", "rejected", "t"}, []string{"d", "detected", "t"})
	timeline, _, err := db.Timeline(t.Context(), s.opened[0], postgres.EventQuery{Limit: 10})
	if err != nil || len(timeline) != 3 {
		t.Fatalf("Timeline() = %v, %v, want three events", timeline, err)
	}
	want := audit.Event{
		ID: timeline[2].ID, At: at, Action: audit.Reopened, Actor: audit.System(), StackID: stackS, DriftID: s.opened[0],
		From: "rejected", To: "detected", Reason: "the date of the rejection has passed", IDs: caller,
	}
	if diff := cmp.Diff(want, timeline[2]); diff != "" {
		t.Errorf("Timeline() (-want +got):\n%s", diff)
	}
	d, err := db.Drift(t.Context(), s.opened[0])
	if err != nil || !d.StatusChangedAt.Equal(at) || d.TimesSeen != 1 {
		t.Errorf("Drift() = %+v, %v, want it seen once and detected since %v", d, err, at)
	}
}
