package accounts

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/secret"
)

var errBadRefresh = fault.New(fault.Unauthenticated, "the refresh token is not valid any more; log in again")

// Refresh takes a refresh token for a new pair of tokens. Each works once: one
// that comes a second time was stolen, or its new pair was, so the whole session
// ends (RFC 9700, section 4.14.2).
func (s *Service) Refresh(ctx context.Context, token secret.String, from audit.Actor) (Tokens, error) {
	old, wellFormed := auth.HashRefreshToken(token.Reveal())
	if !wellFormed {
		return Tokens{}, errBadRefresh
	}
	var tokens Tokens
	reused := uuid.Nil // the session that ends, and the transaction is kept
	err := s.DB.InTx(ctx, func(tx *postgres.Tx) error {
		reused = uuid.Nil
		r, err := tx.LockRefresh(ctx, old)
		if fault.KindOf(err) == fault.NotFound {
			return errBadRefresh
		}
		if err != nil {
			return err
		}
		now := s.Now()
		switch {
		case !r.Session.RevokedAt.IsZero(), !r.User.DisabledAt.IsZero():
			return errBadRefresh
		case !r.UsedAt.IsZero():
			reused = r.Session.ID
			return s.endReused(ctx, tx, &r, from)
		case !now.Before(r.ExpiresAt), !now.Add(shortestAccess).Before(r.Session.ExpiresAt):
			return errBadRefresh
		}
		var hash [32]byte
		if tokens, hash, err = s.issue(&r.User, r.Session, now); err != nil {
			return err
		}
		return tx.RotateRefresh(ctx, old, hash, now, tokens.RefreshExpires)
	})
	if err != nil {
		return Tokens{}, fmt.Errorf("refresh: %w", err)
	}
	if reused != uuid.Nil {
		s.standings.Invalidate(standingKey{session: reused})
		return Tokens{}, errBadRefresh
	}
	return tokens, nil
}

// endReused ends the session of a refresh token that came twice.
func (s *Service) endReused(ctx context.Context, tx *postgres.Tx, r *postgres.Refresh, from audit.Actor) error {
	now := s.Now()
	if err := tx.RevokeSession(ctx, r.Session.ID, now, "a refresh token was used twice"); err != nil {
		return err
	}
	from.Name = userPrincipal(&r.User, r.Session.ID).Actor()
	return tx.RecordEvent(ctx, audit.Event{
		At: now, Action: audit.TokenReused, Actor: from, IDs: correlation.From(ctx),
		Reason: "a refresh token was used twice; its session has been ended",
	})
}

// Logout ends the session of a refresh token. Ending what has ended, or never
// was, is no error: the caller wanted it gone.
func (s *Service) Logout(ctx context.Context, token secret.String, from audit.Actor) error {
	hash, wellFormed := auth.HashRefreshToken(token.Reveal())
	if !wellFormed {
		return nil
	}
	ended := uuid.Nil
	err := s.DB.InTx(ctx, func(tx *postgres.Tx) error {
		r, err := tx.LockRefresh(ctx, hash)
		if fault.KindOf(err) == fault.NotFound || err == nil && !r.Session.RevokedAt.IsZero() {
			return nil
		}
		if err != nil {
			return err
		}
		now := s.Now()
		if err := tx.RevokeSession(ctx, r.Session.ID, now, "logged out"); err != nil {
			return err
		}
		ended = r.Session.ID
		from.Name = userPrincipal(&r.User, r.Session.ID).Actor()
		return tx.RecordEvent(ctx, audit.Event{At: now, Action: audit.LoggedOut, Actor: from, IDs: correlation.From(ctx)})
	})
	if err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	s.standings.Invalidate(standingKey{session: ended})
	return nil
}
