package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	nooptrace "go.opentelemetry.io/otel/trace/noop"

	"github.com/driftsentry/driftsentry/internal/correlation"
)

// commandFlush is how long a command may be held up at its end by a collector.
const commandFlush = 3 * time.Second

// CommandOptions are what cmd knows of a short-lived command. Where its spans
// go is the standard OTEL_* environment.
type CommandOptions struct {
	Service string // service.name; OTEL_SERVICE_NAME wins
	Name    string // of the command's own span
	Env     string
	Version string
	Commit  string

	// Environ is where the caller's trace is: TRACEPARENT, TRACESTATE, BAGGAGE.
	Environ []string
	// Facts are attributes of the command's span.
	Facts map[string]string
	// Secrets are texts that must never leave the process.
	Secrets []string
	// Trouble hears, once, that telemetry could not be sent; nil hears nothing.
	Trouble func(error)
}

// Command is the trace of one short-lived command.
type Command struct {
	traces      trace.TracerProvider
	tracer      trace.Tracer
	span        trace.Span
	propagation propagation.TextMapPropagator
	stop        func(context.Context) error
}

// StartCommand starts a command's span, in the trace that its environment
// names, else in a new one. The context it returns carries the span, the
// correlation id and the baggage; the id is the caller's if its baggage holds a
// good one. A Command works even beside an error, only without being sent.
//
// Without a collector of its own a command still has a sampled trace: the
// server's spans are worth having.
func StartCommand(ctx context.Context, o CommandOptions) (context.Context, *Command, error) {
	c := &Command{
		propagation: propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}),
		stop:        func(context.Context) error { return nil },
	}
	ctx = c.propagation.Extract(ctx, environmentCarrier(o.Environ))
	id := baggage.FromContext(ctx).Member(string(correlationKey)).Value()
	if !correlation.Valid(id) {
		id = correlation.New()
	}
	ctx = correlation.With(withCorrelation(ctx, id), correlation.IDs{Correlation: id})

	var err error
	if c.traces, c.stop, err = commandTraces(ctx, o); err != nil {
		err = fmt.Errorf("start telemetry: %w", err)
	}
	c.tracer = c.traces.Tracer(scope)
	var attributes []attribute.KeyValue
	for name, value := range o.Facts {
		attributes = append(attributes, attribute.String(name, value))
	}
	ctx, c.span = c.tracer.Start(ctx, o.Name, trace.WithAttributes(attributes...)) //nolint:spancheck // End ends it
	if trace := c.span.SpanContext(); trace.IsValid() {
		ctx = correlation.With(ctx, correlation.IDs{Correlation: id, Trace: trace.TraceID().String(), Span: trace.SpanID().String()})
	}
	return ctx, c, err
}

// withCorrelation puts the id into the baggage, beside what the caller had there.
func withCorrelation(ctx context.Context, id string) context.Context {
	member, err := baggage.NewMemberRaw(string(correlationKey), id)
	if err != nil {
		return ctx
	}
	bag, err := baggage.FromContext(ctx).SetMember(member)
	if err != nil { // the caller's is as full as it may be
		return ctx
	}
	return baggage.ContextWithBaggage(ctx, bag)
}

// commandTraces makes the provider; what it returns works beside an error too.
func commandTraces(ctx context.Context, o CommandOptions) (trace.TracerProvider, func(context.Context) error, error) {
	none := func(context.Context) error { return nil }
	if strings.EqualFold(environment("OTEL_SDK_DISABLED"), "true") {
		return nooptrace.NewTracerProvider(), none, nil
	}
	counts := &exportCounts{}
	unsent := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(correlator{counts}))
	if !exported("TRACES") {
		return unsent, none, nil
	}
	if err := setEnvironmentDefaults(); err != nil {
		return unsent, none, err
	}
	clean := newRedactor(append(exporterSecrets(), o.Secrets...), func(string, string) {})
	var told sync.Once
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		if o.Trouble != nil {
			told.Do(func() { o.Trouble(errors.New(clean.text(sinkSpan, err.Error()))) })
		}
	}))
	res, err := newResource(ctx, Options{Service: o.Service, Env: o.Env, Version: o.Version, Commit: o.Commit})
	if err != nil {
		return unsent, none, err
	}
	exporter, err := autoexport.NewSpanExporter(ctx)
	if err != nil {
		return unsent, none, fmt.Errorf("OTEL_TRACES_EXPORTER: %w", err)
	}
	traces := sdktrace.NewTracerProvider(
		sdktrace.WithResource(res), sdktrace.WithSpanProcessor(correlator{counts}),
		sdktrace.WithBatcher(&spanExporter{next: exporter, clean: clean, counts: counts}),
	)
	return traces, traces.Shutdown, nil
}

// Phase starts the span of a part of the command. What it returns ends it and
// is told how the part went.
func (c *Command) Phase(ctx context.Context, name string) (context.Context, func(error)) {
	ctx, span := c.tracer.Start(ctx, name)             //nolint:spancheck // the returned function ends it
	return ctx, func(err error) { endSpan(span, err) } //nolint:spancheck // see above
}

// endSpan says on the span how what it covers went.
func endSpan(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
		span.SetAttributes(attribute.String("error.type", innermostType(err)))
	}
	span.End()
}

// Transport gives each request a span and tells the server of the trace and the
// baggage.
func (c *Command) Transport(next http.RoundTripper) http.RoundTripper {
	return otelhttp.NewTransport(next,
		otelhttp.WithTracerProvider(c.traces), otelhttp.WithPropagators(c.propagation),
		otelhttp.WithMeterProvider(noopmetric.NewMeterProvider()))
}

// Environment is environ with the trace and the baggage of ctx, for a program
// that this one starts.
func (c *Command) Environment(ctx context.Context, environ []string) []string {
	carrier := propagation.MapCarrier{}
	c.propagation.Inject(ctx, carrier)
	var env []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !isPropagation(name) {
			env = append(env, entry)
		}
	}
	for _, name := range c.propagation.Fields() {
		if value := carrier[name]; value != "" {
			env = append(env, strings.ToUpper(name)+"="+value)
		}
	}
	return env
}

func isPropagation(name string) bool {
	return name == "TRACEPARENT" || name == "TRACESTATE" || name == "BAGGAGE"
}

// End ends the command's span and sends what there is to send. A collector that
// does not answer holds it up for three seconds at most.
func (c *Command) End(ctx context.Context, exitCode int, err error) error {
	c.span.SetAttributes(attribute.Int("process.exit.code", exitCode))
	endSpan(c.span, err)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commandFlush)
	defer cancel()
	return c.stop(ctx)
}

// environmentCarrier finds the trace of whoever started this process.
type environmentCarrier []string

// Get implements propagation.TextMapCarrier.
func (c environmentCarrier) Get(key string) string {
	value := ""
	for _, entry := range c {
		if name, v, ok := strings.Cut(entry, "="); ok && name == strings.ToUpper(key) {
			value = v // the last of several wins, as it does for a process
		}
	}
	return value
}

// Set does nothing: Environment writes.
func (environmentCarrier) Set(string, string) {}

// Keys implements propagation.TextMapCarrier.
func (environmentCarrier) Keys() []string { return []string{"traceparent", "tracestate", "baggage"} }
