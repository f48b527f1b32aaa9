package postgres_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// decide moves a drift to another status.
func decide(tb testing.TB, db *postgres.DB, id uuid.UUID, d postgres.Decision) (*postgres.Drift, error) {
	tb.Helper()
	var after *postgres.Drift
	err := db.InTx(tb.Context(), func(tx *postgres.Tx) error {
		before, err := tx.LockDrift(tb.Context(), id)
		if err != nil {
			return err
		}
		after, err = tx.Decide(tb.Context(), before, d)
		return err
	})
	return after, err
}

var alice = audit.Actor{Name: "user:alice@example.com", ClientAddress: "203.0.113.7", UserAgent: "curl/8"}

func TestDecisionsMoveADriftAndSayWho(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	r := resource("aws_security_group.a", "1")
	id := apply(t, db, "s", noon, report(noon), r).opened[0]
	apply(t, db, "s", noon.Add(time.Hour), report(noon), r)

	until := noon.AddDate(0, 1, 0)
	steps := []postgres.Decision{
		{Action: audit.Triaged, To: drift.Triaged, At: noon.Add(2 * time.Hour)},
		{Action: audit.Rejected, To: drift.Rejected, At: noon.Add(3 * time.Hour), Reason: "known for years", Until: until},
		{Action: audit.Resolved, To: drift.Resolved, At: noon.Add(4 * time.Hour), Reason: "code follows reality"},
	}
	for i, step := range steps {
		step.Actor, step.IDs = alice, correlation.IDs{Correlation: "c1", Trace: "t1", Span: "s1"}
		got, err := decide(t, db, id, step)
		if err != nil {
			t.Fatalf("Decide(%s) = %v", step.To, err)
		}
		if got.Status != step.To || !got.StatusChangedAt.Equal(step.At) || !got.AcknowledgedAt.Equal(steps[0].At) {
			t.Errorf("Decide(%s) = %+v, want it there since %v and acknowledged by the first", step.To, got, step.At)
		}
		if quiet := i == 1; got.QuietUntil.Equal(until) != quiet {
			t.Errorf("Decide(%s) has QuietUntil %v", step.To, got.QuietUntil)
		}
		wantCounts(t, conn)
	}
	got, err := db.Drift(t.Context(), id)
	if err != nil {
		t.Fatalf("Drift() = %v", err)
	}
	if got.Resolution != "resolved" || !got.ResolvedAt.Equal(noon.Add(4*time.Hour)) || got.TimesSeen != 2 || !got.LastSeenAt.Equal(noon.Add(time.Hour)) {
		t.Errorf("Drift() = %+v, want it resolved and seen twice, an hour after noon", got)
	}

	timeline, more, err := db.Timeline(t.Context(), id, postgres.EventQuery{Limit: 10})
	if err != nil || more || len(timeline) != 4 {
		t.Fatalf("Timeline() = %v, %v, %v, want four events", timeline, more, err)
	}
	want := audit.Event{
		ID: timeline[2].ID, At: noon.Add(3 * time.Hour), Action: audit.Rejected, Actor: alice, StackID: got.StackID, DriftID: id,
		From: "triaged", To: "rejected", Reason: "known for years", Until: until, IDs: correlation.IDs{Correlation: "c1", Trace: "t1", Span: "s1"},
	}
	if diff := cmp.Diff(want, timeline[2]); diff != "" {
		t.Errorf("Timeline() (-want +got):\n%s", diff)
	}
	rest, more, err := db.Timeline(t.Context(), id, postgres.EventQuery{After: timeline[0].ID, Limit: 2})
	if err != nil || !more || rest[0].ID != timeline[1].ID {
		t.Errorf("Timeline(after the first) = %v, %v, %v, want the second, the third and more", rest, more, err)
	}
	if _, err := decide(t, db, id, steps[0]); fault.KindOf(err) != fault.Conflict {
		t.Errorf("Decide() of a resolved drift = %v, want a conflict", err)
	}
}

func TestMissingThingsAreNotFound(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	_, errDrift := db.Drift(t.Context(), uuid.New())
	_, _, errTimeline := db.Timeline(t.Context(), uuid.New(), postgres.EventQuery{Limit: 1})
	_, errScan := db.Scan(t.Context(), uuid.New())
	_, errStack := db.Stack(t.Context(), "nowhere")
	_, errDecide := decide(t, db, uuid.New(), postgres.Decision{})
	for what, err := range map[string]error{
		"Drift": errDrift, "Timeline": errTimeline, "Scan": errScan, "Stack": errStack, "LockDrift": errDecide,
	} {
		if fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s() = %v, want NotFound", what, err)
		}
	}
}

func TestAFailedTransactionLeavesNothing(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	id := apply(t, db, "s", noon, report(noon), resource("a", "1")).opened[0]
	no := errors.New("no")
	err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
		d, err := tx.LockDrift(t.Context(), id)
		if err != nil {
			return err
		}
		if _, err := tx.Decide(t.Context(), d, postgres.Decision{Action: audit.Triaged, To: drift.Triaged, At: noon, Actor: alice}); err != nil {
			return err
		}
		return no
	})
	if !errors.Is(err, no) {
		t.Errorf("InTx() = %v, want the error of what it ran", err)
	}
	wantRows(t, conn, `SELECT status, (SELECT count(*) FROM events) FROM drifts`, []string{"detected", "1"})
	wantCounts(t, conn)
}

func TestRecordEvent(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
		return tx.RecordEvent(t.Context(), audit.Event{
			At: noon, Action: audit.UserCreated, Actor: alice, Detail: []byte(`{"email":"bob@example.com"}`), IDs: correlation.IDs{Correlation: "c"},
		})
	})
	if err != nil {
		t.Fatalf("RecordEvent() = %v", err)
	}
	wantRows(t, conn, `SELECT action, actor, detail->>'email', drift_id, client_address FROM events`,
		[]string{"user_created", "user:alice@example.com", "bob@example.com", "", "203.0.113.7"})
}
