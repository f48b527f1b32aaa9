package review

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// stacksPerRound bounds how many stacks one round reopens drifts of; the next
// takes the others.
const stacksPerRound = 1000

// ReopenExpired makes every rejected drift detected again whose date has passed,
// stack by stack, and returns how many. A stack that fails keeps none of the
// others waiting.
func (s *Service) ReopenExpired(ctx context.Context) (int, error) {
	now := s.now()
	stacks, err := s.DB.ExpiredRejections(ctx, now, stacksPerRound)
	if err != nil {
		return 0, fmt.Errorf("reopen what was rejected until now: %w", err)
	}
	reopened := 0
	var errs []error
	for _, stack := range stacks {
		var drifts []uuid.UUID
		err := s.DB.InTx(ctx, func(tx *postgres.Tx) error {
			drifts, err = tx.ReopenExpired(ctx, stack, now, correlation.From(ctx))
			return err
		})
		switch {
		case err == nil:
			reopened += len(drifts)
		case ctx.Err() != nil, fault.KindOf(err) == fault.Unavailable:
			return reopened, errors.Join(append(errs, fmt.Errorf("reopen drifts of stack %s: %w", stack, err))...)
		default:
			errs = append(errs, fmt.Errorf("reopen drifts of stack %s: %w", stack, err))
		}
	}
	return reopened, errors.Join(errs...)
}
