// Package telemetry makes the service explain itself: logs, traces, metrics
// and the error tracker. It wraps the seams where things are wired (the mux,
// the pool's tracer, the phases of a scan), so that business code only passes
// ctx on.
//
// It refuses to decide anything about drift, to hold anything up when a
// collector is in trouble, and to let a secret out: redaction stands in front
// of every sink.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// scope names what this package instruments by hand.
const scope = "github.com/driftsentry/driftsentry/internal/telemetry"

// Options are what cmd knows and this package does not. The zero value is a
// development service that logs to stdout. Where telemetry is exported to is
// not in them: that is the standard OTEL_* environment.
type Options struct {
	Service   string // "driftsentry" if empty; OTEL_SERVICE_NAME wins
	Env       string // APP_ENV, "development" if empty
	Version   string
	Commit    string
	BuildDate string

	Output io.Writer // of log lines; os.Stdout if nil
	Pretty bool      // for people rather than machines
	Level  slog.Level

	// Secrets are texts that must never leave the process, such as JWT_SECRET
	// and the database's password.
	Secrets []string
	// SlowQuery is from when a query is worth a line; 500 ms if zero.
	SlowQuery time.Duration
	// SentryDSN sends unexpected errors to Sentry; empty sends nothing.
	SentryDSN string
	// ScanFormats are the formats a scan can have, for its metric's label.
	ScanFormats []string
}

// Telemetry is everything this process says about itself. All its methods may
// be called from several goroutines.
type Telemetry struct {
	opts Options

	level     slog.LevelVar
	clean     *redactor
	log       *logCore
	complain  *complaints
	tracer    trace.Tracer
	meter     metric.Meter
	providers *providers
	// measuring is set once the instruments are there: a line may be cleaned,
	// and a complaint of an earlier Start's exporter come, before.
	measuring atomic.Bool
	in        instruments
	labels    labelCaches
	tracker   *tracker
	sentry    *sentrySink // nil without a DSN
	formats   map[string]bool

	shutdown   sync.Once
	mu         sync.Mutex
	onStop     []func() error // undone at Shutdown
	background sync.WaitGroup // refreshes of gauges; see feed
	stop       context.CancelFunc
	stopped    context.Context //nolint:containedctx // ends the refreshes; nobody's request
}

type labelCaches struct {
	responses *memo[responseKey, *labels]
	server    *memo[responseKey, *labels]
	errors    *memo[pair, *labels]
	queries   *memo[pair, *labels]
	scans     *memo[pair, *labels]
	redacted  *memo[pair, *labels]
	phases    *memo[string, *labels]
	severity  *memo[string, *labels]
}

// Start builds all of it. Nothing is sent anywhere unless the standard OTEL_*
// variables or a Sentry DSN say where to; a collector that can't be reached is
// no error. The error names a variable or DSN that makes no sense.
//
// Two things of the OpenTelemetry SDK are global to the process, and the last
// Start wins them: where its errors go, and the meter its own metrics
// (otel_sdk_*) come from. Start also sets those variables of environmentDefaults
// that are unset.
func Start(ctx context.Context, o Options) (*Telemetry, error) {
	o = o.withDefaults()
	t := &Telemetry{opts: o}
	t.stopped, t.stop = context.WithCancel(context.WithoutCancel(ctx))
	t.level.Set(o.Level)
	t.clean = newRedactor(append(exporterSecrets(), o.Secrets...), t.countRedaction)

	stdout := t.newStdout()
	t.complain = &complaints{log: &logCore{level: &t.level, clean: t.clean, sinks: []sink{stdout}}}
	otel.SetErrorHandler(t.complain)

	var err error
	if t.providers, err = newProviders(ctx, o, t.clean, t.complain.overflow); err != nil {
		t.stop()
		return nil, fmt.Errorf("start telemetry: %w", err)
	}
	t.complain.exports.Store(t.providers)
	t.tracer = t.providers.traces.Tracer(scope)
	t.meter = t.providers.meters.Meter(scope)
	if err := t.startMetrics(); err != nil {
		return nil, errors.Join(fmt.Errorf("start telemetry: %w", err), t.Shutdown(ctx))
	}
	t.measuring.Store(true)

	t.log = &logCore{level: &t.level, clean: t.clean, sinks: []sink{stdout}}
	if t.providers.logs != nil {
		t.log.sinks = append(t.log.sinks, newOTLPSink(t.providers.logs))
	}
	t.formats = setOf(o.ScanFormats...)
	t.tracker = newTracker(time.Now)
	if o.SentryDSN != "" {
		if t.sentry, err = newSentrySink(o); err != nil {
			return nil, errors.Join(fmt.Errorf("start telemetry: %w", err), t.Shutdown(ctx))
		}
	}
	return t, nil
}

