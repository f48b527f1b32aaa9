package httpapi

import (
	"net/http"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/accounts"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/secret"
)

type userBody struct {
	ID          uuid.UUID `json:"id"`
	Email       string    `json:"email"`
	Role        auth.Role `json:"role"`
	CreatedAt   string    `json:"createdAt"`
	DisabledAt  *string   `json:"disabledAt"`
	LastLoginAt *string   `json:"lastLoginAt"`
}

func newUserBody(u *postgres.User) userBody {
	return userBody{
		ID: u.ID, Email: u.Email, Role: u.Role, CreatedAt: timestamp(u.CreatedAt),
		DisabledAt: timeOrNull(u.DisabledAt), LastLoginAt: timeOrNull(u.LastLoginAt),
	}
}

// listUsers answers GET /api/v1/users, in the order of their creation.
func (s *Server) listUsers(w http.ResponseWriter, r *http.Request, _ *caller) error {
	q := readQuery(r)
	ask := postgres.ListQuery{Limit: q.limit()}
	scope := listScope("users", q)
	s.after(q, scope, &ask.After)
	if err := q.err(); err != nil {
		return err
	}
	users, more, err := s.DB.Users(r.Context(), ask)
	if err != nil {
		return err
	}
	return answerPage(s, w, scope, users, more, newUserBody, func(u *postgres.User) any { return u.ID })
}

// newUserAnswer is a user that was just created. Password is the one that was
// made up for it, this once.
type newUserAnswer struct {
	userBody
	Password *string `json:"password"`
}

// createUser answers POST /api/v1/users.
func (s *Server) createUser(w http.ResponseWriter, r *http.Request, c *caller) error {
	if err := readQuery(r).err(); err != nil {
		return err
	}
	var body struct {
		Email    string        `json:"email" needed:"true"`
		Role     auth.Role     `json:"role" needed:"true"`
		Password secret.String `json:"password"`
	}
	if err := readBody(w, r, &body); err != nil {
		return err
	}
	user, password, err := s.Accounts.CreateUser(r.Context(), accounts.NewUser{Email: body.Email, Role: body.Role, Password: body.Password}, c.from)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return ok(w, http.StatusCreated, newUserAnswer{userBody: newUserBody(user), Password: orNull(password.Reveal())})
}

// disabledUser is a user who may not log in, with the keys that it made and that
// go on working: who disables somebody may want to revoke them.
type disabledUser struct {
	userBody
	LiveKeys []keyBody `json:"liveKeys"`
}

// disableUser answers POST /api/v1/users/{id}/disable.
func (s *Server) disableUser(w http.ResponseWriter, r *http.Request, c *caller) error {
	change, err := userChange(r, c)
	if err != nil {
		return err
	}
	user, err := s.Accounts.DisableUser(r.Context(), change)
	if err != nil {
		return named(err, noSuchUser)
	}
	body := disabledUser{userBody: newUserBody(&user.User), LiveKeys: make([]keyBody, len(user.LiveKeys))}
	for i := range user.LiveKeys {
		body.LiveKeys[i] = newKeyBody(&user.LiveKeys[i])
	}
	return ok(w, http.StatusOK, body)
}

// enableUser answers POST /api/v1/users/{id}/enable.
func (s *Server) enableUser(w http.ResponseWriter, r *http.Request, c *caller) error {
	change, err := userChange(r, c)
	if err != nil {
		return err
	}
	user, err := s.Accounts.EnableUser(r.Context(), change)
	if err != nil {
		return named(err, noSuchUser)
	}
	return ok(w, http.StatusOK, newUserBody(&user.User))
}

// setRole answers POST /api/v1/users/{id}/role.
func (s *Server) setRole(w http.ResponseWriter, r *http.Request, c *caller) error {
	change, err := userChange(r, c)
	if err != nil {
		return err
	}
	var body struct {
		Role auth.Role `json:"role" needed:"true"`
	}
	if err := readBody(w, r, &body); err != nil {
		return err
	}
	user, err := s.Accounts.SetRole(r.Context(), change, body.Role)
	if err != nil {
		return named(err, noSuchUser)
	}
	return ok(w, http.StatusOK, newUserBody(&user.User))
}

const noSuchUser = "there is no such user"

// userChange is whom a request is about, and who asks.
func userChange(r *http.Request, c *caller) (accounts.UserChange, error) {
	id, err := pathID(r)
	if err != nil {
		return accounts.UserChange{}, err
	}
	change := accounts.UserChange{ID: id, By: c.from}
	if c.Kind == auth.KindUser {
		change.Self = c.ID
	}
	return change, readQuery(r).err()
}
