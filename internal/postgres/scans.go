package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/drift"
)

// Scan is one report on one stack, as it is stored.
type Scan struct {
	ID         uuid.UUID
	ReceivedAt time.Time
	drift.Report
	// Superseded scans were taken before one that had been applied already:
	// they are kept, and changed nothing.
	Superseded    bool
	PayloadSHA256 [32]byte
	PayloadBytes  int64
	Counts        ScanCounts
	Receipt       json.RawMessage
	CI            json.RawMessage // nil when the upload said nothing of its run
	Actor         audit.Actor
	IDs           correlation.IDs

	// Message says what failed, of a scan that is nothing but word of that; reads
	// fill it in from the receipt.
	Message string
	// Stack is the stack's name; reads fill it in, writes do not use it.
	Stack   string
	StackID uuid.UUID // likewise
}

// ScanCounts says what became of the resources of a report.
type ScanCounts struct {
	Detected, Known, Reopened, Resolved, Noise int
}

// ScanByPayload returns the receipt of the scan of this stack that had this
// very payload, and whether there was one.
func (tx *Tx) ScanByPayload(ctx context.Context, stack *Stack, sha256 [32]byte) (json.RawMessage, bool, error) {
	var receipt json.RawMessage
	err := tx.tx.QueryRow(ctx, `-- name: ScanByPayload
		SELECT receipt FROM scans WHERE stack_id = $1 AND payload_sha256 = $2`, stack.ID, sha256[:]).Scan(&receipt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, classify(fmt.Errorf("scan by payload: %w", err))
	}
	return receipt, true, nil
}

// InsertScan stores the scan itself and what it says of its stack's
// freshness. It is Conflict when the stack has a scan with the same payload.
func (tx *Tx) InsertScan(ctx context.Context, up *Upload) error {
	s := &up.Scan
	_, err := tx.tx.Exec(ctx, `-- name: InsertScan
		INSERT INTO scans (id, stack_id, received_at, taken_at, format, format_version, tool, tool_version,
			status, superseded, outside, pending, payload_sha256, payload_bytes,
			resources, detected, known, reopened, resolved, noise,
			receipt, ci, uploaded_by, correlation_id, trace_id, span_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
			$21, $22, nullif($23, ''), $24, $25, $26)`,
		s.ID, up.Stack.ID, up.at(), orNull(s.TakenAt), s.Format, s.FormatVersion, s.Tool, s.ToolVersion,
		s.Status, s.Superseded, s.Outside, s.Pending, s.PayloadSHA256[:], s.PayloadBytes,
		s.Resources, s.Counts.Detected, s.Counts.Known, s.Counts.Reopened, s.Counts.Resolved, s.Counts.Noise,
		s.Receipt, s.CI, s.Actor.Name, s.IDs.Correlation, s.IDs.Trace, s.IDs.Span)
	if err != nil {
		return classify(fmt.Errorf("insert scan: %w", err))
	}
	taken := s.TakenAt
	if taken.IsZero() {
		taken = s.ReceivedAt
	}
	_, err = tx.tx.Exec(ctx, `-- name: FreshenStack
		UPDATE stacks SET last_scan_id = $2, last_scan_at = $3, last_scan_status = $4,
			last_complete_at = CASE WHEN $4 = 'complete' AND NOT $6 THEN $3 ELSE last_complete_at END,
			last_taken_at = CASE WHEN $6 OR NOT $7 THEN last_taken_at ELSE greatest(last_taken_at, $5) END
		WHERE id = $1`,
		// What tells of neither origin supersedes no report that does.
		up.Stack.ID, s.ID, up.at(), s.Status, storedTime(taken), s.Superseded, s.Outside || s.Pending)
	if err != nil {
		return classify(fmt.Errorf("freshen stack: %w", err))
	}
	return nil
}

// AdvanceCoverage counts the scan for the origins it covers. It is called
// once for an applied scan, complete or not, at any point of its transaction.
func (tx *Tx) AdvanceCoverage(ctx context.Context, up *Upload) error {
	_, err := tx.tx.Exec(ctx, `-- name: AdvanceCoverage
		UPDATE coverage SET scans = scans + 1, scanned_at = $3, scan_id = $4
		WHERE stack_id = $1 AND origin = ANY ($2)`,
		up.Stack.ID, up.covered(), up.at(), up.Scan.ID)
	if err != nil {
		return classify(fmt.Errorf("advance coverage: %w", err))
	}
	return nil
}

// covered lists the origins of which the scan's silence means something.
func (u *Upload) covered() []drift.Origin {
	covered := []drift.Origin{}
	for _, o := range drift.Origins() {
		if u.Scan.Covers(o) {
			covered = append(covered, o)
		}
	}
	return covered
}
