package httpapi

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/accounts"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/secret"
)

// tokensBody is what a login and a refresh answer: the one place where tokens
// leave.
type tokensBody struct {
	AccessToken      string    `json:"accessToken"`
	TokenType        string    `json:"tokenType"`
	ExpiresIn        int64     `json:"expiresIn"` // seconds, as OAuth clients expect
	ExpiresAt        string    `json:"expiresAt"`
	RefreshToken     string    `json:"refreshToken"`
	RefreshExpiresAt string    `json:"refreshExpiresAt"`
	User             ownerBody `json:"user"`
}

// ownerBody is the user that tokens were made for.
type ownerBody struct {
	ID    uuid.UUID `json:"id"`
	Email string    `json:"email"`
	Role  auth.Role `json:"role"`
}

func answerTokens(w http.ResponseWriter, t *accounts.Tokens) error {
	w.Header().Set("Cache-Control", "no-store")
	return ok(w, http.StatusOK, tokensBody{
		AccessToken: t.Access.Reveal(), TokenType: "Bearer",
		ExpiresIn: int64(time.Until(t.AccessExpires).Round(time.Second).Seconds()), ExpiresAt: timestamp(t.AccessExpires),
		RefreshToken: t.Refresh.Reveal(), RefreshExpiresAt: timestamp(t.RefreshExpires),
		User: ownerBody{ID: t.Principal.ID, Email: t.Principal.Name, Role: t.Principal.Role},
	})
}

// login answers POST /api/v1/auth/login.
func (s *Server) login(w http.ResponseWriter, r *http.Request, c *caller) error {
	var body struct {
		Email    string        `json:"email" needed:"true"`
		Password secret.String `json:"password" needed:"true"`
	}
	if err := readBody(w, r, &body); err != nil {
		return err
	}
	tokens, err := s.Accounts.Login(r.Context(), body.Email, body.Password, c.from)
	if err != nil {
		return err
	}
	return answerTokens(w, &tokens)
}

type refreshBody struct {
	RefreshToken secret.String `json:"refreshToken" needed:"true"`
}

// refresh answers POST /api/v1/auth/refresh.
func (s *Server) refresh(w http.ResponseWriter, r *http.Request, c *caller) error {
	var body refreshBody
	if err := readBody(w, r, &body); err != nil {
		return err
	}
	tokens, err := s.Accounts.Refresh(r.Context(), body.RefreshToken, c.from)
	if err != nil {
		return err
	}
	return answerTokens(w, &tokens)
}

// logout answers POST /api/v1/auth/logout, the same for a token that is dead.
func (s *Server) logout(w http.ResponseWriter, r *http.Request, c *caller) error {
	var body refreshBody
	if err := readBody(w, r, &body); err != nil {
		return err
	}
	if err := s.Accounts.Logout(r.Context(), body.RefreshToken, c.from); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// meBody is who the caller is to us.
type meBody struct {
	Kind      auth.Kind `json:"kind"`
	ID        uuid.UUID `json:"id"`
	Name      string    `json:"name"`
	Email     *string   `json:"email"`
	Role      auth.Role `json:"role"`
	Stacks    *string   `json:"stacks"`
	ExpiresAt *string   `json:"expiresAt"`
}

// getMe answers GET /api/v1/me.
func (s *Server) getMe(w http.ResponseWriter, r *http.Request, c *caller) error {
	if err := readQuery(r).err(); err != nil {
		return err
	}
	body := meBody{
		Kind: c.Kind, ID: c.ID, Name: c.Name, Role: c.Role,
		Stacks: orNull(c.Stacks.String()), ExpiresAt: timeOrNull(c.Expires),
	}
	if c.Kind == auth.KindUser {
		body.Email = &c.Name
	}
	return ok(w, http.StatusOK, body)
}
