// Package jobs does the work that nobody asked for: what is due every minute or
// every hour, once for all replicas of the service.
//
// River decides when and where. One replica is elected leader and enqueues each
// task once a period; any replica runs it. The package says what River is told,
// survives a database that is not there, and ends in order. It knows no task:
// those are handed in where the service is wired. It logs nothing, refuses tasks
// more often than every second, and keeps no promise about the very moment.
package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/driftsentry/driftsentry/internal/postgres"
)

// Task is work that is due again and again.
type Task struct {
	// Name says what is done, such as "reopen-expired". It names the runs in
	// traces and metrics, and is how replicas of several releases know the task.
	Name string
	// Every is the period, in whole seconds. Periods begin at its multiples, UTC,
	// so that replicas agree on them; each has one run.
	Every time.Duration
	// Timeout ends the context of one run; 0 means a minute.
	Timeout time.Duration
	// Work does it. It is tried again within the period when it fails, and must
	// bear that it was half done before.
	Work func(ctx context.Context) error
}

// Options say what is run and who hears of it. All but Trouble are required.
type Options struct {
	DB    *postgres.DB
	Tasks []Task
	// Run is put round each run, below nobody's trace: it gives the run its
	// correlation id, recovers a panic and reports what went wrong.
	Run func(ctx context.Context, name string, work func(context.Context) error) error
	// Trouble hears what keeps the queue itself from working, such as a database
	// that is away: at most once a minute, however often it is tried.
	Trouble func(ctx context.Context, err error)

	poll time.Duration // instead of poll, for tests in a hurry
}

const (
	defaultTimeout = time.Minute
	// grace is how much longer than a task's timeout River waits before it says
	// that the run is stuck: ours should be first, to be reported as an error.
	grace = 10 * time.Second
	// poll is how often each replica looks for work: a query each time. It bounds
	// how late a run begins.
	poll = 5 * time.Second
	// keep is how long finished runs can be looked at.
	keep = 24 * time.Hour
)

// Runner runs tasks until it is stopped. Make one with New.
type Runner struct {
	pool    *postgres.JobPool
	ready   func(context.Context) error
	client  client
	trouble *complaints
	running *running

	launched atomic.Bool
	quit     chan struct{} // closed by quitOnce
	quitOnce func()
	began    chan struct{} // closed when River runs, or never will
	begun    bool          // it runs; read after began
}

// client is what we ask of River's client, whose type names the driver's
// transactions; nobody here has any.
type client struct {
	start               func(context.Context) error
	stop, stopAndCancel func(context.Context) error
}

// New checks the tasks. Nothing runs and nothing is connected before Start; a
// Runner that is not started needs Stop as well.
func New(ctx context.Context, opts Options) (*Runner, error) {
	if err := checkTasks(opts.Tasks); err != nil {
		return nil, err
	}
	pool, err := opts.DB.JobPool(ctx)
	if err != nil {
		return nil, err
	}
	r := &Runner{
		pool: pool, ready: opts.DB.Ready, trouble: newComplaints(opts.Trouble), running: &running{},
		quit: make(chan struct{}), began: make(chan struct{}),
	}
	r.quitOnce = sync.OnceFunc(func() { close(r.quit) })
	w := newWorker(opts, pool, r.trouble, r.running)
	rv, err := river.NewClient(riverpgxv5.New(pool.Pool), config(opts, w, r.trouble))
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("job queue: %w", err)
	}
	r.client = client{rv.Start, rv.Stop, rv.StopAndCancel}
	return r, nil
}

// config is what River is told.
func config(opts Options, w *worker, trouble *complaints) *river.Config {
	workers := river.NewWorkers()
	river.AddWorker(workers, w)
	longest, rarest := time.Duration(0), time.Duration(0)
	periodic := make([]*river.PeriodicJob, len(opts.Tasks))
	for i, t := range opts.Tasks {
		periodic[i] = t.periodic()
		longest, rarest = max(longest, t.timeout()), max(rarest, t.Every)
	}
	return &river.Config{
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: postgres.MaxAlone}},
		Workers:           workers,
		PeriodicJobs:      periodic,
		FetchPollInterval: cmp.Or(opts.poll, poll),
		// LISTEN would keep a connection per replica and be lost behind a pooler in
		// transaction mode, to start a run seconds earlier that is due every minute.
		PollOnly: true,
		// A run whose replica died is tried again once it can't be alive.
		RescueStuckJobsAfter: longest + grace + time.Minute,
		// That a period had its run is known from the row.
		CompletedJobRetentionPeriod: max(keep, 2*rarest),
		CancelledJobRetentionPeriod: max(keep, 2*rarest),
		// A few thousand rows need no new indexes every night, and building them
		// would wait for the longest transaction in the database.
		ReindexerIndexNames: []string{},
		Logger:              slog.New(trouble),
	}
}

// timeout is how long one run may take.
func (t Task) timeout() time.Duration { return cmp.Or(t.Timeout, defaultTimeout) }

func checkTasks(tasks []Task) error {
	if len(tasks) == 0 {
		return errors.New("no tasks to run")
	}
	known := make(map[string]bool)
	for _, t := range tasks {
		switch {
		case t.Name == "" || known[t.Name]:
			return fmt.Errorf("the task's name %q is empty or not the only one", t.Name)
		case t.Every < time.Second || t.Every%time.Second != 0:
			return fmt.Errorf("%s is due every %v, want whole seconds", t.Name, t.Every)
		case t.Timeout < 0:
			return fmt.Errorf("%s has a timeout of %v", t.Name, t.Timeout)
		case t.Work == nil:
			return fmt.Errorf("%s has nothing to do", t.Name)
		}
		known[t.Name] = true
	}
	return nil
}
