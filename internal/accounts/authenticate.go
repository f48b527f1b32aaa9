package accounts

import (
	"context"
	"fmt"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/secret"
)

// Credential is what a caller proves itself with: one of the two.
type Credential struct {
	Bearer secret.String // an access token; an API key is taken here, too
	APIKey secret.String
}

// touchedEvery is how exactly the last use of an API key is known: each key is
// written at most this often.
const touchedEvery = time.Minute

var (
	errBadToken = fault.New(fault.Unauthenticated, "the access token is not valid any more; log in again")
	errBadKey   = fault.New(fault.Unauthenticated, "the API key is not valid")
	errKeyEnded = fault.New(fault.Unauthenticated, "the API key has expired")
)

// Authenticate says whose credential it is. It is Unauthenticated for one that
// is malformed, expired, revoked or of a disabled user. The database is asked at
// most every five seconds for each; junk never reaches it.
func (s *Service) Authenticate(ctx context.Context, c Credential) (*auth.Principal, error) {
	if hash, isKey, wellFormed := c.key(); isKey {
		if !wellFormed {
			return nil, errBadKey
		}
		return s.authenticateKey(ctx, hash)
	}
	claimed, err := s.Signer.Verify(c.Bearer.Reveal(), s.Now())
	if err != nil {
		return nil, err
	}
	p, err := s.standing(ctx, standingKey{session: claimed.Session}, func(ctx context.Context) (*auth.Principal, error) {
		return s.sessionOwner(ctx, claimed)
	})
	if err != nil {
		return nil, err
	}
	if p.ID != claimed.ID {
		return nil, errBadToken
	}
	// Who it is and with which role is the database's answer; how long this token
	// is good for is the token's.
	is := *p
	is.Expires = claimed.Expires
	return &is, nil
}

// key is the hash of the credential if that is an API key, and whether it is
// formed like one of ours.
func (c Credential) key() (hash [32]byte, isKey, wellFormed bool) {
	if _, hash, isKey := auth.ParseAPIKey(c.Bearer.Reveal()); isKey {
		return hash, true, true
	}
	_, hash, wellFormed = auth.ParseAPIKey(c.APIKey.Reveal())
	return hash, !c.APIKey.IsZero(), wellFormed
}

// Plausible reports whether a credential may be somebody's: an access token that
// we signed, or a key that there is. It is for callers whom others behind the
// same address have spent the limit of: they must get in, and guessing must not
// become looking up. A signature costs no database, and keys are held against
// the hashes of all of them, which are read at most once in five seconds however
// many are tried. A key that was made on another replica since is taken for a
// guess until then, and so are all while the database is away.
func (s *Service) Plausible(ctx context.Context, c Credential) bool {
	hash, isKey, wellFormed := c.key()
	if !isKey {
		_, err := s.Signer.Verify(c.Bearer.Reveal(), s.Now())
		return err == nil
	}
	if !wellFormed {
		return false
	}
	hashes, err := s.keyHashes.Get(ctx, struct{}{}, otter.LoaderFunc[struct{}, map[[32]byte]struct{}](
		func(ctx context.Context, _ struct{}) (map[[32]byte]struct{}, error) {
			return s.DB.LiveAPIKeyHashes(context.WithoutCancel(ctx)) // others may be waiting for it
		}))
	_, there := hashes[hash]
	return err == nil && there
}

func (s *Service) authenticateKey(ctx context.Context, hash [32]byte) (*auth.Principal, error) {
	p, err := s.standing(ctx, standingKey{key: hash}, func(ctx context.Context) (*auth.Principal, error) {
		return s.keyOwner(ctx, hash)
	})
	if err != nil {
		return nil, err
	}
	if !p.Expires.IsZero() && !s.Now().Before(p.Expires) {
		return nil, errKeyEnded
	}
	return p, nil
}

// standing asks the database about a credential, or remembers what it said.
// Failures to ask are not remembered.
func (s *Service) standing(
	ctx context.Context, key standingKey, ask func(context.Context) (*auth.Principal, error),
) (*auth.Principal, error) {
	got, err := s.standings.Get(ctx, key, otter.LoaderFunc[standingKey, standing](
		func(ctx context.Context, _ standingKey) (standing, error) {
			// Others may be waiting for this answer: one that goes away must not take it along.
			p, err := ask(context.WithoutCancel(ctx))
			if fault.KindOf(err) == fault.Unauthenticated {
				return standing{problem: err}, nil
			}
			return standing{principal: p}, err
		}))
	if err != nil {
		return nil, fmt.Errorf("authenticate: %w", err)
	}
	return got.principal, got.problem
}

// sessionOwner is the user of an access token, as the database knows it now.
func (s *Service) sessionOwner(ctx context.Context, claimed *auth.Principal) (*auth.Principal, error) {
	st, err := s.DB.SessionStanding(ctx, claimed.Session)
	if fault.KindOf(err) == fault.NotFound {
		return nil, errBadToken
	}
	if err != nil {
		return nil, err
	}
	if !st.Session.RevokedAt.IsZero() || !s.Now().Before(st.Session.ExpiresAt) || !st.User.DisabledAt.IsZero() {
		return nil, errBadToken
	}
	return userPrincipal(&st.User, st.Session.ID), nil
}

// keyOwner is what an API key stands for; using it is noted now and then.
func (s *Service) keyOwner(ctx context.Context, hash [32]byte) (*auth.Principal, error) {
	key, err := s.DB.APIKeyByHash(ctx, hash)
	if fault.KindOf(err) == fault.NotFound {
		return nil, errBadKey
	}
	if err != nil {
		return nil, err
	}
	now := s.Now()
	switch {
	case !key.RevokedAt.IsZero():
		return nil, fault.New(fault.Unauthenticated, "the API key has been revoked")
	case !key.ExpiresAt.IsZero() && !now.Before(key.ExpiresAt):
		return nil, errKeyEnded
	}
	if now.Sub(key.LastUsedAt) >= touchedEvery {
		err := s.DB.InTx(ctx, func(tx *postgres.Tx) error { return tx.TouchAPIKey(ctx, key.ID, now) })
		if err != nil {
			return nil, err
		}
	}
	return &auth.Principal{
		Kind: auth.KindKey, ID: key.ID, Name: key.Name, Role: key.Role, Stacks: key.Stacks, Expires: key.ExpiresAt,
	}, nil
}
