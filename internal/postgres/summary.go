package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// SummaryWindow is how far back the durations of a summary look, and
// SummarySample how many drifts at most they are of: the newest.
const (
	SummaryWindow = 30 * 24 * time.Hour
	SummarySample = 10_000
)

// Summary is the state of everything in a few numbers.
type Summary struct {
	// ByOrigin has every origin: the two are different news and never added up.
	ByOrigin   map[drift.Origin]*OriginSummary
	OldestOpen *Drift // as OldestOpen of DB means it; nil when nothing waits
	// From detection to the first decision, and to the end.
	Acknowledge Durations
	Resolve     Durations
}

// OriginSummary counts the drifts of one origin. Every status and severity is
// there; severities are those of open drifts.
type OriginSummary struct {
	Open       int64
	ByStatus   map[drift.Status]int64
	BySeverity map[drift.Severity]int64
}

// Durations says how long something took, over the summary's window. All are
// zero when it never happened there.
type Durations struct {
	Drifts            int64
	Average, P50, P95 time.Duration
}

// Summary returns the state of everything. What it costs does not grow with
// the number of drifts.
func (db *DB) Summary(ctx context.Context, now time.Time) (*Summary, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	counts, err := db.bucketCounts(ctx)
	if err != nil {
		return nil, err
	}
	s := newSummary(counts)
	if s.OldestOpen, err = db.oldestWaiting(ctx); err != nil {
		return nil, err
	}
	since := storedTime(now.Add(-SummaryWindow))
	if s.Acknowledge, err = db.durations(ctx, `-- name: AcknowledgeDurations
		SELECT count(*), avg(took), percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY took) FROM (
			SELECT extract(epoch FROM acknowledged_at - detected_at)::float8 AS took FROM drifts
			WHERE acknowledged_at >= $1 ORDER BY acknowledged_at DESC LIMIT $2) AS newest`, since); err != nil {
		return nil, err
	}
	if s.Resolve, err = db.durations(ctx, `-- name: ResolveDurations
		SELECT count(*), avg(took), percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY took) FROM (
			SELECT extract(epoch FROM resolved_at - detected_at)::float8 AS took FROM drifts
			WHERE resolved_at >= $1 ORDER BY resolved_at DESC LIMIT $2) AS newest`, since); err != nil {
		return nil, err
	}
	return s, nil
}

func newSummary(counts [bucketCount]int64) *Summary {
	s := &Summary{ByOrigin: make(map[drift.Origin]*OriginSummary)}
	for _, o := range drift.Origins() {
		s.ByOrigin[o] = &OriginSummary{ByStatus: make(map[drift.Status]int64), BySeverity: make(map[drift.Severity]int64)}
	}
	for b := range bucketCount {
		n, of := counts[b], s.ByOrigin[b.origin()]
		of.ByStatus[b.status()] += n
		if b >= firstResolved {
			n = 0
		}
		of.BySeverity[b.severity()] += n
		of.Open += n
	}
	return s
}

// oldestWaiting is the oldest drift that waits for somebody; nil when none does.
func (db *DB) oldestWaiting(ctx context.Context) (*Drift, error) {
	page, _, err := db.Drifts(ctx, DriftQuery{
		Statuses: []drift.Status{drift.Detected, drift.Triaged, drift.Approved}, Sort: Oldest, Limit: 1,
	})
	if err != nil || len(page) == 0 {
		return nil, err
	}
	return &page[0], nil
}

func (db *DB) durations(ctx context.Context, sql string, since time.Time) (Durations, error) {
	var d Durations
	var average *float64
	var percentiles []float64
	err := db.pool.QueryRow(ctx, sql, since, SummarySample).Scan(&d.Drifts, &average, &percentiles)
	if err != nil {
		return d, classify(fmt.Errorf("durations: %w", err))
	}
	if d.Drifts > 0 && average != nil && len(percentiles) == 2 {
		seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
		d.Average, d.P50, d.P95 = seconds(*average), seconds(percentiles[0]), seconds(percentiles[1])
	}
	return d, nil
}
