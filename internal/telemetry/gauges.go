package telemetry

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// OpenDrifts counts the open drifts of one kind.
type OpenDrifts struct {
	Severity, Status, Origin string
	Count                    int64
	// Oldest is when the oldest open drift of this severity was detected; zero
	// if there is none.
	Oldest time.Time
}

// StackSuccess is when a stack was last scanned completely: zero for never.
type StackSuccess struct {
	Stack string
	At    time.Time
}

// MaxStacks is how many stacks have a series of their own; the others share
// one, which shows the stalest of them.
const MaxStacks = 1000

// Drifts shows the drifts and the freshness of the stacks at every scrape. The
// functions are asked at most every 15 s, and however long they take, no
// scrape waits for them. Call it once.
//
// stacks tells the first MaxStacks stacks in an order that does not change, and
// the stalest of the others with an empty name.
func (t *Telemetry) Drifts(
	open func(context.Context) ([]OpenDrifts, error), stacks func(context.Context) ([]StackSuccess, error),
) error {
	drifts, success := newFeed(t, "open drifts", open), newFeed(t, "stack freshness", stacks)
	registration, err := t.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		// Both are asked before the first is waited for.
		waitAll([]<-chan struct{}{drifts.refreshed(), success.refreshed()}, feedWait)
		if rows, ok := drifts.read(); ok {
			t.observeOpen(o, rows)
			t.observeOldest(o, rows, time.Now())
		}
		if rows, ok := success.read(); ok {
			t.observeStacks(o, rows)
		}
		return nil
	}, t.in.driftsOpen, t.in.oldestOpen, t.in.stackSuccess)
	if err != nil {
		return fmt.Errorf("show the drifts: %w", err)
	}
	t.onShutdown(registration.Unregister)
	return nil
}

// observeOpen shows every kind, those without drifts as zero: an alert on a
// series that comes and goes does not fire when it should.
func (t *Telemetry) observeOpen(o metric.Observer, rows []OpenDrifts) {
	type kind struct{ severity, status, origin string }
	counts := map[kind]int64{}
	for severity := range severities {
		for origin := range origins {
			for status := range statuses {
				counts[kind{severity, status, origin}] = 0
			}
		}
	}
	for _, row := range rows {
		counts[kind{
			oneOf(severities, row.Severity), oneOf(statuses, row.Status), oneOf(origins, row.Origin),
		}] += row.Count
	}
	for k, n := range counts {
		o.ObserveInt64(t.in.driftsOpen, n, metric.WithAttributes(attribute.String("severity", k.severity),
			attribute.String("status", k.status), attribute.String("origin", k.origin)))
	}
}

// observeOldest shows every severity, 0 for one without an open drift.
func (t *Telemetry) observeOldest(o metric.Observer, rows []OpenDrifts, now time.Time) {
	ages := map[string]float64{}
	for severity := range severities {
		ages[severity] = 0
	}
	for _, row := range rows {
		if severity := oneOf(severities, row.Severity); !row.Oldest.IsZero() {
			ages[severity] = max(ages[severity], now.Sub(row.Oldest).Seconds())
		}
	}
	for severity, age := range ages {
		o.ObserveFloat64(t.in.oldestOpen, age, metric.WithAttributes(attribute.String("severity", severity)))
	}
}

// observeStacks shows one series a stack. Whatever the source does, there are
// no more than MaxStacks and the folded one; a stack that was never scanned
// completely shows 0, which any alert takes for very long ago.
func (t *Telemetry) observeStacks(o metric.Observer, rows []StackSuccess) {
	rest := -1.0
	shown := 0
	for _, row := range rows {
		at := 0.0
		if !row.At.IsZero() {
			at = float64(row.At.UnixMilli()) / 1000
		}
		if row.Stack == "" || shown == MaxStacks {
			if rest < 0 || at < rest {
				rest = at
			}
			continue
		}
		shown++
		o.ObserveFloat64(t.in.stackSuccess, at, metric.WithAttributes(attribute.String("stack", row.Stack)))
	}
	if rest >= 0 {
		o.ObserveFloat64(t.in.stackSuccess, rest, metric.WithAttributes(attribute.String("stack", otherStack)))
	}
}
