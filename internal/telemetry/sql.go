package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// SQLOptions describe the database to its tracer.
type SQLOptions struct {
	// Tables are ours, in lower case and without their schema; other names
	// never become labels.
	Tables []string
	// Host, Port and Database go on the spans; empty ones don't.
	Host     string
	Port     int
	Database string
}

// SQLTracer watches every query, batch, copy, prepare and connect of a pool:
// set it as pgx.ConnConfig.Tracer. It never looks at a query's parameters.
type SQLTracer struct {
	t       *Telemetry
	otel    *otelpgx.Tracer
	infos   *memo[string, *sqlInfo]
	copies  *memo[string, *sqlInfo]
	prepare *memo[string, string]
}

// maxStatements is far above the number of statements in the code, and bounds
// the memory if somebody builds SQL at run time after all.
const maxStatements = 1000

// SQL makes the tracer of one pool.
func (t *Telemetry) SQL(o SQLOptions) *SQLTracer {
	tables := setOf(o.Tables...)
	s := &SQLTracer{t: t}
	s.infos = newMemo(maxStatements, func(sql string) *sqlInfo { return newSQLInfo(sql, tables, t.labels.queries.of) })
	s.copies = newMemo(maxStatements, func(table string) *sqlInfo {
		return newSQLInfo("COPY "+table, tables, t.labels.queries.of)
	})
	s.prepare = newMemo(maxStatements, func(sql string) string { return "PREPARE " + s.infos.of(sql).name })

	var where []attribute.KeyValue
	if o.Host != "" {
		where = append(where, semconv.ServerAddress(o.Host))
	}
	if o.Port != 0 {
		where = append(where, semconv.ServerPort(o.Port))
	}
	if o.Database != "" {
		where = append(where, semconv.DBNamespace(o.Database))
	}
	s.otel = otelpgx.NewTracer(
		otelpgx.WithTracerProvider(t.providers.traces),
		otelpgx.WithMeterProvider(t.providers.meters),
		otelpgx.WithSpanNameFunc(func(sql string) string { return s.infos.of(sql).name }),
		otelpgx.WithMetricOperationName(func(_ context.Context, sql string) string { return s.infos.of(sql).operation }),
		// Both are put on the span here: the first without literals, the second
		// without copying the connection's configuration each time.
		otelpgx.WithDisableSQLStatementInAttributes(),
		otelpgx.WithDisableConnectionDetailsInAttributes(),
		otelpgx.WithTracerAttributes(where...),
		otelpgx.WithDisableAcquireTracer(), // the pool's wait counters tell it
	)
	return s
}

type sqlKey struct{}

// sqlWork is a query, batch or copy under way.
type sqlWork struct {
	start time.Time
	info  *sqlInfo
}

// begin notes what starts, and dresses the span that otelpgx made of it.
func (s *SQLTracer) begin(ctx context.Context, info *sqlInfo) context.Context {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.SetAttributes(info.attrs...)
	}
	return context.WithValue(ctx, sqlKey{}, &sqlWork{start: time.Now(), info: info})
}

// TraceQueryStart implements pgx.QueryTracer.
func (s *SQLTracer) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	data.Args = nil
	return s.begin(s.otel.TraceQueryStart(ctx, conn, data), s.infos.of(data.SQL))
}

// TraceQueryEnd implements pgx.QueryTracer.
func (s *SQLTracer) TraceQueryEnd(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryEndData) {
	if w, ok := ctx.Value(sqlKey{}).(*sqlWork); ok {
		s.observe(ctx, w.info, time.Since(w.start), data.CommandTag.RowsAffected(), data.Err)
	}
	data.Err = s.spanError(ctx, data.Err)
	s.otel.TraceQueryEnd(ctx, conn, data)
}

// observe records one statement's duration, and tells of a slow one.
func (s *SQLTracer) observe(ctx context.Context, info *sqlInfo, took time.Duration, rows int64, err error) {
	s.t.in.queryDuration.Record(ctx, milliseconds(took), info.labels.record...)
	if took < s.t.opts.SlowQuery {
		return
	}
	s.t.log.emit(ctx, slog.LevelWarn, "Slow query detected",
		slog.String("query", info.name), slog.String("operation", info.operation), slog.String("table", info.table),
		slog.Float64("duration", milliseconds(took)), slog.Float64("threshold", milliseconds(s.t.opts.SlowQuery)),
		slog.Int64("rows", rows), slog.Bool("failed", err != nil), slog.String("statement", info.statement))
}

// spanError is err as the span may show it, with its kind on the span.
func (s *SQLTracer) spanError(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return err
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		span.SetAttributes(semconv.DBResponseStatusCode(pg.Code), semconv.ErrorTypeKey.String(pg.Code))
		// Cleaned with its SQLSTATE, which tells whether the message quotes data.
		// A copy: detail, hint and context hold rows and parameters.
		message := strings.TrimPrefix(s.t.clean.text(sinkSpan, pg.Error()), pg.Severity+": ")
		message = strings.TrimSuffix(message, " (SQLSTATE "+pg.Code+")")
		return &pgconn.PgError{Severity: pg.Severity, Code: pg.Code, Message: message}
	}
	span.SetAttributes(semconv.ErrorTypeKey.String(innermostType(err)))
	return err // the exporter cleans its text
}

// TraceCopyFromStart implements pgx.CopyFromTracer.
func (s *SQLTracer) TraceCopyFromStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceCopyFromStartData) context.Context {
	info := s.copies.of(strings.Join(data.TableName, "."))
	ctx = s.otel.TraceCopyFromStart(ctx, conn, data)
	trace.SpanFromContext(ctx).SetName(info.name) // otelpgx has a name of its own for it
	return s.begin(ctx, info)
}

// TraceCopyFromEnd implements pgx.CopyFromTracer.
func (s *SQLTracer) TraceCopyFromEnd(ctx context.Context, conn *pgx.Conn, data pgx.TraceCopyFromEndData) {
	if w, ok := ctx.Value(sqlKey{}).(*sqlWork); ok {
		s.observe(ctx, w.info, time.Since(w.start), data.CommandTag.RowsAffected(), data.Err)
	}
	data.Err = s.spanError(ctx, data.Err)
	s.otel.TraceCopyFromEnd(ctx, conn, data)
}

// TracePrepareStart implements pgx.PrepareTracer.
func (s *SQLTracer) TracePrepareStart(ctx context.Context, conn *pgx.Conn, data pgx.TracePrepareStartData) context.Context {
	ctx = s.otel.TracePrepareStart(ctx, conn, data)
	trace.SpanFromContext(ctx).SetName(s.prepare.of(data.SQL))
	return ctx
}

// TracePrepareEnd implements pgx.PrepareTracer.
func (s *SQLTracer) TracePrepareEnd(ctx context.Context, conn *pgx.Conn, data pgx.TracePrepareEndData) {
	data.Err = s.spanError(ctx, data.Err)
	s.otel.TracePrepareEnd(ctx, conn, data)
}

// TraceConnectStart implements pgx.ConnectTracer.
func (s *SQLTracer) TraceConnectStart(ctx context.Context, data pgx.TraceConnectStartData) context.Context {
	return s.otel.TraceConnectStart(ctx, data)
}

// TraceConnectEnd implements pgx.ConnectTracer.
func (s *SQLTracer) TraceConnectEnd(ctx context.Context, data pgx.TraceConnectEndData) {
	data.Err = s.spanError(ctx, data.Err)
	s.otel.TraceConnectEnd(ctx, data)
}
