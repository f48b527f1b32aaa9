package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/driftsentry/driftsentry/internal/postgres"
)

// InAHurry looks for work more often than is worth it in earnest.
func InAHurry(opts Options) Options {
	opts.poll = 100 * time.Millisecond
	return opts
}

// Attempts is how often a run is tried that is due every so often.
var Attempts = attempts

// Next is when the period after t's begins.
func Next(every time.Duration, t time.Time) time.Time { return period(every).Next(t) }

// Work does what the queue would do with a row of age that names task.
func Work(ctx context.Context, opts Options, pool *postgres.JobPool, task string, age time.Duration) error {
	w := newWorker(opts, pool, newComplaints(opts.Trouble), &running{})
	return w.Work(ctx, &river.Job[run]{
		JobRow: &rivertype.JobRow{CreatedAt: time.Now().Add(-age)}, Args: run{Task: task},
	})
}

// Complaints is River's logger.
func Complaints(hear func(context.Context, error)) slog.Handler { return newComplaints(hear) }
