package telemetry

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	dto "github.com/prometheus/client_model/go"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/redact"
)

var update = flag.Bool("update", false, "write the golden files anew")

// everything makes each metric appear.
func everything(t *testing.T, tel *Telemetry) {
	t.Helper()
	h := api(tel)
	serve(h, "GET", "/api/v1/drifts/x")
	serve(h, "GET", "/api/v1/summary")
	tracer := tel.SQL(SQLOptions{Tables: []string{"drifts"}})
	ctx := tracer.TraceQueryStart(t.Context(), nil, pgx.TraceQueryStartData{SQL: "SELECT 1 FROM drifts"})
	tracer.TraceQueryEnd(ctx, nil, pgx.TraceQueryEndData{Err: errTest})
	tel.Phase(t.Context(), "parse")
	_, done := tel.Phase(t.Context(), "parse")
	done(nil)
	tel.ScanDone(t.Context(), "complete", "terraform-plan")
	tel.DriftAcknowledged(t.Context(), "critical", time.Hour)
	tel.DriftResolved(t.Context(), "critical", time.Hour)
	tel.Logger().InfoContext(t.Context(), "x", "password", "y")
	if err := tel.Pool(func() postgres.PoolStat {
		return postgres.PoolStat{Idle: 1, Used: 2, Max: 10, Waits: 3, WaitTime: 1500 * time.Millisecond}
	}); err != nil {
		t.Fatal(err)
	}
	if err := tel.Drifts(
		func(context.Context) ([]OpenDrifts, error) {
			return []OpenDrifts{{"critical", "detected", "outside", 2, time.Now().Add(-time.Hour)}}, nil
		},
		func(context.Context) ([]StackSuccess, error) {
			return []StackSuccess{{"prod/network", at}, {"never", time.Time{}}}, nil
		},
	); err != nil {
		t.Fatal(err)
	}
}

// TestGoldenMetrics is the contract with dashboards and alerts: every name,
// type, label and help a scrape shows. Run with -update after a change on
// purpose.
func TestGoldenMetrics(t *testing.T) {
	// The exports happen when the test says so, and appear themselves.
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "3600000")
	t.Setenv("OTEL_BLRP_SCHEDULE_DELAY", "3600000")
	tel, _, _, _ := collected(t, Options{ScanFormats: []string{"terraform-plan"}})
	everything(t, tel)
	traces, ok := tel.providers.traces.(*sdktrace.TracerProvider)
	if !ok {
		t.Fatalf("traces are a %T", tel.providers.traces)
	}
	if err := traces.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := tel.providers.logs.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	families, err := tel.gatherer().Gather()
	if err != nil {
		t.Fatalf("Gather: %v", err)
	}
	var b strings.Builder
	for _, f := range families {
		labels := labelNames(f)
		if f.GetName() == "target_info" { // what of a container or cloud can be known differs
			labels = "service_name …"
		}
		fmt.Fprintf(&b, "%s %s {%s} %s\n", f.GetName(), strings.ToLower(f.GetType().String()), labels, f.GetHelp())
	}
	golden := filepath.Join("testdata", "metrics.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("metrics (-golden +got):\n%s", diff)
	}
}

func labelNames(f *dto.MetricFamily) string {
	names := map[string]bool{}
	for _, m := range f.GetMetric() {
		for _, l := range m.GetLabel() {
			names[l.GetName()] = true
		}
	}
	var list []string
	for name := range names {
		list = append(list, name)
	}
	sort.Strings(list)
	return strings.Join(list, " ")
}

