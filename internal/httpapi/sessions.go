package httpapi

import (
	"cmp"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/accounts"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/fault"
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

// refresh answers POST /api/v1/auth/refresh.
func (s *Server) refresh(w http.ResponseWriter, r *http.Request, c *caller) error {
	var tokens accounts.Tokens
	err := s.renew(w, r, func(token secret.String) (err error) {
		tokens, err = s.Accounts.Refresh(r.Context(), token, c.from)
		return err
	})
	if err != nil {
		return err
	}
	return answerTokens(w, &tokens)
}

// logout answers POST /api/v1/auth/logout, the same for a token that is dead.
func (s *Server) logout(w http.ResponseWriter, r *http.Request, c *caller) error {
	err := s.renew(w, r, func(token secret.String) error { return s.Accounts.Logout(r.Context(), token, c.from) })
	if err != nil {
		return err
	}
	// It never fails, so everybody counts: a token that was made up costs as much.
	if err := s.rates.count(s.rates.all, w, r, s.addressKey(r)); err != nil {
		w.Header().Del("Retry-After") // it was done
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// renew reads a refresh token, counts it and does with it what is asked. Good
// tokens are counted by themselves, not by address: nobody may keep an office
// from renewing its sessions by guessing at passwords or tokens there. What is
// no good counts for its address.
func (s *Server) renew(w http.ResponseWriter, r *http.Request, do func(token secret.String) error) error {
	address := s.addressKey(r)
	err := s.tryToken(w, r, address, do)
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Unauthenticated, fault.TooLarge, fault.UnsupportedMedia:
		return cmp.Or(s.rates.count(s.rates.all, w, r, address), err)
	default:
		return err
	}
}

func (s *Server) tryToken(w http.ResponseWriter, r *http.Request, address string, do func(token secret.String) error) error {
	var body struct {
		RefreshToken secret.String `json:"refreshToken" needed:"true"`
	}
	if err := readBody(w, r, &body); err != nil {
		return err
	}
	hash, wellFormed := auth.HashRefreshToken(body.RefreshToken.Reveal())
	if s.rates.spent(address) && (!wellFormed || s.rates.rare.OnLimit(w, r, "")) {
		if err := s.rates.count(s.rates.all, w, r, address); err != nil {
			return err
		}
	}
	if wellFormed {
		if err := s.rates.count(s.rates.door, w, r, "token "+string(hash[:])); err != nil {
			return err
		}
	}
	return do(body.RefreshToken)
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