func (o Options) withDefaults() Options {
	if o.Service == "" {
		o.Service = "driftsentry"
	}
	if name := environment("OTEL_SERVICE_NAME"); name != "" {
		o.Service = name
	}
	if o.Env == "" {
		o.Env = "development"
	}
	if o.Output == nil {
		o.Output = os.Stdout
	}
	if o.SlowQuery == 0 {
		o.SlowQuery = 500 * time.Millisecond
	}
	return o
}

func (t *Telemetry) newStdout() sink {
	if t.opts.Pretty {
		return newPrettySink(t.opts.Output)
	}
	return newJSONSink(t.opts.Output, t.opts.Service, t.opts.Env)
}

// startMetrics makes the instruments and what fills them by itself.
func (t *Telemetry) startMetrics() error {
	var err error
	if t.in, err = newInstruments(t.meter); err != nil {
		return err
	}
	t.labels = labelCaches{
		responses: newLabelCache(responseLabels),
		server:    newLabelCache(serverLabels),
		errors:    newLabelCache(pairLabels("code", "path")),
		queries:   newLabelCache(pairLabels("operation", "table")),
		scans:     newLabelCache(pairLabels("status", "format")),
		redacted:  newLabelCache(pairLabels("sink", "rule")),
		phases:    newLabelCache(singleLabel("phase")),
		severity:  newLabelCache(singleLabel("severity")),
	}
	build := metric.WithAttributeSet(attribute.NewSet(
		attribute.String("version", t.opts.Version), attribute.String("commit", t.opts.Commit),
		attribute.String("build_date", t.opts.BuildDate), attribute.String("go_version", goVersion)))
	_, err = t.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(t.in.build, 1, build)
		return nil
	}, t.in.build)
	return err
}

func (t *Telemetry) countRedaction(sink, rule string) {
	if !t.measuring.Load() {
		return
	}
	t.in.redactions.Add(context.Background(), 1, t.labels.redacted.of(pair{sink, rule}).add...)
}

// Logger is the service's logger. Give each part its own with
// With("module", name).
func (t *Telemetry) Logger() *slog.Logger { return slog.New(newHandler(t.log, false)) }

// AuditLogger writes whatever the level is: raising LOG_LEVEL must not
// silence the audit trail.
func (t *Telemetry) AuditLogger() *slog.Logger { return slog.New(newHandler(t.log, true)) }

// SetLevel changes from which level on lines are written, at once and for
// every logger.
func (t *Telemetry) SetLevel(l slog.Level) { t.level.Set(l) }

// Level is the level of now.
func (t *Telemetry) Level() slog.Level { return t.level.Level() }

// gatherer is what a scrape shows.
func (t *Telemetry) gatherer() prometheus.Gatherers {
	return prometheus.Gatherers{t.providers.registry, t.providers.ownRegistry}
}

// Shutdown sends what is still queued and stops. It returns when ctx ends at
// the latest, with everything that went wrong and how much was left; a second
// call does nothing. Log lines still reach stdout afterwards.
func (t *Telemetry) Shutdown(ctx context.Context) (err error) {
	t.shutdown.Do(func() {
		t.stop()
		var errs [3]error
		var parallel sync.WaitGroup
		parallel.Go(func() { errs[0] = t.providers.shutdown(ctx) })
		parallel.Go(func() { errs[1] = t.sentry.flush(ctx) })
		parallel.Go(func() { errs[2] = waitFor(ctx, &t.background) })
		parallel.Wait()
		err = errors.Join(errors.Join(errs[:]...), t.undo())
	})
	return err
}

// onShutdown has undo called once, at Shutdown.
func (t *Telemetry) onShutdown(undo func() error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.onStop = append(t.onStop, undo)
}

func (t *Telemetry) undo() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var errs []error
	for _, undo := range t.onStop {
		errs = append(errs, undo())
	}
	t.onStop = nil
	return errors.Join(errs...)
}

// waitFor waits for wg, but not longer than ctx.
func waitFor(ctx context.Context, wg *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("background telemetry: %w", ctx.Err())
	}
}
