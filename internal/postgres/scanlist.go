package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/fault"
)

// ScanQuery asks for one page of scans, newest first.
type ScanQuery struct {
	Stack string    // a stack's exact name; empty means all stacks
	After uuid.UUID // the last scan of the page before; Nil for the first page
	Limit int
}

// scanColumns leaves out the receipt: the list does not show it, and it can
// be long.
const scanColumns = `s.id, s.stack_id, k.name, s.received_at, s.taken_at, s.format, s.format_version, s.tool,
	s.tool_version, s.status, s.superseded, s.outside, s.pending, s.payload_sha256, s.payload_bytes, s.resources,
	s.detected, s.known, s.reopened, s.resolved, s.noise, s.ci, s.uploaded_by, s.correlation_id, s.trace_id, s.span_id,
	CASE WHEN s.status = 'errored' THEN s.receipt->>'message' END`

func scanScan(row pgx.CollectableRow) (Scan, error) {
	var s Scan
	var taken *time.Time
	var sha256 []byte
	var uploader, message *string
	err := row.Scan(&s.ID, &s.StackID, &s.Stack, &s.ReceivedAt, &taken, &s.Format, &s.FormatVersion, &s.Tool,
		&s.ToolVersion, &s.Status, &s.Superseded, &s.Outside, &s.Pending, &sha256, &s.PayloadBytes, &s.Resources,
		&s.Counts.Detected, &s.Counts.Known, &s.Counts.Reopened, &s.Counts.Resolved, &s.Counts.Noise,
		&s.CI, &uploader, &s.IDs.Correlation, &s.IDs.Trace, &s.IDs.Span, &message)
	if err != nil {
		return Scan{}, fmt.Errorf("read a scan: %w", err)
	}
	s.ReceivedAt, s.TakenAt = s.ReceivedAt.UTC(), orZero(taken)
	s.Actor.Name, s.Message = orEmpty(uploader), orEmpty(message)
	copy(s.PayloadSHA256[:], sha256)
	return s, nil
}

// Scan returns one scan without its receipt, NotFound when there is none with
// that id.
func (db *DB) Scan(ctx context.Context, id uuid.UUID) (*Scan, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	return one(ctx, db.pool, "scan", scanScan, fault.New(fault.NotFound, "no such scan"), `-- name: Scan
		SELECT `+scanColumns+` FROM scans s JOIN stacks k ON k.id = s.stack_id WHERE s.id = $1`, id)
}

// Scans returns the page that q asks for, without receipts, and whether there
// are more after it.
func (db *DB) Scans(ctx context.Context, q ScanQuery) ([]Scan, bool, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	if q.After == uuid.Nil {
		q.After = uuid.Max
	}
	sql, args := `-- name: ListScans
		SELECT `+scanColumns+` FROM scans s JOIN stacks k ON k.id = s.stack_id
		WHERE s.id < $1 ORDER BY s.id DESC LIMIT $2`, []any{q.After, q.Limit + 1}
	if q.Stack != "" {
		sql, args = `-- name: ListScansOfStack
			SELECT `+scanColumns+` FROM scans s JOIN stacks k ON k.id = s.stack_id
			WHERE s.id < $1 AND s.stack_id = (SELECT id FROM stacks WHERE name = $3) ORDER BY s.id DESC LIMIT $2`, append(args, q.Stack)
	}
	return pageOf(ctx, db.pool, "scans", scanScan, q.Limit, sql, args...)
}
