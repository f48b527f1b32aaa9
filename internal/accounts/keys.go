package accounts

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/redact"
	"github.com/driftsentry/driftsentry/internal/secret"
)

// NewKey is an API key that shall exist, unchecked.
type NewKey struct {
	Name string
	Role auth.Role
	// Stacks limits the key to stacks whose names match; nil is all of them, and an
	// empty one is refused: most likely it is a variable that was not set.
	Stacks *string
	// ExpiresAt ends the key; zero never does.
	ExpiresAt time.Time
}

// longestKeyName bounds an API key's name, in characters.
const longestKeyName = 100

// longestKeyLife is how far away the end of a key may be; further is a slip.
const longestKeyLife = 10 * 365 * 24 * time.Hour

// CreateKey adds an API key. The key itself is returned and not kept: this is
// the one time it can be shown.
func (s *Service) CreateKey(ctx context.Context, n NewKey, by audit.Actor) (*postgres.APIKey, secret.String, error) {
	now := s.Now()
	stacks, err := n.check(now)
	if err != nil {
		return nil, secret.String{}, err
	}
	text, prefix, hash := auth.NewAPIKey()
	row := postgres.APIKey{
		ID: postgres.NewID(now), Name: n.Name, Prefix: prefix, Hash: hash, Role: n.Role, Stacks: stacks,
		CreatedAt: now, CreatedBy: by.Name, ExpiresAt: n.ExpiresAt,
	}
	facts := map[string]any{"keyId": row.ID, "name": row.Name, "prefix": prefix, "role": row.Role}
	if !stacks.IsZero() {
		facts["stacks"] = stacks.String()
	}
	if !row.ExpiresAt.IsZero() {
		facts["expiresAt"] = row.ExpiresAt.UTC()
	}
	var key *postgres.APIKey
	err = s.record(ctx, audit.APIKeyCreated, by, facts,
		func(tx *postgres.Tx) (_ bool, err error) {
			key, err = tx.InsertAPIKey(ctx, row)
			return true, err
		})
	if err != nil {
		return nil, secret.String{}, fmt.Errorf("create an API key: %w", err)
	}
	s.keyHashes.InvalidateAll()
	return key, text, nil
}

// check says all that is wrong with the wish.
func (n *NewKey) check(now time.Time) (auth.Pattern, error) {
	var wrong []fault.Field
	bad := func(field, message string) { wrong = append(wrong, fault.Field{Field: field, Message: message}) }
	n.Name = strings.TrimSpace(n.Name)
	switch {
	case strings.ContainsFunc(n.Name, func(r rune) bool { return r < ' ' || r > '~' }):
		// The audit trail names the key: nothing may look like another one.
		bad("name", "must be of printable ASCII characters: letters, digits, signs and spaces")
	case n.Name == "" || len(n.Name) > longestKeyName:
		bad("name", fmt.Sprintf("must be 1 to %d characters long", longestKeyName))
	case redact.Text(n.Name) != n.Name:
		bad("name", "looks like a credential; names are shown to everybody")
	}
	if !slices.Contains(auth.Roles(), n.Role) {
		bad("role", "must be admin, engineer, viewer or ingest")
	}
	var stacks auth.Pattern
	if n.Stacks != nil {
		var err error
		if stacks, err = auth.ParsePattern(*n.Stacks); err != nil {
			e, _ := fault.As(err)
			if e == nil || len(e.Fields) == 0 {
				return auth.Pattern{}, fmt.Errorf("stack pattern: %w", err)
			}
			bad("stacks", e.Fields[0].Message)
		}
	}
	if n.Role == auth.Admin && n.Stacks != nil {
		bad("stacks", "cannot limit an admin key: administration is about all stacks")
	}
	switch {
	case n.ExpiresAt.IsZero():
	case !n.ExpiresAt.After(now):
		bad("expiresAt", "must be in the future")
	case n.ExpiresAt.Sub(now) > longestKeyLife:
		bad("expiresAt", "must be within ten years; leave it out for a key that does not expire")
	}
	if len(wrong) > 0 {
		return auth.Pattern{}, fault.BadFields(wrong...)
	}
	return stacks, nil
}

// RevokeKey ends a key, at once here and within seconds on other replicas.
// Revoking again changes nothing.
func (s *Service) RevokeKey(ctx context.Context, id uuid.UUID, by audit.Actor) (*postgres.APIKey, error) {
	var key *postgres.APIKey
	now := s.Now()
	err := s.record(ctx, audit.APIKeyRevoked, by, map[string]any{"keyId": id},
		func(tx *postgres.Tx) (changed bool, err error) {
			key, changed, err = tx.RevokeAPIKey(ctx, id, now)
			return changed, err
		})
	if err != nil {
		return nil, fmt.Errorf("revoke an API key: %w", err)
	}
	s.forget(id)
	return key, nil
}
