package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// told is what a naive reader of all reports would say of an open drift.
type told struct {
	Status    drift.Status
	TimesSeen int64
	LastSeen  time.Time
	Value     string
}

// TestARandomHistory stores random reports and decisions and compares what is
// read back with a model that touches every drift each time, which is what the
// store's coverage saves.
func TestARandomHistory(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			db, conn := open(t)
			rng := rand.New(rand.NewPCG(seed, 3))
			model := make(map[drift.Key]*told)
			for step := range 40 {
				at := noon.Add(time.Duration(step) * time.Minute)
				if step%4 == 3 {
					decideAtRandom(t, db, rng, model, at)
				} else {
					reportAtRandom(t, db, rng, model, at)
				}
				wantModel(t, db, model)
			}
			wantCounts(t, conn)
		})
	}
}

func reportAtRandom(t *testing.T, db *postgres.DB, rng *rand.Rand, model map[drift.Key]*told, at time.Time) {
	t.Helper()
	rep := report(at)
	rep.Pending = rng.IntN(2) == 0
	if rng.IntN(3) == 0 {
		rep.Status = drift.Incomplete
	}
	var resources []*drift.Resource
	seen := make(map[drift.Key]bool)
	for i := range 8 {
		r := resource(fmt.Sprintf("r%d", i), fmt.Sprint(rng.IntN(6)/5))
		r.Severity = drift.Severities()[rng.IntN(3)]
		if r.Origin = drift.Origins()[i%2]; r.Origin == drift.Pending && !rep.Pending || rng.IntN(3) == 0 {
			continue
		}
		resources = append(resources, r)
		seen[r.Key()] = true
		m := model[r.Key()]
		value := r.News[0].After.JSON()
		switch {
		case m == nil:
			model[r.Key()] = &told{Status: drift.Detected, TimesSeen: 1, LastSeen: at, Value: value}
			continue
		case m.Value != value && m.Status == drift.Rejected:
			m.Status = drift.Detected
		}
		m.TimesSeen, m.LastSeen, m.Value = m.TimesSeen+1, at, value
	}
	for k := range model {
		if !seen[k] && rep.Covers(k.Origin) {
			delete(model, k)
		}
	}
	apply(t, db, "s", at, rep, resources...)
}

func decideAtRandom(t *testing.T, db *postgres.DB, rng *rand.Rand, model map[drift.Key]*told, at time.Time) {
	t.Helper()
	page, _, err := db.Drifts(t.Context(), postgres.DriftQuery{Statuses: openStatuses(), Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range page {
		to := drift.Statuses()[rng.IntN(5)]
		if to == d.Status {
			continue
		}
		if _, err := decide(t, db, d.ID, postgres.Decision{Action: audit.Triaged, To: to, At: at, Actor: alice}); err != nil {
			t.Fatalf("Decide(%s) = %v", to, err)
		}
		k := drift.Key{Origin: d.Origin, Address: d.Address}
		if model[k].Status = to; to == drift.Resolved {
			delete(model, k)
		}
	}
}

func openStatuses() []drift.Status {
	return []drift.Status{drift.Detected, drift.Triaged, drift.Approved, drift.Rejected}
}

func wantModel(t *testing.T, db *postgres.DB, model map[drift.Key]*told) {
	t.Helper()
	got := make(map[drift.Key]*told)
	for _, d := range walk(t, db, postgres.DriftQuery{Statuses: openStatuses(), Limit: 100}, nil) {
		got[drift.Key{Origin: d.Origin, Address: d.Address}] = &told{d.Status, d.TimesSeen, d.LastSeenAt, string(d.Changes)}
	}
	want := make(map[drift.Key]*told)
	for k, m := range model {
		w := *m
		w.Value = `[{"path":"name","before":"old","after":` + m.Value + `}]`
		want[k] = &w
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("open drifts (-model +store):\n%s", diff)
	}
}
