package jobs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"github.com/driftsentry/driftsentry/internal/jobs"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

// sends is work that says who did it.
func sends[T any](c chan<- T, who T) func(context.Context) error {
	return func(context.Context) error { c <- who; return nil }
}

// jobPool is connections for a test to look at the queue.
func jobPool(t *testing.T, db *postgres.DB) *postgres.JobPool {
	t.Helper()
	pool, err := db.JobPool(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// rows are the queue's, oldest first.
func rows(t *testing.T, db *postgres.DB) []*rivertype.JobRow {
	t.Helper()
	client, err := river.NewClient(riverpgxv5.New(jobPool(t, db).Pool), &river.Config{})
	if err != nil {
		t.Fatal(err)
	}
	list, err := client.JobList(t.Context(), river.NewJobListParams().First(1000))
	if err != nil {
		t.Fatal(err)
	}
	return list.Jobs
}

func TestEveryPeriodHasOneRun(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	runs := make(chan int, 1000)
	var replicas []*replica
	for i := range 2 {
		r := replicaOf(t, address, jobs.Task{Name: "tick", Every: time.Second, Work: sends(runs, i)})
		replicas = append(replicas, r)
		r.Start()
	}
	const periods = 5
	for range periods {
		receive(t, runs, "run")
	}
	for _, r := range replicas {
		r.stop(t)
	}
	done, seen := 0, make(map[time.Time]bool)
	for i, row := range rows(t, replicas[0].db) {
		if row.State == rivertype.JobStateCompleted {
			done++
		}
		if row.State != rivertype.JobStateAvailable && row.Attempt != 1 {
			t.Errorf("the run of %v is %s after %d attempts, want 1", row.ScheduledAt, row.State, row.Attempt)
		}
		if strings.Contains(string(row.Metadata), "snoozes") {
			continue // it met the run before it, and has another time now
		}
		this := row.ScheduledAt.Truncate(time.Second)
		if seen[this] {
			t.Errorf("two runs for the period %v", this)
		}
		// Later ones may belong to the other leader, after a pause.
		if i > 0 && i < periods && len(seen) == i && !seen[this.Add(-time.Second)] {
			t.Errorf("no run for the period before %v", this)
		}
		seen[this] = true
	}
	if want := periods + len(runs); done != want {
		t.Errorf("the queue has %d finished runs, want %d", done, want)
	}
}

// TestANewLeaderRepeatsNothing: it enqueues the period that has begun, in case
// nobody did, but somebody did.
func TestANewLeaderRepeatsNothing(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	rare, ticks := make(chan int, 1000), make(chan int, 1000)
	for i := range 2 {
		r := replicaOf(t, address,
			jobs.Task{Name: "rare", Every: 1000 * 24 * time.Hour, Work: sends(rare, i)},
			jobs.Task{Name: "tick", Every: time.Second, Work: sends(ticks, i)})
		r.Start()
		if i == 0 {
			receive(t, rare, "run of the rare task")
		}
		for receive(t, ticks, "tick") != i {
			continue
		}
		receive(t, ticks, "later tick")
		r.stop(t)
	}
	if len(rare) > 0 {
		t.Errorf("the leader %d repeated a run of the leader before it", <-rare)
	}
}

// TestAnotherReplicaTakesOver kills the leader as a power cut does: it cannot
// say that it goes.
func TestAnotherReplicaTakesOver(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	network := newLine(t, address)
	runs := make(chan string, 1000)
	leader := replicaOf(t, network.address, jobs.Task{Name: "tick", Every: time.Second, Work: sends(runs, "leader")})
	t.Cleanup(network.mend) // else giving up the lead would be tried for long
	leader.Start()
	receive(t, runs, "run of the only replica")

	other := replicaOf(t, address, jobs.Task{Name: "tick", Every: time.Second, Work: sends(runs, "other")})
	other.Start()
	network.cut()
	// As if the quarter of a minute had passed for which a leader is trusted.
	if _, err := jobPool(t, other.db).Exec(t.Context(), `UPDATE river_leader SET expires_at = now()`); err != nil {
		t.Fatal(err)
	}
	for receive(t, runs, "run of the other replica") != "other" {
		continue // what the leader had fetched before
	}
	receive(t, leader.trouble, "trouble of the one that was cut off")
}

func TestWhatGoesWrongIsReportedAndTriedAgain(t *testing.T) {
	t.Parallel()
	tries := make(chan int, 10)
	tries <- 1
	r := replicaOf(t, pgtest.URL(t),
		jobs.Task{Name: "fails-once", Every: time.Hour, Work: func(context.Context) error {
			if try := <-tries; try == 1 {
				tries <- try + 1
				return errors.New("planted-secret")
			}
			return nil
		}},
		jobs.Task{Name: "panics", Every: time.Hour, Work: func(context.Context) error { panic("planted-panic") }},
		jobs.Task{Name: "dawdles", Every: time.Hour, Timeout: 10 * time.Millisecond, Work: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}},
	)
	r.Start()
	first := make(map[string]string)
	for again := false; !again || len(first) < 3; {
		got := receive(t, r.reports, "report")
		if _, seen := first[got.task]; seen && got.task == "fails-once" {
			if got.err != nil {
				t.Errorf("the second try ended with %v, want nil", got.err)
			}
			again = true
		} else if !seen && got.err != nil {
			first[got.task] = got.err.Error()
		}
	}
	if diff := cmp.Diff(map[string]string{
		"fails-once": "planted-secret", "panics": "panic: planted-panic", "dawdles": "not done within 10ms: context deadline exceeded",
	}, first); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
	r.stop(t)
	failed := 0
	for _, row := range rows(t, r.db) {
		for _, e := range row.Errors {
			failed++
			if strings.Contains(e.Error+e.Trace, "planted") {
				t.Errorf("the queue keeps %q, which may be a secret", e.Error+e.Trace)
			}
		}
	}
	if failed < 3 {
		t.Errorf("the queue knows of %d failed runs, want 3 or more", failed)
	}
}

func TestTasksAreChecked(t *testing.T) {
	t.Parallel()
	db := open(t, pgtest.URL(t))
	task := jobs.Task{Name: "tick", Every: time.Minute, Work: func(context.Context) error { return nil }}
	for _, tc := range []struct {
		name   string
		change func(*jobs.Task)
	}{
		{"no name", func(t *jobs.Task) { t.Name = "" }},
		{"a name twice", func(t *jobs.Task) { t.Name = "other" }},
		{"too often", func(t *jobs.Task) { t.Every = 999 * time.Millisecond }},
		{"no whole seconds", func(t *jobs.Task) { t.Every = 1500 * time.Millisecond }},
		{"time runs forwards", func(t *jobs.Task) { t.Timeout = -1 }},
		{"nothing to do", func(t *jobs.Task) { t.Work = nil }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bad, other := task, task
			other.Name = "other"
			tc.change(&bad)
			if _, err := jobs.New(t.Context(), jobs.Options{DB: db, Tasks: []jobs.Task{other, bad}}); err == nil {
				t.Error("New() = nil, want an error")
			}
		})
	}
	if _, err := jobs.New(t.Context(), jobs.Options{DB: db}); err == nil {
		t.Error("New() of no tasks = nil, want an error")
	}
}
