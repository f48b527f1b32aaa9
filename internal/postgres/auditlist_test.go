package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// storedEvents writes some of every kind and returns what is there, newest
// first, with the names of the stacks.
func storedEvents(t *testing.T, db *postgres.DB) []audit.Event {
	t.Helper()
	for i, stack := range []string{"a", "b", "a"} {
		at := noon.Add(time.Duration(i) * time.Hour)
		opened := apply(t, db, stack, at, report(at), resource(fmt.Sprint("x", i), "1"), resource("y", "1")).opened
		d := postgres.Decision{Action: audit.Triaged, To: drift.Triaged, At: at.Add(time.Minute), Actor: alice, IDs: correlation.IDs{Correlation: "corr-a"}}
		if _, err := decide(t, db, opened[0], d); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 6 {
		inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
			return tx.RecordEvent(ctx, audit.Event{
				At: noon.Add(time.Duration(i) * 20 * time.Minute), Action: []audit.Action{audit.LoggedIn, audit.LoginFailed}[i%2],
				Actor: []audit.Actor{alice, {Name: audit.Anonymous}, {Name: "key:ci"}}[i%3], IDs: correlation.IDs{Correlation: fmt.Sprint("c", i%2)},
			})
		})
	}
	all, more, err := db.Events(t.Context(), postgres.AuditQuery{Limit: 100})
	if err != nil || more || len(all) != 15 {
		t.Fatalf("Events() = %d events, %v, %v, want all 15", len(all), more, err)
	}
	return all
}

// TestEventsAreFiltered asks for every combination of filters, page by page,
// and compares with the same done in memory.
func TestEventsAreFiltered(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	all := storedEvents(t, db)
	if !slices.IsSortedFunc(all, func(a, b audit.Event) int { return strings.Compare(b.ID.String(), a.ID.String()) }) {
		t.Errorf("Events() = %v, want the newest first", all)
	}
	if all[0].Actor != alice || all[0].Stack != "a" || all[0].Action != audit.Triaged {
		t.Errorf("Events()[0] = %+v, want alice's last decision about stack a", all[0])
	}
	triaged := all[0].DriftID
	queries, found := 0, 0
	for _, actions := range [][]audit.Action{nil, {audit.Triaged}, {audit.LoggedIn, audit.LoginFailed, audit.Detected}} {
		for _, actor := range []string{"", alice.Name, "key:ci", "nobody"} {
			for _, stack := range []string{"", "a", "b", "nowhere"} {
				for _, corr := range []string{"", "corr-a", "c0"} {
					for _, id := range []uuid.UUID{uuid.Nil, triaged} {
						for _, since := range []time.Time{{}, noon.Add(20 * time.Minute)} {
							for _, until := range []time.Time{{}, noon.Add(time.Hour + time.Minute)} {
								q := postgres.AuditQuery{Actions: actions, Actor: actor, Stack: stack, Correlation: corr, DriftID: id, Since: since, Until: until}
								found += wantEvents(t, db, q, all)
								queries++
							}
						}
					}
				}
			}
		}
	}
	if queries != 1152 || found < 400 {
		t.Errorf("%d queries found %d events, want many of both", queries, found)
	}
}

// wantEvents compares the pages of a query with what fits among all.
func wantEvents(t *testing.T, db *postgres.DB, q postgres.AuditQuery, all []audit.Event) int {
	t.Helper()
	var want, got []uuid.UUID
	for _, e := range all {
		if (len(q.Actions) == 0 || slices.Contains(q.Actions, e.Action)) && (q.Actor == "" || q.Actor == e.Actor.Name) &&
			(q.Stack == "" || q.Stack == e.Stack) && (q.Correlation == "" || q.Correlation == e.IDs.Correlation) &&
			(q.DriftID == uuid.Nil || q.DriftID == e.DriftID) && !e.At.Before(q.Since) && (q.Until.IsZero() || e.At.Before(q.Until)) {
			want = append(want, e.ID)
		}
	}
	for q.Limit = 5; ; {
		page, more, err := db.Events(t.Context(), q)
		if err != nil {
			t.Fatalf("Events(%+v) = %v", q, err)
		}
		for i := range page {
			got = append(got, page[i].ID)
		}
		if !more {
			break
		}
		q.After = got[len(got)-1]
	}
	if !slices.Equal(got, want) {
		t.Errorf("Events(%+v) = %v, want %v", q, got, want)
	}
	return len(got)
}

func TestEventsOfBadText(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	for name, q := range map[string]postgres.AuditQuery{
		"actor": {Actor: "a\x00b"}, "correlation": {Correlation: "a\x00b"}, "stack": {Stack: "a\x00b"}, "actions": {Actions: []audit.Action{"\x00"}},
		"not UTF-8": {Actor: "\xff"},
	} {
		q.Limit = 1
		if _, _, err := db.Events(t.Context(), q); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Events(%s) = %v, want Invalid", name, err)
		}
	}
	quoted := `x' OR '1'='1`
	if page, _, err := db.Events(t.Context(), postgres.AuditQuery{Actor: quoted, Stack: quoted, Correlation: quoted, Limit: 1}); err != nil || len(page) != 0 {
		t.Errorf("Events(SQL) = %v, %v, want nothing", page, err)
	}
}
