package httpapi

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/accounts"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// keyBody is an API key as it may be shown: never the key itself.
type keyBody struct {
	ID         uuid.UUID `json:"id"`
	Name       string    `json:"name"`
	Prefix     string    `json:"prefix"`
	Role       auth.Role `json:"role"`
	Stacks     *string   `json:"stacks"`
	CreatedAt  string    `json:"createdAt"`
	CreatedBy  string    `json:"createdBy"`
	ExpiresAt  *string   `json:"expiresAt"`
	LastUsedAt *string   `json:"lastUsedAt"`
	RevokedAt  *string   `json:"revokedAt"`
}

func newKeyBody(k *postgres.APIKey) keyBody {
	return keyBody{
		ID: k.ID, Name: k.Name, Prefix: k.Prefix, Role: k.Role, Stacks: orNull(k.Stacks.String()),
		CreatedAt: timestamp(k.CreatedAt), CreatedBy: k.CreatedBy,
		ExpiresAt: timeOrNull(k.ExpiresAt), LastUsedAt: timeOrNull(k.LastUsedAt), RevokedAt: timeOrNull(k.RevokedAt),
	}
}

// listKeys answers GET /api/v1/api-keys, in the order of their creation.
func (s *Server) listKeys(w http.ResponseWriter, r *http.Request, _ *caller) error {
	q := readQuery(r)
	ask := postgres.ListQuery{Limit: q.limit()}
	scope := listScope("api-keys", q)
	s.after(q, scope, &ask.After)
	if err := q.err(); err != nil {
		return err
	}
	keys, more, err := s.DB.APIKeys(r.Context(), ask)
	if err != nil {
		return err
	}
	return answerPage(s, w, scope, keys, more, newKeyBody, func(k *postgres.APIKey) any { return k.ID })
}

// newKeyAnswer is a key that was just created, with the key itself, this once.
type newKeyAnswer struct {
	keyBody
	Key string `json:"key"`
}

// createKey answers POST /api/v1/api-keys.
func (s *Server) createKey(w http.ResponseWriter, r *http.Request, c *caller) error {
	if err := readQuery(r).err(); err != nil {
		return err
	}
	var body struct {
		Name      string    `json:"name" needed:"true"`
		Role      auth.Role `json:"role" needed:"true"`
		Stacks    *string   `json:"stacks"` // nil for all, unlike an empty one
		ExpiresAt string    `json:"expiresAt"`
	}
	if err := readBody(w, r, &body); err != nil {
		return err
	}
	ask := accounts.NewKey{Name: body.Name, Role: body.Role, Stacks: body.Stacks}
	if body.ExpiresAt != "" {
		var err error
		if ask.ExpiresAt, err = time.Parse(time.RFC3339, body.ExpiresAt); err != nil {
			return fault.BadField("expiresAt", "must be a time such as 2027-01-31T08:00:00Z")
		}
	}
	key, text, err := s.Accounts.CreateKey(r.Context(), ask, c.from)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return ok(w, http.StatusCreated, newKeyAnswer{keyBody: newKeyBody(key), Key: text.Reveal()})
}

// revokeKey answers POST /api/v1/api-keys/{id}/revoke.
func (s *Server) revokeKey(w http.ResponseWriter, r *http.Request, c *caller) error {
	key, err := s.revoke(r, c)
	if err != nil {
		return err
	}
	return ok(w, http.StatusOK, newKeyBody(key))
}

// deleteKey answers DELETE /api/v1/api-keys/{id}. Nothing is deleted: who used
// a key must stay known.
func (s *Server) deleteKey(w http.ResponseWriter, r *http.Request, c *caller) error {
	if _, err := s.revoke(r, c); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) revoke(r *http.Request, c *caller) (*postgres.APIKey, error) {
	id, err := pathID(r)
	if err != nil {
		return nil, err
	}
	if err := readQuery(r).err(); err != nil {
		return nil, err
	}
	key, err := s.Accounts.RevokeKey(r.Context(), id, c.from)
	return key, named(err, "there is no such API key")
}
