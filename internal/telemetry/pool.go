package telemetry

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/driftsentry/driftsentry/internal/postgres"
)

// Pool shows the state of the connection pool at every scrape. stat must not
// block. Call it once.
func (t *Telemetry) Pool(stat func() postgres.PoolStat) error {
	state := func(name string) metric.MeasurementOption {
		return metric.WithAttributeSet(attribute.NewSet(attribute.String("state", name)))
	}
	idle, used, maximum := state("idle"), state("used"), state("max")
	registration, err := t.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s := stat()
		o.ObserveInt64(t.in.connections, int64(s.Idle), idle)
		o.ObserveInt64(t.in.connections, int64(s.Used), used)
		o.ObserveInt64(t.in.connections, int64(s.Max), maximum)
		o.ObserveInt64(t.in.acquires, s.Acquires)
		o.ObserveInt64(t.in.waits, s.Waits)
		o.ObserveFloat64(t.in.waitTime, s.WaitTime.Seconds())
		o.ObserveInt64(t.in.cancels, s.Cancels)
		return nil
	}, t.in.connections, t.in.acquires, t.in.waits, t.in.waitTime, t.in.cancels)
	if err != nil {
		return fmt.Errorf("show the pool: %w", err)
	}
	t.onShutdown(registration.Unregister)
	return nil
}
