package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/riverqueue/river"

	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

const (
	// yield is when a run is tried again that found another of its task under way.
	yield = time.Second
	// forget is how long a run of a task that this release does not know is left
	// for a release that does.
	forget = time.Hour
)

// worker does what River fetched.
type worker struct {
	river.WorkerDefaults[run]

	tasks   map[string]Task
	wrap    func(ctx context.Context, name string, work func(context.Context) error) error
	pool    *postgres.JobPool
	trouble *complaints
	running *running
}

func newWorker(opts Options, pool *postgres.JobPool, trouble *complaints, now *running) *worker {
	w := &worker{tasks: make(map[string]Task), wrap: opts.Run, pool: pool, trouble: trouble, running: now}
	for _, t := range opts.Tasks {
		w.tasks[t.Name] = t
	}
	return w
}

// Timeout implements river.Worker.
func (w *worker) Timeout(job *river.Job[run]) time.Duration {
	return w.tasks[job.Args.Task].timeout() + grace
}

// Work implements river.Worker. River keeps the text of the error in the
// database, so it is given one that tells nothing but where the story is.
func (w *worker) Work(ctx context.Context, job *river.Job[run]) error {
	task, ok := w.tasks[job.Args.Task]
	if !ok {
		if time.Since(job.CreatedAt) > forget {
			return river.JobCancel(errors.New("no release that runs knows the task"))
		}
		return river.JobSnooze(yield)
	}
	var failed error
	alone, err := w.pool.Alone(ctx, task.Name, func(ctx context.Context) error {
		defer w.running.add(task.Name)()
		failed = w.run(ctx, task)
		return failed
	})
	switch {
	case failed != nil:
		return failed
	case err != nil && ctx.Err() == nil:
		w.trouble.tell(ctx, time.Now(), databaseTrouble, fmt.Errorf("before the run of %s: %w", task.Name, err))
		return errors.New("the database could not be asked whether the task is under way elsewhere")
	case err != nil:
		return ctx.Err() // told to stop
	case !alone:
		return river.JobSnooze(yield)
	default:
		return nil
	}
}

// run is one run of a task, with its report.
func (w *worker) run(ctx context.Context, task Task) error {
	id := ""
	err := w.wrap(ctx, task.Name, func(ctx context.Context) error {
		id = correlation.From(ctx).Correlation
		// Inside, as running out of time is an error, and being told to stop is not.
		ctx, cancel := context.WithTimeout(ctx, task.timeout())
		defer cancel()
		err := task.Work(ctx)
		if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return fmt.Errorf("not done within %v: %w", task.timeout(), err)
		}
		return err
	})
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err() // River tells a run that was told to stop by this
	default:
		return fmt.Errorf("failed, see the log of correlation id %q", id)
	}
}

// running knows what is under way, to name it when it does not end.
type running struct {
	mu    sync.Mutex
	names []string
}

// add returns what takes name off the list again.
func (r *running) add(name string) (done func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names = append(r.names, name)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if i := slices.Index(r.names, name); i >= 0 {
			r.names = slices.Delete(r.names, i, i+1)
		}
	}
}

func (r *running) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.names) == 0 {
		return "nothing"
	}
	return strings.Join(r.names, ", ")
}
