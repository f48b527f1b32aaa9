package main

import (
	"context"
	"time"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/httpapi"
	"github.com/driftsentry/driftsentry/internal/jobs"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// tasks are what the service does without being asked. Names are label values of
// metrics; a new one also goes into telemetry's list.
func (s *service) tasks() []jobs.Task {
	return []jobs.Task{
		{Name: "reopen-expired", Every: time.Minute, Work: s.reopenExpired},
		{Name: "purge-sessions", Every: time.Hour, Work: s.purge},
	}
}

// reopenExpired takes up again what was rejected until now.
func (s *service) reopenExpired(ctx context.Context) error {
	n, err := s.review.ReopenExpired(ctx)
	if n > 0 {
		s.log.InfoContext(ctx, "Rejections ended", "drifts", n)
	}
	return err
}

// purge forgets logins that ended long ago, some at a time so that no lock is
// held for long.
func (s *service) purge(ctx context.Context) error {
	for {
		var removed int64
		err := s.db.InTx(ctx, func(tx *postgres.Tx) (err error) {
			removed, err = tx.Purge(ctx, time.Now())
			return err
		})
		if err != nil || removed == 0 {
			return err
		}
	}
}

// jobTrouble hears what keeps background work from being done.
func (s *service) jobTrouble(ctx context.Context, err error) {
	s.log.WarnContext(ctx, "Background work waits", "error", err)
}

// decided counts how long it took until somebody did something about a drift.
func (s *service) decided(ctx context.Context, was, is *postgres.Drift) {
	if was.AcknowledgedAt.IsZero() && !is.AcknowledgedAt.IsZero() {
		s.tel.DriftAcknowledged(ctx, string(is.Severity), is.AcknowledgedAt.Sub(is.DetectedAt))
	}
	if is.Status == drift.Resolved {
		s.tel.DriftResolved(ctx, string(is.Severity), is.ResolvedAt.Sub(is.DetectedAt))
	}
}

// errorsOf are the tracked errors of one correlation id.
func (s *service) errorsOf(correlationID string) []httpapi.TrackedError {
	groups := s.tel.ErrorsOf(correlationID)
	tracked := make([]httpapi.TrackedError, len(groups))
	for i, g := range groups {
		tracked[i] = httpapi.TrackedError(g)
	}
	return tracked
}
