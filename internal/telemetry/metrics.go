package telemetry

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
)

// Every metric this package makes by itself: name, help, type. Units are part
// of the names (…_ms, …_seconds) and never set on the instrument, because the
// Prometheus exporter would write them a second time. metrics_test.go holds the
// golden list of what a scrape shows, the libraries' series included.

// The label values that stand for everything not on a closed list.
const (
	otherMethod    = "_OTHER"    // as the semantic conventions write it
	unmatchedRoute = "unmatched" // no route of ours
	otherOperation = "OTHER"
	otherValue     = "other"
	otherStack     = "_other" // no stack can be called so: names don't begin with _
)

var (
	requestBucketsMS = []float64{10, 50, 100, 250, 500, 1000, 2500, 5000}
	// The semantic conventions', in seconds.
	serverBuckets  = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
	queryBucketsMS = []float64{1, 5, 10, 25, 50, 100, 250, 500}
	// A file of a few resources parses in a millisecond, a hundred thousand in a minute.
	phaseBuckets = []float64{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120}
	// From a minute to a month: what people take to answer.
	peopleBuckets = []float64{60, 300, 900, 3600, 4 * 3600, 8 * 3600, day, 2 * day, 7 * day, 14 * day, 30 * day}
)

const day = 24 * 3600

type instruments struct {
	requests        metric.Int64Counter
	requestDuration metric.Float64Histogram
	serverDuration  metric.Float64Histogram
	errors          metric.Int64Counter
	queryDuration   metric.Float64Histogram

	connections metric.Int64ObservableGauge
	acquires    metric.Int64ObservableCounter
	waits       metric.Int64ObservableCounter
	waitTime    metric.Float64ObservableCounter
	cancels     metric.Int64ObservableCounter

	driftsOpen   metric.Int64ObservableGauge
	oldestOpen   metric.Float64ObservableGauge
	stackSuccess metric.Float64ObservableGauge
	scans        metric.Int64Counter
	scanDuration metric.Float64Histogram
	acknowledge  metric.Float64Histogram
	resolve      metric.Float64Histogram
	redactions   metric.Int64Counter

	build metric.Int64ObservableGauge
}

// newInstruments makes them all. The error names every one that is impossible.
func newInstruments(m metric.Meter) (instruments, error) {
	b := builder{meter: m}
	in := instruments{
		requests:        b.counter("http_requests_total", "HTTP requests answered, by method, route and status."),
		requestDuration: b.histogram("http_request_duration_ms", "Time to answer an HTTP request, in milliseconds.", requestBucketsMS),
		serverDuration:  b.serverDuration(),
		errors:          b.counter("errors_total", "Responses with a status of 400 or more, and errors of background work, by code and route."),
		queryDuration:   b.histogram("database_query_duration_ms", "Time a query, batch or copy took, in milliseconds, failed ones included.", queryBucketsMS),

		connections: b.gauge("database_connections", "Connections of the database pool by state: idle, used, and the maximum."),
		acquires:    b.observedCounter("database_connection_acquires_total", "Times a connection was asked for."),
		waits: b.observedCounter("database_connection_waits_total",
			"Times a connection was waited for because the pool had none to spare."),
		waitTime: b.observedFloatCounter("database_connection_wait_seconds_total", "Time connections were waited for, in seconds."),
		cancels:  b.observedCounter("database_connection_waits_canceled_total", "Times somebody gave up waiting for a connection."),

		driftsOpen: b.gauge("driftsentry_drifts_open", "Open drifts by severity, status and origin."),
		oldestOpen: b.floatGauge("driftsentry_oldest_open_drift_age_seconds", "Age of the oldest open drift, in seconds."),
		stackSuccess: b.floatGauge("driftsentry_stack_last_success_timestamp_seconds",
			"When a stack was last scanned completely, in Unix seconds. A stack that stops moving is not looked at any more."),
		scans:        b.counter("driftsentry_scans_total", "Scans taken, by what they say about themselves and by format."),
		scanDuration: b.histogram("driftsentry_scan_duration_seconds", "Time one phase of taking a scan took, in seconds.", phaseBuckets),
		acknowledge:  b.histogram("driftsentry_drift_acknowledge_seconds", "Time from a drift's detection to its first decision, in seconds.", peopleBuckets),
		resolve:      b.histogram("driftsentry_drift_resolve_seconds", "Time from a drift's detection to its resolution, in seconds.", peopleBuckets),
		redactions:   b.counter("driftsentry_redactions_total", "Secrets taken out of telemetry, by where they were going and by the rule that found them."),

		build: b.gauge("build_info", "Always 1; what is running is in the labels."),
	}
	return in, errors.Join(b.errs...)
}

// builder makes instruments and gathers what goes wrong.
type builder struct {
	meter metric.Meter
	errs  []error
}

func (b *builder) counter(name, help string) metric.Int64Counter {
	i, err := b.meter.Int64Counter(name, metric.WithDescription(help))
	b.note(err)
	return i
}

func (b *builder) histogram(name, help string, buckets []float64) metric.Float64Histogram {
	i, err := b.meter.Float64Histogram(name, metric.WithDescription(help), metric.WithExplicitBucketBoundaries(buckets...))
	b.note(err)
	return i
}

// serverDuration is the semantic conventions' http.server.request.duration,
// which a scrape shows as http_server_request_duration_seconds.
func (b *builder) serverDuration() metric.Float64Histogram {
	i, err := httpconv.NewServerRequestDuration(b.meter, metric.WithExplicitBucketBoundaries(serverBuckets...))
	b.note(err)
	return i.Inst()
}

func (b *builder) gauge(name, help string) metric.Int64ObservableGauge {
	i, err := b.meter.Int64ObservableGauge(name, metric.WithDescription(help))
	b.note(err)
	return i
}

func (b *builder) floatGauge(name, help string) metric.Float64ObservableGauge {
	i, err := b.meter.Float64ObservableGauge(name, metric.WithDescription(help))
	b.note(err)
	return i
}

func (b *builder) observedCounter(name, help string) metric.Int64ObservableCounter {
	i, err := b.meter.Int64ObservableCounter(name, metric.WithDescription(help))
	b.note(err)
	return i
}

func (b *builder) observedFloatCounter(name, help string) metric.Float64ObservableCounter {
	i, err := b.meter.Float64ObservableCounter(name, metric.WithDescription(help))
	b.note(err)
	return i
}

func (b *builder) note(err error) {
	if err != nil {
		b.errs = append(b.errs, err)
	}
}
