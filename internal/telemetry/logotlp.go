package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
)

// otlpSink hands lines to the OpenTelemetry logs SDK, which batches and
// exports them. The resource already says service and environment.
type otlpSink struct{ bridge slog.Handler }

func newOTLPSink(provider log.LoggerProvider) otlpSink {
	return otlpSink{bridge: otelslog.NewHandler(scope, otelslog.WithLoggerProvider(provider))}
}

// exceptionNames are the facts which the semantic conventions for exceptions
// in logs have names for.
var exceptionNames = map[string]string{
	"error":      "exception.message",
	"errorType":  "exception.type",
	"stackTrace": "exception.stacktrace",
}

func (s otlpSink) write(ctx context.Context, e *entry) error {
	r := slog.NewRecord(e.time, e.level, e.msg, 0)
	// The trace's ids are the record's own, taken from ctx. The correlation id
	// has no place of its own there.
	if e.ids.Correlation != "" {
		r.AddAttrs(slog.String("correlationId", e.ids.Correlation))
	}
	if e.user != "" {
		r.AddAttrs(slog.String("userId", e.user))
	}
	for _, a := range e.facts {
		switch a.Value.Kind() {
		case slog.KindDuration: // the bridge would send nanoseconds
			a.Value = slog.Float64Value(milliseconds(a.Value.Duration()))
		case slog.KindTime:
			a.Value = slog.StringValue(a.Value.Time().UTC().Format(timestampFormat))
		default:
		}
		r.AddAttrs(a)
		if name, ok := exceptionNames[a.Key]; ok {
			r.AddAttrs(slog.Attr{Key: name, Value: a.Value})
		}
	}
	return s.bridge.Handle(ctx, r)
}

// severityNames gives records the level names of the log lines: the bridge writes
// slog's, in which fatal is "ERROR+4". It also counts what there is to export.
type severityNames struct{ counts *exportCounts }

func (s severityNames) OnEmit(_ context.Context, r *sdklog.Record) error {
	s.counts.made.Add(1)
	r.SetSeverityText(LevelName(slog.Level(r.Severity()) - slog.Level(log.SeverityInfo)))
	return nil
}

func (severityNames) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (severityNames) Shutdown(context.Context) error                         { return nil }
func (severityNames) ForceFlush(context.Context) error                       { return nil }
