package telemetry

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

// traced is a pool on a real database with a table "things", watched by tel.
func traced(t *testing.T, tel *Telemetry) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(pgtest.EmptyURL(t))
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 2
	config.ConnConfig.Tracer = tel.SQL(SQLOptions{Tables: []string{"things"}, Host: "db.example", Port: 5432, Database: "drift"})
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if _, err := pool.Exec(t.Context(), "CREATE TABLE things (id int PRIMARY KEY, name text UNIQUE)"); err != nil {
		t.Fatal(err)
	}
	return pool
}

// TestSQL runs every kind of work against a real database: what is measured,
// named and never shown.
func TestSQL(t *testing.T) {
	t.Parallel()
	tel, spans, out := recording(t)
	pool := traced(t, tel)
	ctx := correlation.With(t.Context(), correlation.IDs{Correlation: "abc123"})
	ctx, parent := tel.tracer.Start(ctx, "parent")

	exec := func(sql string, args ...any) error {
		_, err := pool.Exec(ctx, sql, args...)
		return err
	}
	if err := exec("-- name: AddThing\nINSERT INTO things VALUES ($1, $2)", 1, "planted-name"); err != nil {
		t.Fatal(err)
	}
	var pg *pgconn.PgError
	if err := exec("-- name: AddTwice\nINSERT INTO things VALUES ($1, $2)", 2, "planted-name"); !errors.As(err, &pg) || !strings.Contains(pg.Detail, "planted") {
		t.Fatalf("the duplicate gave %v, want a detail with the value", err)
	}
	if err := exec("-- name: BadCast\nSELECT $1::text::uuid", "planted-uuid"); err == nil {
		t.Fatal("the cast worked")
	}
	var name string
	if err := pool.QueryRow(ctx, "-- name: GetThing\nSELECT name FROM things WHERE id = $1", 99).Scan(&name); !errors.Is(err, pgx.ErrNoRows) {
		t.Fatalf("no rows gave %v", err)
	}
	batch := &pgx.Batch{}
	batch.Queue("-- name: Touch\nUPDATE things SET name = $1 WHERE id = $2", "planted-batch", 1)
	batch.Queue("-- name: Touch\nUPDATE things SET name = $1 WHERE id = $2", "x", 3)
	if err := pool.SendBatch(ctx, batch).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.CopyFrom(ctx, pgx.Identifier{"things"}, []string{"id", "name"}, pgx.CopyFromRows([][]any{{7, "planted-copy"}})); err != nil {
		t.Fatal(err)
	}
	parent.End()

	metrics := scrape(t, tel, "")
	for want, n := range map[string]string{
		`operation="INSERT",table="things"`: "2", `operation="SELECT",table="things"`: "1", `operation="SELECT",table="other"`: "1",
		`operation="UPDATE",table="things"`: "2", `operation="COPY",table="things"`: "1",
	} {
		if !strings.Contains(metrics, "database_query_duration_ms_count{"+want+"} "+n+"\n") {
			t.Errorf("scrape lacks %s %s:\n%s", want, n, grep(metrics, "database_query_duration_ms_count"))
		}
	}
	checkSQLSpans(t, spans.Ended())
	if strings.Contains(out.String()+metrics, "planted") {
		t.Error("a parameter got into the log or the metrics")
	}
}

func checkSQLSpans(t *testing.T, ended []sdktrace.ReadOnlySpan) {
	t.Helper()
	byName := map[string]sdktrace.ReadOnlySpan{}
	for _, s := range ended {
		if strings.HasPrefix(s.Name(), "PREPARE ") || s.Name() == "connect" || strings.HasPrefix(s.Name(), "CREATE") {
			continue
		}
		byName[s.Name()] = s
		if id := plainAttributes(s.Attributes())["correlation_id"]; id != "abc123" {
			t.Errorf("span %s has correlation_id %v", s.Name(), id)
		}
		for _, text := range texts(s) {
			if strings.Contains(text, "planted") {
				t.Errorf("span %s shows a value: %s", s.Name(), text)
			}
		}
	}
	for _, name := range []string{"AddThing", "AddTwice", "BadCast", "GetThing", "BATCH Touch", "COPY things"} {
		if byName[name] == nil {
			t.Errorf("no span %q among %v", name, byName)
		}
	}
	if t.Failed() {
		return
	}
	want := map[string]any{
		"correlation_id": "abc123", "db.system.name": "postgresql", "db.namespace": "drift", "server.address": "db.example", "server.port": int64(5432),
		"db.operation.name": "INSERT", "db.collection.name": "things", "db.query.summary": "INSERT things",
		"db.query.text": "INSERT INTO things VALUES ($1, $2)", "pgx.rows_affected": int64(1),
	}
	if diff := cmp.Diff(want, plainAttributes(byName["AddThing"].Attributes())); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	if s := byName["AddTwice"]; s.Status().Code.String() != "Error" || plainAttributes(s.Attributes())["db.response.status_code"] != "23505" {
		t.Errorf("failed query's span: %v %v", s.Status(), s.Attributes())
	}
	if s := byName["GetThing"]; s.Status().Code.String() != "Unset" {
		t.Errorf("no rows is an error on the span: %v", s.Status())
	}
}

