package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/jobs"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

// TestOneAtATime: what is under way elsewhere is waited for, not done twice.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	db := open(t, pgtest.URL(t))
	pool := jobPool(t, db)
	runs := 0
	opts := jobs.Options{
		DB:  db,
		Run: func(ctx context.Context, _ string, work func(context.Context) error) error { return work(ctx) },
	}
	opts.Tasks = []jobs.Task{{Name: "tick", Every: time.Minute, Work: func(ctx context.Context) error {
		runs++
		if _, ok := errors.AsType[*rivertype.JobSnoozeError](jobs.Work(ctx, opts, pool, "tick", 0)); !ok || runs != 1 {
			t.Errorf("a second run at the same time was not put off")
		}
		return nil
	}}}
	if err := jobs.Work(t.Context(), opts, pool, "tick", 0); err != nil || runs != 1 {
		t.Errorf("Work() = %v after %d runs, want nil after 1", err, runs)
	}
}

func TestWorkOfAnotherRelease(t *testing.T) {
	t.Parallel()
	opts := jobs.Options{}
	if _, ok := errors.AsType[*rivertype.JobSnoozeError](jobs.Work(t.Context(), opts, nil, "unheard-of", time.Minute)); !ok {
		t.Error("a new task was not left for a release that knows it")
	}
	if _, ok := errors.AsType[*rivertype.JobCancelError](jobs.Work(t.Context(), opts, nil, "unheard-of", 2*time.Hour)); !ok {
		t.Error("a forgotten task was not given up")
	}
}

// TestFailureLeadsToTheLog: the queue's own table shows where to read on.
func TestFailureLeadsToTheLog(t *testing.T) {
	t.Parallel()
	db := open(t, pgtest.URL(t))
	opts := jobs.Options{
		DB: db,
		Run: func(ctx context.Context, _ string, work func(context.Context) error) error {
			return work(correlation.With(ctx, correlation.IDs{Correlation: "abc123"}))
		},
		Tasks: []jobs.Task{{Name: "fails", Every: time.Minute, Work: func(context.Context) error { return errors.New("planted") }}},
	}
	err := jobs.Work(t.Context(), opts, jobPool(t, db), "fails", 0)
	if err == nil || !strings.Contains(err.Error(), "abc123") || strings.Contains(err.Error(), "planted") {
		t.Errorf("Work() = %v, want the correlation id and nothing of the failure", err)
	}
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	for every, want := range map[time.Duration]int{
		time.Second: 1, 2 * time.Second: 2, time.Minute: 3, 5 * time.Minute: 4, time.Hour: 7, 24 * time.Hour: 13, 365 * 24 * time.Hour: 25,
	} {
		if got := jobs.Attempts(every); got != want {
			t.Errorf("attempts(%v) = %d, want %d", every, got, want)
		}
	}
	at := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	if got, want := jobs.Next(time.Hour, at), time.Date(2026, 5, 4, 4, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("Next(%v) = %v, want %v", at, got, want)
	}
	if got, want := jobs.Next(time.Hour, at.Truncate(time.Hour)), at.Truncate(time.Hour).Add(time.Hour); !got.Equal(want) {
		t.Errorf("Next() of a beginning = %v, want %v", got, want)
	}
}

// TestComplaints: one line a minute of a database that is away, and one of
// everything else.
func TestComplaints(t *testing.T) {
	t.Parallel()
	var heard []string
	c := jobs.Complaints(func(_ context.Context, err error) { heard = append(heard, err.Error()) })
	if c.Enabled(t.Context(), slog.LevelInfo) || !c.Enabled(t.Context(), slog.LevelWarn) {
		t.Error("hears less than warnings, or not even these")
	}
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for _, line := range []struct {
		at      time.Duration
		message string
		attr    slog.Attr
	}{
		{0, "Elector: Error attempting reelection", slog.String("err", "away")},
		{time.Second, "Producer: Error fetching jobs", slog.String("error", "away")},
		{2 * time.Second, "Job appears to be stuck", slog.Int("jobId", 7)},
		{3 * time.Second, "Job appears to be stuck", slog.Int("jobId", 7)},
		{59 * time.Second, "Producer: Error fetching jobs", slog.String("error", "away")},
		{time.Minute, "Producer: Error fetching jobs", slog.String("error", "gone")},
	} {
		record := slog.NewRecord(noon.Add(line.at), slog.LevelError, line.message, 0)
		record.AddAttrs(line.attr)
		if err := c.WithGroup("g").WithAttrs(nil).Handle(t.Context(), record); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"Elector: Error attempting reelection: away", "Job appears to be stuck",
		"Producer: Error fetching jobs: gone (and 2 more since the last such line)",
	}
	if !slices.Equal(heard, want) {
		t.Errorf("heard %q, want %q", heard, want)
	}
}
