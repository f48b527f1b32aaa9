package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/driftsentry/driftsentry/internal/httpapi"
)

// flushReserve is the part of SHUTDOWN_TIMEOUT that requests in flight may not
// use up, at most half of it: what they did must still be told.
const flushReserve = 5 * time.Second

// stop ends the service in order. Every step is attempted whatever became of
// the one before, all within SHUTDOWN_TIMEOUT; the error says what was left.
func (s *service) stop(ctx context.Context, why string) error {
	started := time.Now()
	deadline := started.Add(s.cfg.ShutdownTimeout)
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	// The second signal stops at once: what is left is left.
	go func() {
		select {
		case <-s.signals:
			cancel()
		case <-ctx.Done():
		}
	}()

	s.log.InfoContext(ctx, "Shutting down gracefully", "reason", why, "timeout", s.cfg.ShutdownTimeout.String())
	s.api.Drain()
	s.wait(ctx, s.cfg.ShutdownDelay)

	errs := []error{s.closeHTTP(ctx, deadline.Add(-min(flushReserve, s.cfg.ShutdownTimeout/2)))}
	if err := s.jobs.Stop(ctx); err != nil {
		errs = append(errs, fmt.Errorf("stop background work: %w", err))
	}
	s.accounts.Close()
	errs = append(errs, s.closeDatabase(ctx))

	if err := s.tel.Shutdown(ctx); err != nil {
		errs = append(errs, fmt.Errorf("telemetry left unsent: %w", err))
	}
	if err := errors.Join(errs...); err != nil {
		s.log.ErrorContext(ctx, "Shutdown incomplete", "error", err, "duration", milliseconds(time.Since(started)))
		return errReported
	}
	s.log.InfoContext(ctx, "Shutdown complete", "duration", milliseconds(time.Since(started)))
	return nil
}

// wait gives load balancers time to see the failing readiness probe. Requests
// are still served meanwhile.
func (s *service) wait(ctx context.Context, delay time.Duration) {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// closeHTTP stops listening and lets requests in flight finish until the
// deadline; those that did not are named and cut off.
func (s *service) closeHTTP(ctx context.Context, deadline time.Time) error {
	until, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	errs := []error{lastCall(s.listener)}
	s.newcomers.settle(until)
	if err := s.http.Shutdown(until); err != nil {
		stuck := s.api.InFlight()
		for _, f := range stuck {
			s.log.ErrorContext(ctx, "Request cut off", "method", f.Method, "path", f.Path,
				"correlationId", f.CorrelationID, "duration", milliseconds(time.Since(f.Since)))
		}
		errs = append(errs, fmt.Errorf("close the HTTP server: %w; %d requests were still running: %s", err, len(stuck), describe(stuck)), s.http.Close())
	} else {
		s.log.InfoContext(ctx, "HTTP server closed")
	}
	return errors.Join(errs...)
}

// describe names a few of the requests that were cut off.
func describe(stuck []httpapi.Flight) string {
	const most = 5
	text := ""
	for i, f := range stuck {
		if i == most {
			return text + fmt.Sprintf(", and %d more", len(stuck)-most)
		}
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s %s (%s)", f.Method, f.Path, f.CorrelationID)
	}
	return text
}

// closeDatabase ends the connections. A query that hangs does not hold it up
// past ctx.
func (s *service) closeDatabase(ctx context.Context) error {
	closed := make(chan struct{})
	go func() {
		s.db.Close()
		close(closed)
	}()
	select {
	case <-closed:
		s.log.InfoContext(ctx, "Database disconnected")
		return nil
	case <-ctx.Done():
		return errors.New("the database's connections were still in use")
	}
}

// abandon frees what was built when there is nothing to finish.
func (s *service) abandon(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushReserve)
	defer cancel()
	var errs []error
	if s.jobs != nil {
		errs = append(errs, s.jobs.Stop(ctx))
	}
	if s.accounts != nil {
		s.accounts.Close()
	}
	s.db.Close()
	return errors.Join(append(errs, s.tel.Shutdown(ctx))...)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
