package telemetry

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/driftsentry/driftsentry/internal/correlation"
)

// correlationKey is the span attribute by which Jaeger finds a correlation id.
const correlationKey = attribute.Key("correlation_id")

// correlator puts the correlation id on every span of a request, whoever
// starts it, and counts what there is to export.
type correlator struct{ counts *exportCounts }

func (correlator) OnStart(parent context.Context, s sdktrace.ReadWriteSpan) {
	if id := correlation.From(parent).Correlation; id != "" {
		s.SetAttributes(correlationKey.String(id))
	}
}

func (c correlator) OnEnd(s sdktrace.ReadOnlySpan) {
	if c.counts.enabled && s.SpanContext().IsSampled() {
		c.counts.made.Add(1)
	}
}

func (correlator) Shutdown(context.Context) error   { return nil }
func (correlator) ForceFlush(context.Context) error { return nil }

// spanExporter cleans spans on their way out and counts them. It runs in the
// batch processor's goroutine, so no request waits for it.
type spanExporter struct {
	next   sdktrace.SpanExporter
	clean  *redactor
	counts *exportCounts
}

func (x *spanExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	clean := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, s := range spans {
		clean[i] = x.clean.span(s)
	}
	err := x.next.ExportSpans(ctx, clean)
	x.counts.done(len(spans), err)
	return err
}

func (x *spanExporter) Shutdown(ctx context.Context) error { return x.next.Shutdown(ctx) }

// cleanSpan shows a span without its secrets.
type cleanSpan struct {
	sdktrace.ReadOnlySpan
	name       string
	status     sdktrace.Status
	attributes []attribute.KeyValue
	events     []sdktrace.Event
	links      []sdktrace.Link
}

func (s *cleanSpan) Name() string                     { return s.name }
func (s *cleanSpan) Status() sdktrace.Status          { return s.status }
func (s *cleanSpan) Attributes() []attribute.KeyValue { return s.attributes }
func (s *cleanSpan) Events() []sdktrace.Event         { return s.events }
func (s *cleanSpan) Links() []sdktrace.Link           { return s.links }

// span returns s itself when nothing about it is secret, which is nearly
// always.
func (r *redactor) span(s sdktrace.ReadOnlySpan) sdktrace.ReadOnlySpan {
	c := &cleanSpan{ReadOnlySpan: s, name: r.text(sinkSpan, s.Name()), status: s.Status()}
	c.status.Description = r.text(sinkSpan, c.status.Description)
	var dirty [3]bool
	c.attributes, dirty[0] = r.attributes(s.Attributes())
	c.events, dirty[1] = r.events(s.Events())
	c.links, dirty[2] = r.links(s.Links())
	if c.name == s.Name() && c.status == s.Status() && dirty == [3]bool{} {
		return s
	}
	return c
}

// events returns events itself, or a clean copy and true.
func (r *redactor) events(events []sdktrace.Event) ([]sdktrace.Event, bool) {
	changed := false
	for i, was := range events {
		kvs, dirty := r.attributes(was.Attributes)
		name := r.text(sinkSpan, was.Name)
		if !dirty && name == was.Name {
			continue
		}
		if !changed {
			events, changed = slices.Clone(events), true
		}
		events[i].Attributes, events[i].Name = kvs, name
	}
	return events, changed
}

// links returns links itself, or a clean copy and true.
func (r *redactor) links(links []sdktrace.Link) ([]sdktrace.Link, bool) {
	changed := false
	for i := range links {
		kvs, dirty := r.attributes(links[i].Attributes)
		if !dirty {
			continue
		}
		if !changed {
			links, changed = slices.Clone(links), true
		}
		links[i].Attributes = kvs
	}
	return links, changed
}

// attributes returns kvs itself, or a clean copy and true.
func (r *redactor) attributes(kvs []attribute.KeyValue) ([]attribute.KeyValue, bool) {
	changed := false
	for i, was := range kvs {
		clean, dirty := r.attribute(was)
		if !dirty {
			continue
		}
		if !changed {
			kvs, changed = slices.Clone(kvs), true
		}
		kvs[i] = clean
	}
	return kvs, changed
}

// attribute reports whether it had to change kv.
func (r *redactor) attribute(kv attribute.KeyValue) (attribute.KeyValue, bool) {
	switch kv.Value.Type() {
	case attribute.STRING:
		was := kv.Value.AsString()
		if was != "" && r.names.of(string(kv.Key)) {
			r.count(sinkSpan, ruleName)
			return kv.Key.String(mask), true
		}
		clean := r.text(sinkSpan, was)
		return kv.Key.String(clean), clean != was
	case attribute.STRINGSLICE:
		list, dirty := kv.Value.AsStringSlice(), false
		for i, was := range list {
			list[i] = r.text(sinkSpan, was)
			dirty = dirty || list[i] != was
		}
		return kv.Key.StringSlice(list), dirty
	default:
		return kv, false
	}
}
