package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	// startTimeout bounds one look whether the database can be used.
	startTimeout = 5 * time.Second
	// slowestRetry bounds the pauses between such looks.
	slowestRetry = 15 * time.Second
	// windUp is the part of Stop's time, at most a quarter, that is left for what
	// is cancelled to end.
	windUp = 5 * time.Second
)

// Start begins running the tasks, at once or as soon as the database is there
// and migrated. It takes no context: the runs belong to nobody's request, and
// Stop alone ends them. It is called once.
func (r *Runner) Start() {
	if r.launched.Swap(true) {
		panic("jobs: started twice")
	}
	go func() {
		defer close(r.began)
		r.begun = r.begin()
	}()
}

// begin starts River, however long the database takes to come. It is false when
// Stop came first.
func (r *Runner) begin() bool {
	life, cancel := context.WithCancel(context.Background())
	// Stop ends an attempt that hangs; once River runs it is asked politely.
	polite := make(chan struct{})
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		select {
		case <-r.quit:
			cancel()
		case <-polite:
		}
	}()
	defer func() { <-watching }()
	defer close(polite)

	pause := backoff.NewExponentialBackOff()
	pause.MaxInterval = slowestRetry
	for {
		err := r.attempt(life)
		if err == nil {
			return true
		}
		if life.Err() != nil {
			return false
		}
		r.trouble.tell(life, time.Now(), databaseTrouble, fmt.Errorf("waiting for the database: %w", err))
		select {
		case <-time.After(pause.NextBackOff()):
		case <-r.quit:
			return false
		}
	}
}

// attempt starts River once. life is River's own context from then on.
func (r *Runner) attempt(life context.Context) error {
	ctx, cancel := context.WithTimeout(life, startTimeout)
	defer cancel()
	if err := r.ready(ctx); err != nil {
		return err
	}
	return r.client.start(life)
}

// Stop lets runs under way finish, starts no others, gives up being leader and
// ends the connections. Shortly before the end of ctx it cancels what is still
// running; the error names what did not end even then.
func (r *Runner) Stop(ctx context.Context) error {
	r.quitOnce()
	if r.launched.Load() {
		select {
		case <-r.began:
		case <-ctx.Done():
			return fmt.Errorf("stop background jobs while starting: %w", ctx.Err())
		}
	}
	if r.begun {
		soft, cancel := beforeEnd(ctx)
		defer cancel()
		if err := r.client.stop(soft); err != nil {
			if err := r.client.stopAndCancel(ctx); err != nil {
				return fmt.Errorf("stop background jobs: %w; %v still running", err, r.running)
			}
		}
	}
	r.pool.Close()
	return nil
}

// beforeEnd ends early enough before ctx for what is then cancelled to end.
func beforeEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-min(windUp, time.Until(end)/4)))
}
