package telemetry

import (
	"context"
	"log/slog"
	"runtime/debug"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/driftsentry/driftsentry/internal/correlation"
)

// Run does one piece of background work, such as one delivery or one clean-up:
// with a correlation id and a span of its own, and a panic in it becomes an
// error. What it returns was already logged, counted and tracked. name is a
// constant; it becomes a metric's label.
//
// Work that ends because ctx did is no error.
func (t *Telemetry) Run(ctx context.Context, name string, work func(context.Context) error) (err error) {
	ids := correlation.From(ctx)
	if ids.Correlation == "" {
		ids.Correlation = correlation.New()
		ctx = correlation.With(ctx, ids)
	}
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindInternal))
	defer span.End()
	if sc := span.SpanContext(); sc.IsValid() {
		ctx = correlation.With(ctx, correlation.IDs{
			Correlation: ids.Correlation, Trace: sc.TraceID().String(), Span: sc.SpanID().String(),
		})
	}
	var stack []byte
	func() {
		defer func() {
			if v := recover(); v != nil {
				err, stack = panicError{v}, debug.Stack()
			}
		}()
		err = work(ctx)
	}()
	if err == nil || stack == nil && ctx.Err() != nil {
		return err
	}
	span.SetStatus(codes.Error, codeInternal)
	t.in.errors.Add(ctx, 1, t.labels.errors.of(pair{codeInternal, name}).add...)
	t.report(ctx, "Background error", Failure{Err: err, Code: codeInternal, Stack: stack}, t.clean, name,
		[]slog.Attr{slog.String("work", name)})
	return err
}

// Go is Run on a goroutine of its own. The returned channel is closed when the
// work has ended.
func (t *Telemetry) Go(ctx context.Context, name string, work func(context.Context) error) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := t.Run(ctx, name, work); err != nil {
			return // reported already, and there is nobody else to tell
		}
	}()
	return done
}
