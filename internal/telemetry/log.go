package telemetry

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/driftsentry/driftsentry/internal/correlation"
)

// A sink takes finished lines: ids in place, secrets gone. It must not keep e.
type sink interface {
	write(ctx context.Context, e *entry) error
}

// An entry is one log line before it has a format.
type entry struct {
	level slog.Level
	time  time.Time
	msg   string
	ids   correlation.IDs
	user  string
	facts []slog.Attr
}

// A logCore is what all loggers of one Telemetry share. Redaction happens in
// it, in front of every sink.
type logCore struct {
	level *slog.LevelVar
	clean *redactor
	sinks []sink

	entries poolOf[entry]
}

// emit writes one line. Attributes are cleaned here, so callers hand over what
// they have.
func (c *logCore) emit(ctx context.Context, level slog.Level, msg string, facts ...slog.Attr) {
	if level >= c.level.Level() {
		c.emitAt(ctx, time.Now(), level, msg, facts)
	}
}

func (c *logCore) emitAt(ctx context.Context, at time.Time, level slog.Level, msg string, facts []slog.Attr) {
	e := c.entries.get()
	e.begin(ctx, at, level, c.clean.text(sinkLog, msg))
	for _, a := range facts {
		e.add(c.clean.attr(sinkLog, a))
	}
	// There is nobody left to tell that a log line could not be written.
	//nolint:errcheck // see above
	c.deliver(ctx, e)
}

// deliver hands e to every sink and takes it back. One sink's trouble is not
// another's: all are tried, and the first error is returned.
func (c *logCore) deliver(ctx context.Context, e *entry) error {
	var first error
	for _, s := range c.sinks {
		if err := s.write(ctx, e); err != nil && first == nil {
			first = err
		}
	}
	clear(e.facts)
	e.facts = e.facts[:0]
	c.entries.put(e)
	return first
}

func (e *entry) begin(ctx context.Context, at time.Time, level slog.Level, msg string) {
	e.level, e.time, e.msg = level, at, msg
	e.ids = correlation.From(ctx)
	// The span at hand, rather than the request's: a line inside a query's
	// span leads to that query.
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() && sc.SpanID().String() != e.ids.Span {
		e.ids.Trace, e.ids.Span = sc.TraceID().String(), sc.SpanID().String()
	}
	e.user = ""
	if r := requestFrom(ctx); r != nil {
		e.user = r.userID()
	}
}

// add puts a cleaned fact into the line. A later fact replaces an earlier one
// of the same name, ids fill the ids, and the names of the fixed keys are not
// to be had: JSON with a key twice means something else to every reader.
func (e *entry) add(a slog.Attr) {
	switch a.Key {
	case "":
		if a.Value.Kind() == slog.KindGroup { // slog: a group without a name is inlined
			for _, member := range a.Value.Group() {
				e.add(member)
			}
		}
		return
	case "correlationId":
		e.ids.Correlation = a.Value.String()
		return
	case "traceId":
		e.ids.Trace = a.Value.String()
		return
	case "spanId":
		e.ids.Span = a.Value.String()
		return
	case "userId":
		e.user = a.Value.String()
		return
	case "level", "msg", "timestamp", "service", "env":
		a.Key += "_"
	}
	for i := range e.facts {
		if e.facts[i].Key == a.Key {
			e.facts[i] = a
			return
		}
	}
	e.facts = append(e.facts, a)
}

// handler is the slog.Handler in front of a logCore.
type handler struct {
	core *logCore
	// audit lines are written whatever the level is.
	audit bool
	// frames are what With and WithGroup added, outermost first, already
	// clean. The first one has no group.
	frames []frame
}

type frame struct {
	group string
	facts []slog.Attr
}

func newHandler(core *logCore, audit bool) *handler {
	return &handler{core: core, audit: audit, frames: []frame{{}}}
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	return h.audit || level >= h.core.level.Level()
}

// Handle implements slog.Handler.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	at := r.Time
	if at.IsZero() {
		at = time.Now()
	}
	e := h.core.entries.get()
	e.begin(ctx, at, r.Level, h.core.clean.text(sinkLog, r.Message))
	for _, a := range h.frames[0].facts {
		e.add(a)
	}
	if len(h.frames) == 1 {
		r.Attrs(func(a slog.Attr) bool {
			e.add(h.core.clean.attr(sinkLog, a))
			return true
		})
		return h.core.deliver(ctx, e)
	}
	if nested, ok := h.nest(r); ok {
		e.add(nested)
	}
	return h.core.deliver(ctx, e)
}

// nest folds the open groups and the record's attributes into one attribute.
// It reports false when there is nothing in them: empty groups are not shown.
func (h *handler) nest(r slog.Record) (slog.Attr, bool) {
	var inner []slog.Attr
	r.Attrs(func(a slog.Attr) bool {
		inner = append(inner, h.core.clean.attr(sinkLog, a))
		return true
	})
	for i := len(h.frames) - 1; i > 0; i-- {
		f := h.frames[i]
		members := append(append([]slog.Attr(nil), f.facts...), inner...)
		inner = nil
		if len(members) > 0 {
			inner = []slog.Attr{{Key: f.group, Value: slog.GroupValue(members...)}}
		}
	}
	if len(inner) == 0 {
		return slog.Attr{}, false
	}
	return inner[0], true
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	clean := make([]slog.Attr, 0, len(attrs))
	for _, a := range attrs {
		clean = append(clean, h.core.clean.attr(sinkLog, a))
	}
	frames := append([]frame(nil), h.frames...)
	last := &frames[len(frames)-1]
	last.facts = append(slices.Clip(last.facts), clean...)
	return &handler{core: h.core, audit: h.audit, frames: frames}
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	frames := append(append([]frame(nil), h.frames...), frame{group: name})
	return &handler{core: h.core, audit: h.audit, frames: frames}
}
