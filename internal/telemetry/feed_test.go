package telemetry

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestFeed walks through the life of a value: fresh, old, too old to believe.
func TestFeed(t *testing.T) {
	t.Parallel()
	tel, _ := start(t, Options{})
	asked, fail := 0, false
	f := newFeed(tel, "numbers", func(context.Context) (int, error) {
		asked++
		if fail {
			return 0, errTest
		}
		return asked, nil
	})
	c := &clock{at}
	f.now = c.now
	steps := []struct {
		after time.Duration
		fail  bool
		want  int
		ok    bool
		asked int
	}{
		{0, true, 0, false, 1},
		{0, false, 2, true, 2},
		{feedFresh - 1, false, 2, true, 2},
		{1, false, 3, true, 3},
		{feedFresh, true, 3, true, 4},
		{feedStale - feedFresh - 1, true, 3, true, 5},
		{1, true, 3, false, 6},
		{0, false, 7, true, 7},
	}
	for i, s := range steps {
		c.at = c.at.Add(s.after)
		fail = s.fail
		if done := f.refreshed(); done != nil {
			<-done
		}
		got, ok := f.read()
		if ok != s.ok || ok && got != s.want || asked != s.asked {
			t.Errorf("step %d: %d, %v after %d questions, want %d, %v after %d", i, got, ok, asked, s.want, s.ok, s.asked)
		}
	}
}

// TestHungDatabaseDoesNotHangTheScrape: the scrape answers with everything
// else, the question is asked once, and Shutdown ends it.
func TestHungDatabaseDoesNotHangTheScrape(t *testing.T) {
	t.Parallel()
	tel, _ := start(t, Options{})
	questions := make(chan context.Context, 100)
	hang := func(ctx context.Context) error {
		questions <- ctx
		<-ctx.Done()
		return ctx.Err()
	}
	if err := tel.Drifts(
		func(ctx context.Context) ([]OpenDrifts, error) { return nil, hang(ctx) },
		func(ctx context.Context) ([]StackSuccess, error) { return nil, hang(ctx) },
	); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		begun := time.Now()
		scrape(t, tel, "")
		if took := time.Since(begun); took > 5*feedWait {
			t.Errorf("a scrape took %v", took)
		}
	}
	if n := len(questions); n != 2 {
		t.Errorf("%d questions were asked by three scrapes, want one for each function", n)
	}
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if ctx := <-questions; !errors.Is(ctx.Err(), context.Canceled) {
		t.Errorf("Shutdown left a question open: %v", ctx.Err())
	}
}
