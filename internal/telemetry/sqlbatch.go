package telemetry

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/trace"
)

// sqlBatch is a batch under way.
type sqlBatch struct {
	start time.Time
	last  time.Time // when the latest result was read
	seen  int
}

// TraceBatchStart implements pgx.BatchTracer.
func (s *SQLTracer) TraceBatchStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	ctx = s.otel.TraceBatchStart(ctx, conn, data)
	if span := trace.SpanFromContext(ctx); span.IsRecording() && data.Batch != nil && len(data.Batch.QueuedQueries) > 0 {
		info := s.infos.of(data.Batch.QueuedQueries[0].SQL)
		span.SetName("BATCH " + info.name)
		span.SetAttributes(info.attrs...)
	}
	now := time.Now()
	return context.WithValue(ctx, sqlKey{}, &sqlBatch{start: now, last: now})
}

// TraceBatchQuery implements pgx.BatchTracer. Each statement counts with the
// time since the one before it, so that their sum is the batch's. There is no
// span per statement: a scan of a hundred thousand drifts would make as many.
func (s *SQLTracer) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	b, ok := ctx.Value(sqlKey{}).(*sqlBatch)
	if !ok {
		return
	}
	now := time.Now()
	s.observe(ctx, s.infos.of(data.SQL), now.Sub(b.last), data.CommandTag.RowsAffected(), data.Err)
	b.last = now
	b.seen++
}

// TraceBatchEnd implements pgx.BatchTracer.
func (s *SQLTracer) TraceBatchEnd(ctx context.Context, conn *pgx.Conn, data pgx.TraceBatchEndData) {
	// A batch that failed before its first result still took its time.
	if b, ok := ctx.Value(sqlKey{}).(*sqlBatch); ok && b.seen == 0 && data.Err != nil {
		s.t.in.queryDuration.Record(ctx, milliseconds(time.Since(b.start)),
			s.t.labels.queries.of(pair{otherOperation, otherValue}).record...)
	}
	data.Err = s.spanError(ctx, data.Err)
	s.otel.TraceBatchEnd(ctx, conn, data)
}
