package telemetry

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// feedFresh is how long what was read is shown without asking again.
	feedFresh = 15 * time.Second
	// feedWait is how long a scrape waits for news before it shows the old.
	feedWait = 500 * time.Millisecond
	// feedTimeout ends a question the database does not answer.
	feedTimeout = 10 * time.Second
	// feedStale is how old the old may be: after that, no value is more honest.
	feedStale = 5 * time.Minute
)

// feed reads something slow for gauges, such as counts from the database,
// without letting a scrape wait for it.
type feed[T any] struct {
	t    *Telemetry
	name string
	ask  func(context.Context) (T, error)
	now  func() time.Time

	mu    sync.Mutex
	value T
	at    time.Time
	under chan struct{} // closed when the refresh under way ends; nil without one
}

func newFeed[T any](t *Telemetry, name string, ask func(context.Context) (T, error)) *feed[T] {
	return &feed[T]{t: t, name: name, ask: ask, now: time.Now}
}

// refreshed asks again if what is known is not fresh. The channel is closed
// when news have come; it is nil when there is nothing to wait for.
func (f *feed[T]) refreshed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now().Sub(f.at) >= feedFresh && f.under == nil && f.t.stopped.Err() == nil {
		f.under = make(chan struct{})
		f.t.background.Go(f.refresh)
	}
	return f.under
}

// read returns what is known, and false when that can't be believed any more.
func (f *feed[T]) read() (T, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.value, !f.at.IsZero() && f.now().Sub(f.at) < feedStale
}

// waitAll waits until all channels are closed, but not longer than d.
func waitAll(all []<-chan struct{}, d time.Duration) {
	timeout := time.NewTimer(d)
	defer timeout.Stop()
	for _, one := range all {
		if one == nil {
			continue
		}
		select {
		case <-one:
		case <-timeout.C:
			return
		}
	}
}

func (f *feed[T]) refresh() {
	ctx, cancel := context.WithTimeout(f.t.stopped, feedTimeout)
	defer cancel()
	value, err := f.safely(ctx)

	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.under)
	f.under = nil
	if err == nil {
		f.value, f.at = value, f.now()
	} else if f.t.stopped.Err() == nil {
		f.t.complain.Handle(fmt.Errorf("read %s for metrics: %w", f.name, err))
	}
}

// safely turns a panic of the function that was given into an error.
func (f *feed[T]) safely(ctx context.Context) (value T, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w\n%s", panicError{v}, panicStack(debug.Stack()))
		}
	}()
	return f.ask(ctx)
}
