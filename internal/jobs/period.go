package jobs

import (
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// run is what a row of the queue says: which task is due.
type run struct {
	Task string `json:"task"`
}

// Kind is one for all tasks: River knows kinds by type, we know tasks by name.
func (run) Kind() string { return "periodic" }

// period is the schedule of a task: the multiples of a duration. River truncates
// a run's time the same way to tell whether the period has one.
type period time.Duration

// Next is when the period after t's begins.
func (p period) Next(t time.Time) time.Time {
	return t.Truncate(time.Duration(p)).Add(time.Duration(p))
}

func (t Task) periodic() *river.PeriodicJob {
	opts := &river.InsertOpts{
		MaxAttempts: attempts(t.Every),
		UniqueOpts: river.UniqueOpts{
			ByArgs: true, ByPeriod: t.Every,
			// Whatever became of it: a new leader must not give another try to what
			// was given up.
			ByState: rivertype.JobStates(),
		},
	}
	construct := func() (river.JobArgs, *river.InsertOpts) { return run{Task: t.Name}, opts }
	// A new leader enqueues the period that has begun already, which is one more
	// run only if nobody did.
	return river.NewPeriodicJob(period(t.Every), construct, &river.PeriodicJobOpts{RunOnStart: true})
}

// attempts is how many River's retries, n⁴ seconds after the n-th, fit into one
// period; the next has a run of its own.
func attempts(every time.Duration) int {
	n, waited := 1, time.Duration(0)
	for n < river.MaxAttemptsDefault {
		waited += time.Duration(n*n*n*n) * time.Second
		if waited >= every {
			break
		}
		n++
	}
	return n
}