// texts is everything a span says.
func texts(s sdktrace.ReadOnlySpan) []string {
	all := []string{s.Name(), s.Status().Description}
	for _, kv := range s.Attributes() {
		all = append(all, kv.Value.String())
	}
	for _, e := range s.Events() {
		for _, kv := range e.Attributes {
			all = append(all, kv.Value.String())
		}
	}
	return all
}

func grep(text, part string) string {
	return strings.Join(regexp.MustCompile(`(?m)^.*`+part+`.*$`).FindAllString(text, -1), "\n")
}

func TestSlowQuery(t *testing.T) {
	t.Parallel()
	tel, out := start(t, Options{SlowQuery: time.Nanosecond})
	tracer := tel.SQL(SQLOptions{Tables: []string{"drifts"}})
	const sql = "-- name: ListDrifts\nSELECT 1 FROM drifts WHERE a = $1"
	ctx := correlation.With(t.Context(), correlation.IDs{Correlation: "abc123"})
	ctx = tracer.TraceQueryStart(ctx, nil, pgx.TraceQueryStartData{SQL: sql, Args: []any{"planted"}})
	tracer.TraceQueryEnd(ctx, nil, pgx.TraceQueryEndData{})
	line := out.one(t, "Slow query detected")
	for key, want := range map[string]any{
		"level": "warn", "query": "ListDrifts", "operation": "SELECT", "table": "drifts", "correlationId": "abc123",
		"statement": "SELECT 1 FROM drifts WHERE a = $1", "failed": false,
	} {
		if line[key] != want {
			t.Errorf("%s = %v, want %v", key, line[key], want)
		}
	}
	if strings.Contains(out.String(), "planted") {
		t.Error("a parameter is in the line")
	}
	tel, out = start(t, Options{})
	benchmarkQuery(t.Context(), tel.SQL(SQLOptions{}), sql)
	if out.String() != "" {
		t.Errorf("a fast query was logged: %s", out)
	}
}

// TestFailedBatchCounts: a batch that never got a result still took its time.
func TestFailedBatchCounts(t *testing.T) {
	t.Parallel()
	tel, _ := start(t, Options{})
	tracer := tel.SQL(SQLOptions{})
	ctx := tracer.TraceBatchStart(t.Context(), nil, pgx.TraceBatchStartData{Batch: &pgx.Batch{}})
	tracer.TraceBatchEnd(ctx, nil, pgx.TraceBatchEndData{Err: errTest})
	if got := scrape(t, tel, ""); !strings.Contains(got, `database_query_duration_ms_count{operation="OTHER",table="other"} 1`) {
		t.Error("the failed batch was not counted")
	}
}

// TestManyStatementsAreBounded: SQL built at run time costs time, not memory.
func TestManyStatementsAreBounded(t *testing.T) {
	t.Parallel()
	m := newMemo(10, func(k int) int { return k * 2 })
	for k := range 100 {
		if got := m.of(k); got != k*2 {
			t.Errorf("of(%d) = %d", k, got)
		}
	}
	if n := len(*m.known.Load()); n != 10 {
		t.Errorf("%d keys are remembered, want 10", n)
	}
}

func benchmarkQuery(ctx context.Context, tracer *SQLTracer, sql string) {
	ctx = tracer.TraceQueryStart(ctx, nil, pgx.TraceQueryStartData{SQL: sql})
	tracer.TraceQueryEnd(ctx, nil, pgx.TraceQueryEndData{})
}
