package telemetry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	goruntime "go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel"
	promexporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	nooptrace "go.opentelemetry.io/otel/trace/noop"
)

// providers are the SDK's three, the registries a scrape reads, and what is
// known of the exports.
type providers struct {
	traces trace.TracerProvider
	meters metric.MeterProvider
	logs   *sdklog.LoggerProvider // nil when logs are not exported

	registry *prometheus.Registry
	// ownRegistry holds the SDK's metrics about itself, apart from the others
	// so that dropped spans can be read without a whole scrape.
	ownRegistry *prometheus.Registry

	spanExports *exportCounts
	logExports  *exportCounts
	// final is what exports said before the meters stopped counting.
	final atomic.Pointer[Exports]

	// firstStops run in parallel and before lastStops: shutting down exports,
	// and what that counts must still be countable.
	firstStops []func(context.Context) error
	lastStops  []func(context.Context) error
}

func newProviders(ctx context.Context, o Options, clean *redactor, overflow func()) (*providers, error) {
	p := &providers{
		registry: prometheus.NewRegistry(), ownRegistry: prometheus.NewRegistry(),
		spanExports: &exportCounts{overflow: overflow}, logExports: &exportCounts{overflow: overflow},
	}
	if err := p.registry.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})); err != nil {
		return p, fmt.Errorf("process metrics: %w", err)
	}
	if strings.EqualFold(environment("OTEL_SDK_DISABLED"), "true") {
		p.traces, p.meters = nooptrace.NewTracerProvider(), noopmetric.NewMeterProvider()
		return p, nil
	}
	if err := setEnvironmentDefaults(); err != nil {
		return p, err
	}
	res, err := newResource(ctx, o)
	if err != nil {
		return p, err
	}
	// Meters first: the other two count what they drop.
	for _, start := range []func() error{
		func() error { return p.startMeters(ctx, res) },
		func() error { return p.startTraces(ctx, res, clean) },
		func() error { return p.startLogs(ctx, res) },
	} {
		if err := start(); err != nil {
			return p, errors.Join(err, p.shutdown(ctx))
		}
	}
	return p, nil
}

func (p *providers) startMeters(ctx context.Context, res *resource.Resource) error {
	// The SDK's own first: everything made after this counts itself there.
	own, err := p.newMeters(ctx, res, p.ownRegistry, ownViews(), promexporter.WithoutTargetInfo())
	if err != nil {
		return err
	}
	otel.SetMeterProvider(own)
	meters, err := p.newMeters(ctx, res, p.registry, nil)
	if err != nil {
		return err
	}
	p.meters = meters
	if err := goruntime.Start(goruntime.WithMeterProvider(meters)); err != nil {
		return fmt.Errorf("runtime metrics: %w", err)
	}
	return nil
}

func (p *providers) newMeters(
	ctx context.Context, res *resource.Resource, registry *prometheus.Registry, views []sdkmetric.View, opts ...promexporter.Option,
) (*sdkmetric.MeterProvider, error) {
	exporter, err := promexporter.New(append(opts, promexporter.WithRegisterer(registry), promexporter.WithoutScopeInfo())...)
	if err != nil {
		return nil, fmt.Errorf("metrics for scrapes: %w", err)
	}
	options := []sdkmetric.Option{sdkmetric.WithResource(res), sdkmetric.WithReader(exporter), sdkmetric.WithView(views...)}
	// We are scraped at /metrics. Pushing is for those who say so; autoexport's
	// own Prometheus server would be a second door.
	if e := environment("OTEL_METRICS_EXPORTER"); e != "" && e != "none" && e != "prometheus" {
		reader, err := autoexport.NewMetricReader(ctx)
		if err != nil {
			return nil, fmt.Errorf("OTEL_METRICS_EXPORTER %q: %w", e, err)
		}
		options = append(options, sdkmetric.WithReader(reader))
	}
	meters := sdkmetric.NewMeterProvider(options...)
	p.lastStops = append(p.lastStops, meters.Shutdown)
	return meters, nil
}

func (p *providers) startTraces(ctx context.Context, res *resource.Resource, clean *redactor) error {
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(res), sdktrace.WithSpanProcessor(correlator{p.spanExports})}
	if exported("TRACES") {
		exporter, err := autoexport.NewSpanExporter(ctx)
		if err != nil {
			return fmt.Errorf("OTEL_TRACES_EXPORTER: %w", err)
		}
		p.spanExports.enabled = true
		options = append(options, sdktrace.WithBatcher(&spanExporter{next: exporter, clean: clean, counts: p.spanExports}))
	} else {
		// There are ids for the logs and the error bodies, and no spans.
		options = append(options, sdktrace.WithSampler(sdktrace.NeverSample()))
	}
	traces := sdktrace.NewTracerProvider(options...)
	p.traces = traces
	p.firstStops = append(p.firstStops, traces.Shutdown)
	return nil
}

func (p *providers) startLogs(ctx context.Context, res *resource.Resource) error {
	if !exported("LOGS") {
		return nil
	}
	exporter, err := autoexport.NewLogExporter(ctx)
	if err != nil {
		return fmt.Errorf("OTEL_LOGS_EXPORTER: %w", err)
	}
	p.logExports.enabled = true
	p.logs = sdklog.NewLoggerProvider(
		sdklog.WithResource(res),
		sdklog.WithProcessor(severityNames{p.logExports}),
		sdklog.WithProcessor(sdklog.NewBatchProcessor(&logExporter{Exporter: exporter, counts: p.logExports})),
	)
	p.firstStops = append(p.firstStops, p.logs.Shutdown)
	return nil
}

// exported reports whether the environment asks for this signal to be sent.
// The SDK's default is a collector on localhost; ours is silence.
func exported(signal string) bool {
	switch environment("OTEL_" + signal + "_EXPORTER") {
	case "none":
		return false
	case "":
		return environment("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || environment("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") != ""
	default:
		return true
	}
}

// shutdown stops everything that was started. One after the other under one
// deadline, a hung trace endpoint would cost the logs: so in parallel. The
// meters stop last, because until then the others count in them.
func (p *providers) shutdown(ctx context.Context) error {
	err := inParallel(ctx, p.firstStops)
	final := p.exports()
	p.final.Store(&final)
	for signal, e := range map[string]Export{"spans": final.Traces, "log records": final.Logs} {
		if e.Queued > 0 {
			err = errors.Join(err, fmt.Errorf("%d %s were left unsent", e.Queued, signal))
		}
	}
	return errors.Join(err, inParallel(ctx, p.lastStops))
}

func inParallel(ctx context.Context, stops []func(context.Context) error) error {
	errs := make([]error, len(stops))
	var all sync.WaitGroup
	for i, stop := range stops {
		all.Go(func() { errs[i] = stop(ctx) })
	}
	all.Wait()
	return errors.Join(errs...)
}
