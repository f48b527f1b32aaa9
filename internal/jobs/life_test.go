package jobs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/driftsentry/driftsentry/internal/jobs"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

func TestStartsBeforeItsDatabase(t *testing.T) {
	t.Parallel()
	network := newLine(t, pgtest.URL(t))
	network.cut()
	runs := make(chan int, 1000)
	r := replicaOf(t, network.address, jobs.Task{Name: "tick", Every: time.Second, Work: sends(runs, 0)})
	r.Start()
	receive(t, r.trouble, "word of the missing database")
	network.mend()
	receive(t, runs, "run")
	if len(r.trouble) > 0 {
		t.Errorf("told again within a minute: %v", <-r.trouble)
	}
}

func TestStartsBeforeItsTables(t *testing.T) {
	t.Parallel()
	address := pgtest.EmptyURL(t)
	runs := make(chan int, 1000)
	r := replicaOf(t, address, jobs.Task{Name: "tick", Every: time.Second, Work: sends(runs, 0)})
	r.Start()
	if got := receive(t, r.trouble, "word of the missing tables"); !strings.Contains(got, postgres.ErrNotMigrated.Error()) {
		t.Errorf("trouble = %q, want %q", got, postgres.ErrNotMigrated)
	}
	if _, err := postgres.Migrate(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	receive(t, runs, "run")
}

func TestDatabaseGoesAndComesBack(t *testing.T) {
	t.Parallel()
	network := newLine(t, pgtest.URL(t))
	runs := make(chan int, 1000)
	r := replicaOf(t, network.address, jobs.Task{Name: "tick", Every: time.Second, Work: sends(runs, 0)})
	r.Start()
	receive(t, runs, "run")
	network.cut()
	receive(t, r.trouble, "word of the lost database")
	for len(runs) > 0 {
		<-runs
	}
	network.mend()
	receive(t, runs, "run")
	receive(t, runs, "second run")
	if len(r.trouble) > 0 {
		t.Errorf("told again within a minute: %v", <-r.trouble)
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	t.Run("not started", func(t *testing.T) {
		t.Parallel()
		replicaOf(t, pgtest.URL(t), jobs.Task{Name: "tick", Every: time.Second, Work: func(context.Context) error { return nil }}).stop(t)
	})
	t.Run("still waiting for the database", func(t *testing.T) {
		t.Parallel()
		network := newLine(t, pgtest.URL(t))
		network.cut()
		r := replicaOf(t, network.address, jobs.Task{Name: "tick", Every: time.Second, Work: func(context.Context) error { return nil }})
		r.Start()
		receive(t, r.trouble, "word of the missing database")
		r.stop(t)
	})
	t.Run("while starting", func(t *testing.T) {
		t.Parallel()
		r := replicaOf(t, pgtest.URL(t), jobs.Task{Name: "tick", Every: time.Second, Work: func(context.Context) error { return nil }})
		r.Start()
		r.stop(t)
	})
	t.Run("a run finishes", func(t *testing.T) {
		t.Parallel()
		under, release := make(chan bool), make(chan bool)
		r := replicaOf(t, pgtest.URL(t), jobs.Task{Name: "long", Every: time.Hour, Work: func(ctx context.Context) error {
			under <- true
			<-release
			return ctx.Err()
		}})
		r.Start()
		receive(t, under, "run")
		stopped := make(chan error)
		go func() { stopped <- r.Stop(context.Background()) }()
		select {
		case err := <-stopped:
			t.Fatalf("Stop() = %v before the run was done", err)
		case release <- true:
		}
		if err := receive(t, stopped, "end"); err != nil {
			t.Errorf("Stop() = %v, want nil", err)
		}
		if got := receive(t, r.reports, "report"); got.err != nil {
			t.Errorf("the run ended with %v, want nil", got.err)
		}
	})
	t.Run("a run is cancelled", func(t *testing.T) {
		t.Parallel()
		under := make(chan bool)
		r := replicaOf(t, pgtest.URL(t), jobs.Task{Name: "endless", Every: time.Hour, Work: func(ctx context.Context) error {
			under <- true
			<-ctx.Done()
			return ctx.Err()
		}})
		r.Start()
		receive(t, under, "run")
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		if err := r.Stop(ctx); err != nil {
			t.Errorf("Stop() = %v, want nil", err)
		}
		if got := receive(t, r.reports, "report"); !errors.Is(got.err, context.Canceled) {
			t.Errorf("the run ended with %v, want %v", got.err, context.Canceled)
		}
		row := rows(t, r.db)[0]
		if row.State != rivertype.JobStateAvailable || row.Attempt != 0 {
			t.Errorf("the run is %s after %d attempts, want another replica to take it", row.State, row.Attempt)
		}
	})
	t.Run("a run that does not listen is named", func(t *testing.T) {
		t.Parallel()
		under, release := make(chan bool), make(chan bool)
		r := replicaOf(t, pgtest.URL(t), jobs.Task{Name: "deaf", Every: time.Hour, Work: func(context.Context) error {
			under <- true
			<-release
			return nil
		}})
		r.Start()
		receive(t, under, "run")
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := r.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "deaf still running") {
			t.Errorf("Stop() = %v, want the name of what runs", err)
		}
		release <- true
	})
}
