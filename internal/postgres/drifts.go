package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
)

// Drift is one stored drift. Times that have not come, and ids that do not
// apply, are zero.
type Drift struct {
	ID         uuid.UUID
	StackID    uuid.UUID
	Stack      string
	ScanID     uuid.UUID // the scan that found it
	PreviousID uuid.UUID

	Address, Type, Provider  string
	CloudID, Region, Account string

	Origin         drift.Origin
	Action         drift.Action
	Severity       drift.Severity
	SeverityReason string
	Status         drift.Status

	DetectedAt      time.Time
	LastSeenAt      time.Time
	TimesSeen       int64
	StatusChangedAt time.Time
	AcknowledgedAt  time.Time // when somebody first decided anything about it
	QuietUntil      time.Time
	ResolvedAt      time.Time
	Resolution      string // "disappeared" or "resolved"; empty while it is open

	// Fingerprint is of the changes, hidden values included: another one says
	// that something else differs, or differs otherwise.
	Fingerprint drift.Fingerprint

	Changes json.RawMessage // a JSON array, as drift.AppendChanges writes it
	Noise   json.RawMessage // likewise; nil when there is none
	CI      json.RawMessage // what is known of the run of that scan; nil for nothing
	IDs     correlation.IDs // of the scan that found it
}

var errNoDrift = fault.New(fault.NotFound, "no such drift")

// driftSelect reads drifts d. What is counted of an open one goes on with its
// stack's coverage: see the schema.
const driftSelect = `
	SELECT d.id, d.stack_id, k.name, d.scan_id, d.previous_id, d.address, d.type, d.provider, d.cloud_id, d.region,
		d.account, d.origin, d.action, d.severity, d.severity_reason, d.status, d.detected_at,
		CASE WHEN d.status <> 'resolved' AND c.scans > d.seen_scans THEN c.scanned_at ELSE d.last_seen_at END,
		d.times_seen + CASE WHEN d.status <> 'resolved' THEN c.scans - d.seen_scans ELSE 0 END,
		d.status_changed_at, d.acknowledged_at, d.quiet_until, d.resolved_at, d.resolution, d.fingerprint, d.changes, d.noise,
		s.ci, s.correlation_id, s.trace_id, s.span_id`

const driftJoins = `
	JOIN stacks k ON k.id = d.stack_id
	JOIN coverage c ON c.stack_id = d.stack_id AND c.origin = d.origin
	LEFT JOIN scans s ON s.id = d.scan_id`

func scanDrift(row pgx.CollectableRow) (Drift, error) {
	var d Drift
	var previous uuid.NullUUID
	var acknowledged, quiet, resolved *time.Time
	var resolution, corr, trace, span *string
	var fingerprint []byte
	err := row.Scan(&d.ID, &d.StackID, &d.Stack, &d.ScanID, &previous, &d.Address, &d.Type, &d.Provider, &d.CloudID,
		&d.Region, &d.Account, &d.Origin, &d.Action, &d.Severity, &d.SeverityReason, &d.Status, &d.DetectedAt,
		&d.LastSeenAt, &d.TimesSeen, &d.StatusChangedAt, &acknowledged, &quiet, &resolved, &resolution,
		&fingerprint, &d.Changes, &d.Noise, &d.CI, &corr, &trace, &span)
	if err != nil {
		return Drift{}, fmt.Errorf("read a drift: %w", err)
	}
	d.PreviousID = previous.UUID
	d.DetectedAt, d.LastSeenAt, d.StatusChangedAt = d.DetectedAt.UTC(), d.LastSeenAt.UTC(), d.StatusChangedAt.UTC()
	d.AcknowledgedAt, d.QuietUntil, d.ResolvedAt = orZero(acknowledged), orZero(quiet), orZero(resolved)
	d.Resolution = orEmpty(resolution)
	copy(d.Fingerprint[:], fingerprint)
	d.IDs = correlation.IDs{Correlation: orEmpty(corr), Trace: orEmpty(trace), Span: orEmpty(span)}
	return d, nil
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Drift returns one drift, NotFound when there is none with that id.
func (db *DB) Drift(ctx context.Context, id uuid.UUID) (*Drift, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	return readDrift(ctx, db.pool, id)
}

func readDrift(ctx context.Context, q querier, id uuid.UUID) (*Drift, error) {
	return one(ctx, q, "drift", scanDrift, errNoDrift, `-- name: Drift`+driftSelect+`
		FROM drifts d`+driftJoins+`
		WHERE d.id = $1`, id)
}
