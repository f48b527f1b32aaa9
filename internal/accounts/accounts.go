// Package accounts is who may call: logging in and out, the sessions and API
// keys that callers prove themselves with, and the people and machines behind
// them.
//
// What a credential looks like and which role may do what is auth's to say; how
// they are kept is postgres's. Here they become transactions, each with its
// entry in the audit trail. Nothing here knows HTTP.
package accounts

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/maypok86/otter/v2"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// Options are what the service is made of. Now may be nil, which is time.Now.
type Options struct {
	DB        *postgres.DB
	Passwords *auth.Passwords
	Signer    *auth.Signer
	Now       func() time.Time
}

// Service answers who is calling. It is safe for concurrent use.
type Service struct {
	Options
	// standings remembers what the database said of a credential.
	standings *otter.Cache[standingKey, standing]
	// keyHashes remembers, under its one key, the hashes of all API keys that are
	// not revoked.
	keyHashes *otter.Cache[struct{}, map[[32]byte]struct{}]
}

// remembered is for how long a credential that was good is taken without asking
// again: as long as a revoked one still works on another replica. Here it ends at
// once.
const remembered = 5 * time.Second

// maxRemembered bounds the memory that strangers with invented credentials fill.
const maxRemembered = 10_000

// New builds the service. Close it when it is no longer needed.
func New(o Options) (*Service, error) {
	standings, err := otter.New(&otter.Options[standingKey, standing]{
		MaximumSize:      maxRemembered,
		ExpiryCalculator: otter.ExpiryWriting[standingKey, standing](remembered),
	})
	if err != nil {
		return nil, fmt.Errorf("memory of credentials: %w", err)
	}
	hashes, err := otter.New(&otter.Options[struct{}, map[[32]byte]struct{}]{
		MaximumSize: 1, ExpiryCalculator: otter.ExpiryWriting[struct{}, map[[32]byte]struct{}](remembered),
	})
	if err != nil {
		return nil, fmt.Errorf("memory of API keys: %w", err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{Options: o, standings: standings, keyHashes: hashes}, nil
}

// Close ends what the service does in the background.
func (s *Service) Close() {
	s.standings.StopAllGoroutines()
	s.keyHashes.StopAllGoroutines()
}

// standingKey names a credential: a user's session or an API key's hash.
type standingKey struct {
	session uuid.UUID
	key     [32]byte
}

// standing is what the database said of a credential: whose it is, or that it
// is no good.
type standing struct {
	principal *auth.Principal
	problem   error
}
