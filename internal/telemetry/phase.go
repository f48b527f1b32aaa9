package telemetry

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// phases are those of driftsentry_scan_duration_seconds. Others get a span
// and no series.
var phases = setOf("parse", "store")

// Phase begins one part of taking a scan: a span "scan NAME", and its duration
// when the returned function is called. facts are alternating keys and values
// that go on the span: counts, never data.
func (t *Telemetry) Phase(ctx context.Context, name string) (context.Context, func(err error, facts ...any)) {
	start := time.Now()
	ctx, span := t.tracer.Start(ctx, "scan "+name) //nolint:spancheck // ended by what is returned
	return ctx, func(err error, facts ...any) {    //nolint:spancheck // see above
		if phases[name] {
			t.in.scanDuration.Record(ctx, time.Since(start).Seconds(), t.labels.phases.of(name).record...)
		}
		if span.IsRecording() {
			span.SetAttributes(factAttributes(facts)...)
			if err != nil {
				span.SetStatus(codes.Error, "")
				span.SetAttributes(semconv.ErrorTypeKey.String(innermostType(err)))
			}
		}
		span.End()
	}
}

func factAttributes(facts []any) []attribute.KeyValue {
	var kvs []attribute.KeyValue
	for i := 0; i+1 < len(facts); i += 2 {
		key := attribute.Key("driftsentry." + fmt.Sprint(facts[i]))
		switch v := facts[i+1].(type) {
		case int:
			kvs = append(kvs, key.Int(v))
		case int64:
			kvs = append(kvs, key.Int64(v))
		case bool:
			kvs = append(kvs, key.Bool(v))
		case time.Duration:
			kvs = append(kvs, key.Float64(v.Seconds()))
		default:
			kvs = append(kvs, key.String(fmt.Sprint(v)))
		}
	}
	return kvs
}

var (
	scanStatuses = setOf("complete", "incomplete", "errored", "superseded", "rejected")
	severities   = setOf(drift.Severities()...)
	statuses     = setOf(drift.Detected, drift.Triaged, drift.Approved, drift.Rejected) // the open ones
	origins      = setOf(drift.Origins()...)
)

// ScanDone counts one scan that was taken, by what it says about itself and by
// its format; what is on no list counts as "other".
func (t *Telemetry) ScanDone(ctx context.Context, status, format string) {
	key := pair{oneOf(scanStatuses, status), oneOf(t.formats, format)}
	t.in.scans.Add(ctx, 1, t.labels.scans.of(key).add...)
}

// DriftAcknowledged records how long a drift waited for its first decision.
func (t *Telemetry) DriftAcknowledged(ctx context.Context, severity string, after time.Duration) {
	t.in.acknowledge.Record(ctx, after.Seconds(), t.labels.severity.of(oneOf(severities, severity)).record...)
}

// DriftResolved records how long a drift lived.
func (t *Telemetry) DriftResolved(ctx context.Context, severity string, after time.Duration) {
	t.in.resolve.Record(ctx, after.Seconds(), t.labels.severity.of(oneOf(severities, severity)).record...)
}

// Link notes on the span at hand that it follows from an earlier trace, as a
// decision follows from the scan which found the drift. Ids that are none are
// left out.
func (t *Telemetry) Link(ctx context.Context, traceID, spanID string) {
	tid, err := trace.TraceIDFromHex(traceID)
	if err != nil {
		return
	}
	sid, err := trace.SpanIDFromHex(spanID)
	if err != nil {
		return
	}
	trace.SpanFromContext(ctx).AddLink(trace.Link{SpanContext: trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: tid, SpanID: sid, TraceFlags: trace.FlagsSampled, Remote: true,
	})})
}