// TestSeriesAndBuckets: the series that are promised, with their buckets, as a
// plain scrape shows them.
func TestSeriesAndBuckets(t *testing.T) {
	t.Parallel()
	tel, _ := start(t, Options{ScanFormats: []string{"terraform-plan"}, Version: "1.2.3"})
	everything(t, tel)
	got := scrape(t, tel, "")
	for _, want := range []string{
		`http_requests_total{method="GET",path="/api/v1/drifts/{id}",status="200"} 1`,
		`http_request_duration_ms_count{method="GET",path="/api/v1/drifts/{id}",status="200"} 1`,
		`errors_total{code="INTERNAL_ERROR",path="/api/v1/summary"} 1`,
		`database_query_duration_ms_count{operation="SELECT",table="drifts"} 1`,
		`database_connections{state="idle"} 1`, `database_connections{state="used"} 2`, `database_connections{state="max"} 10`,
		`database_connection_waits_total 3`, `database_connection_wait_seconds_total 1.5`,
		`http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",http_route="/api/v1/drifts/{id}"} 1`,
		`db_client_operation_duration_seconds_count{db_operation_name="SELECT",db_system_name="postgresql",pgx_operation_type="query"} 1`,
		`driftsentry_drifts_open{origin="outside",severity="critical",status="detected"} 2`,
		`driftsentry_drifts_open{origin="pending",severity="info",status="rejected"} 0`,
		`driftsentry_scans_total{format="terraform-plan",status="complete"} 1`,
		`driftsentry_scan_duration_seconds_count{phase="parse"} 1`,
		`driftsentry_drift_acknowledge_seconds_count{severity="critical"} 1`,
		`driftsentry_drift_resolve_seconds_count{severity="critical"} 1`,
		`driftsentry_oldest_open_drift_age_seconds{severity="critical"} 36`,
		`driftsentry_oldest_open_drift_age_seconds{severity="info"} 0`,
		`driftsentry_stack_last_success_timestamp_seconds{stack="prod/network"} 1.767323045678e+09`,
		`driftsentry_stack_last_success_timestamp_seconds{stack="never"} 0`,
		`driftsentry_redactions_total{rule="name",sink="log"} 1`,
		`build_info{build_date="",commit="",go_version="go1.`, `version="1.2.3"} 1`,
		`target_info{`, `go_goroutine_count `, `process_cpu_seconds_total `,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("scrape lacks %s", want)
		}
	}
	for name, want := range map[string]string{
		"http_request_duration_ms":   "10 50 100 250 500 1000 2500 5000 +Inf",
		"database_query_duration_ms": "1 5 10 25 50 100 250 500 +Inf",
	} {
		if buckets := bucketsOf(got, name); buckets != want {
			t.Errorf("buckets of %s = %s, want %s", name, buckets, want)
		}
	}
}

// bucketsOf are the bounds of the first series of a histogram.
func bucketsOf(scrape, name string) string {
	var bounds []string
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^`+name+`_bucket\{.*le="([^"]+)"`).FindAllStringSubmatch(scrape, -1) {
		if !seen[m[1]] {
			seen[m[1]] = true
			bounds = append(bounds, m[1])
		}
	}
	return strings.Join(bounds, " ")
}

// TestExemplars lead from a bucket to a trace, and nothing else is on them.
func TestExemplars(t *testing.T) {
	tel, _, _, _ := collected(t, Options{})
	everything(t, tel)
	ctx, span := tel.tracer.Start(t.Context(), "x")
	tel.DriftResolved(ctx, "critical", time.Hour)
	span.End()
	got := scrape(t, tel, "application/openmetrics-text; version=1.0.0")
	for _, name := range []string{
		"http_requests_total", "http_request_duration_ms_bucket", "http_server_request_duration_seconds_bucket", "driftsentry_drift_resolve_seconds_bucket",
	} {
		if !regexp.MustCompile(`(?m)^` + name + `\{.*# \{(span_id="[0-9a-f]{16}",?|trace_id="[0-9a-f]{32}",?){2}\} `).MatchString(got) {
			t.Errorf("no exemplar on %s in\n%s", name, got)
		}
	}
	if !strings.HasSuffix(got, "# EOF\n") {
		t.Error("no OpenMetrics")
	}
}

// TestRecordingAllocatesNothing: what every request, query and error records must
// not make work for the garbage collector.
func TestRecordingAllocatesNothing(t *testing.T) {
	tel, _ := start(t, Options{})
	ctx := context.Background()
	info := tel.SQL(SQLOptions{Tables: []string{"drifts"}}).infos.of("SELECT 1 FROM drifts")
	for name, record := range map[string]func(){
		"request": func() {
			l := tel.labels.responses.of(responseKey{"GET", "/x", 200})
			tel.in.requests.Add(ctx, 1, l.add...)
			tel.in.requestDuration.Record(ctx, 1, l.record...)
			tel.in.serverDuration.Record(ctx, 1, tel.labels.server.of(responseKey{"GET", "/x", 200}).record...)
		},
		"error":     func() { tel.in.errors.Add(ctx, 1, tel.labels.errors.of(pair{"NOT_FOUND", "/x"}).add...) },
		"query":     func() { tel.in.queryDuration.Record(ctx, 1, info.labels.record...) },
		"scan":      func() { tel.ScanDone(ctx, "complete", "x") },
		"redaction": func() { tel.countRedaction(sinkLog, redact.RuleJWT) },
		"people":    func() { tel.DriftResolved(ctx, "critical", time.Second) },
	} {
		if n := testing.AllocsPerRun(100, record); n != 0 {
			t.Errorf("recording a %s allocates %v times, want 0", name, n)
		}
	}
}
