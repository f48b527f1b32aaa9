package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/driftsentry/driftsentry/internal/correlation"
)

// The layers of one request, each benchmark adding to the one before it, so
// that the differences are the layers' shares:
//
//	go test -run '^$' -bench Request -count 5 ./internal/telemetry
//
// Logs go to a file, as they do in production: a discarded line costs nothing.

func BenchmarkRequest(b *testing.B) {
	never, always := sdktrace.NeverSample(), sdktrace.AlwaysSample()
	b.Run("1-mux", func(b *testing.B) { benchmarkServe(b, benchmarkMux()) })
	b.Run("2-otelhttp-alone", func(b *testing.B) {
		benchmarkServe(b, otelhttp.NewHandler(benchmarkMux(), "",
			otelhttp.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSampler(never))),
			otelhttp.WithMeterProvider(noopmetric.NewMeterProvider())))
	})
	b.Run("3-otelhttp-metrics", func(b *testing.B) {
		benchmarkServe(b, otelhttp.NewHandler(benchmarkMux(), "",
			otelhttp.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSampler(never))),
			otelhttp.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())))))
	})
	b.Run("4-no-logs", func(b *testing.B) {
		tel := benchmarkStart(b, slog.LevelError, nil)
		benchmarkServe(b, tel.Handler(benchmarkMux(), HTTPOptions{}))
	})
	b.Run("5-all-unsampled", func(b *testing.B) {
		tel := benchmarkStart(b, slog.LevelInfo, nil)
		benchmarkServe(b, tel.Handler(benchmarkMux(), HTTPOptions{}))
	})
	b.Run("6-all-sampled", func(b *testing.B) {
		tel := benchmarkStart(b, slog.LevelInfo, always)
		benchmarkServe(b, tel.Handler(benchmarkMux(), HTTPOptions{}))
	})
	b.Run("7-probe", func(b *testing.B) {
		tel := benchmarkStart(b, slog.LevelInfo, nil)
		h := tel.Handler(benchmarkMux(), HTTPOptions{})
		r := httptest.NewRequest(http.MethodGet, "/health/live", http.NoBody)
		benchmarkRequest(b, h, r)
	})
}

func BenchmarkMetric(b *testing.B) {
	tel := benchmarkStart(b, slog.LevelInfo, nil)
	ctx := context.Background()
	b.Run("counter", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			tel.in.requests.Add(ctx, 1, tel.labels.responses.of(responseKey{"GET", "/api/v1/drifts", 200}).add...)
		}
	})
	b.Run("histogram", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			tel.in.requestDuration.Record(ctx, 12.5, tel.labels.responses.of(responseKey{"GET", "/api/v1/drifts", 200}).record...)
		}
	})
}

func BenchmarkLogLine(b *testing.B) {
	tel := benchmarkStart(b, slog.LevelInfo, nil)
	ctx := correlation.With(context.Background(), correlation.IDs{Correlation: "abc123", Trace: "4bf92f3577b34da6a3ce929d0e0e4736", Span: "00f067aa0ba902b7"})
	log := tel.Logger().With("module", "bench")
	b.Run("written", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			log.InfoContext(ctx, "delivery done", "channel", "slack", "attempt", 1, "took", time.Second)
		}
	})
	b.Run("below-level", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			log.DebugContext(ctx, "delivery done", "channel", "slack", "attempt", 1)
		}
	})
}

func BenchmarkRedact(b *testing.B) {
	r := newRedactor([]string{"a-jwt-secret-of-32-bytes-or-more!", "database-password"}, func(string, string) {})
	for name, text := range map[string]string{
		"path":       "/api/v1/drifts/01a206a3-00e3-7a7e-a340-e1a2ef1f27d8",
		"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:139.0) Gecko/20100101 Firefox/139.0",
		"secret":     "dial postgres://app:hunter2@db:5432/drift: connection refused",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.text(sinkLog, text)
			}
		})
	}
}

func BenchmarkSQL(b *testing.B) {
	const sql = "-- name: ListDrifts\nWITH open AS (SELECT id, stack_id FROM drifts WHERE status <> 'resolved') SELECT o.id, s.name FROM open o JOIN stacks s ON s.id = o.stack_id WHERE o.id > $1 ORDER BY o.id LIMIT $2"
	tel := benchmarkStart(b, slog.LevelInfo, nil)
	tracer := tel.SQL(SQLOptions{Tables: []string{"drifts", "stacks"}})
	b.Run("cold", func(b *testing.B) {
		b.ReportAllocs()
		tables := setOf("drifts", "stacks")
		for b.Loop() {
			newSQLInfo(sql, tables, tel.labels.queries.of)
		}
	})
	b.Run("cached", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			tracer.infos.of(sql)
		}
	})
	b.Run("query-unsampled", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			benchmarkQuery(context.Background(), tracer, sql)
		}
	})
}

func BenchmarkScrape5000(b *testing.B) {
	tel := benchmarkStart(b, slog.LevelInfo, nil)
	ctx := context.Background()
	series := 0
	for i := 0; series < 5000; i++ {
		l := tel.labels.responses.of(responseKey{"GET", fmt.Sprintf("/route/%d", i), 200})
		tel.in.requests.Add(ctx, 1, l.add...)
		tel.in.requestDuration.Record(ctx, 1, l.record...)
		series += 1 + len(requestBucketsMS) + 3 // +Inf, sum, count
	}
	h := tel.MetricsHandler()
	r := httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody)
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(&discard{header: http.Header{}}, r)
	}
}

func benchmarkStart(b *testing.B, level slog.Level, sampler sdktrace.Sampler) *Telemetry {
	b.Helper()
	for _, name := range silence {
		b.Setenv(name, "")
	}
	file, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { file.Close() })
	if sampler != nil {
		// A collector's own work is not ours: this one throws everything away.
		sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				b.Errorf("read an export: %v", err)
			}
		}))
		b.Cleanup(sink.Close)
		b.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", sink.URL+"/v1/traces")
	}
	tel, _ := start(b, Options{Output: file, Level: level})
	return tel
}

func benchmarkMux() http.Handler {
	mux := http.NewServeMux()
	ok := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		answer(w, "ok")
	}
	mux.HandleFunc("GET /api/v1/drifts/{id}", ok)
	mux.HandleFunc("GET /health/live", ok)
	return mux
}

func benchmarkServe(b *testing.B, h http.Handler) {
	b.Helper()
	r := httptest.NewRequest(http.MethodGet, "/api/v1/drifts/01a206a3-00e3-7a7e-a340-e1a2ef1f27d8", http.NoBody)
	r.Header.Set("User-Agent", "curl/8.5.0")
	r.Header.Set(correlation.Header, "01a206a3-00e3-7a7e-a340-e1a2ef1f27d8")
	benchmarkRequest(b, h, r)
}

// benchmarkRequest reports the CPU time of the whole process beside the clock's:
// exports happen on other goroutines, and other processes share the machine.
func benchmarkRequest(b *testing.B, h http.Handler, r *http.Request) {
	b.Helper()
	// A service has a heap. With none, the collector runs all the time and is
	// what is measured.
	ballast := make([]byte, 32<<20)
	defer runtime.KeepAlive(ballast)
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	before := cpuTime(b)
	for b.Loop() {
		clear(w.header)
		r.Pattern = ""
		h.ServeHTTP(w, r)
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// discard is a response nobody reads.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}
