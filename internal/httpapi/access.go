package httpapi

import (
	"net/http"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/redact"
)

// caller is who sent a request. Handlers are given it; on public routes its
// Principal is nil.
type caller struct {
	*auth.Principal
	// from is where the request came from, with the principal's name.
	from audit.Actor
}

// sees reports whether the caller's credential reaches a stack.
func (c *caller) sees(stack string) bool { return c.Stacks.Match(stack) }

// everywhere refuses a credential for some stacks what is about all of them.
func (c *caller) everywhere(instead string) error {
	if c.Stacks.IsZero() {
		return nil
	}
	return fault.New(fault.Forbidden, "this key is for the stacks "+c.Stacks.String()+" alone; "+instead)
}

// within refuses a list that would reach beyond the caller's stacks. stack is
// the one that was asked for, empty for all.
func (c *caller) within(stack string) error {
	if stack == "" {
		return c.everywhere("name one of them with ?stack=NAME")
	}
	if !c.sees(stack) {
		return c.everywhere("ask for one of them")
	}
	return nil
}

// admit finds out who is calling and whether this route is theirs. Everybody
// who is let in is counted by their credential, everybody else by address.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, route *Route) (*caller, error) {
	c := &caller{from: s.from(r)}
	address := s.addressKey(r)
	switch {
	case route.Needs == auth.Public && route.probe:
		return c, nil // an alarm that stops because somebody is busy is none
	case route.door:
		return c, s.rates.count(s.rates.door, w, r, address)
	case route.token:
		return c, nil // counted by the token, once that has been read: see renew
	case route.Needs == auth.Public:
		return c, s.rates.count(s.rates.all, w, r, address)
	case s.rates.spent(address) && !s.plausible(r):
		// Before anything is looked up: whoever guesses must not keep the database
		// busy. Nor lock out those who come from the same address, with something good.
		if err := s.rates.count(s.rates.all, w, r, address); err != nil {
			return nil, err
		}
	}
	principal, err := s.authenticate(w, r)
	if err != nil {
		if limited := s.rates.count(s.rates.all, w, r, address); limited != nil {
			return nil, limited
		}
		return nil, err
	}
	c.Principal, c.from.Name = principal, principal.Actor()
	if s.Identified != nil {
		s.Identified(r.Context(), principal.UserID())
	}
	if err := s.rates.count(s.rates.all, w, r, string(principal.Kind)+" "+principal.ID.String()); err != nil {
		return nil, err
	}
	if !principal.Role.May(route.Needs) {
		return nil, fault.New(fault.Forbidden, "the role "+string(principal.Role)+" may not do this")
	}
	if route.Needs == auth.Administer {
		// Else a key for one stack could make itself one for all.
		err = c.everywhere("administering takes a credential for all stacks")
	}
	return c, err
}

// authenticate is who the request's credential belongs to.
func (s *Server) authenticate(w http.ResponseWriter, r *http.Request) (*auth.Principal, error) {
	credential, given, err := credentialOf(r)
	if err != nil {
		return nil, err
	}
	if !given {
		return nil, fault.New(fault.Unauthenticated, "this needs a credential; "+howToCome)
	}
	principal, err := s.Accounts.Authenticate(r.Context(), credential)
	if fault.KindOf(err) == fault.Unauthenticated {
		w.Header().Set("WWW-Authenticate", challenge+`, error="invalid_token"`)
	}
	return principal, err
}

// plausible reports whether the request's credential may be somebody's, at a
// price that guessing cannot raise.
func (s *Server) plausible(r *http.Request) bool {
	credential, given, err := credentialOf(r)
	return err == nil && given && s.Accounts.Plausible(r.Context(), credential)
}

// Vouches reports whether r comes with a good credential: then the trace it
// brings is one to join. It counts nothing, as the request itself will be.
func (s *Server) Vouches(r *http.Request) bool {
	credential, given, err := credentialOf(r)
	if err != nil || !given || s.rates.spent(s.addressKey(r)) && !s.Accounts.Plausible(r.Context(), credential) {
		return false
	}
	_, err = s.Accounts.Authenticate(r.Context(), credential)
	return err == nil
}

// maxUserAgent is how much of a user agent is kept, in characters.
const maxUserAgent = 200

// from is where a request came from; who sent it is not known yet.
func (s *Server) from(r *http.Request) audit.Actor {
	actor := audit.Actor{UserAgent: redact.Text(clipTo(r.UserAgent(), maxUserAgent))}
	if addr := s.Clients.Of(r); addr.IsValid() {
		actor.ClientAddress = addr.String()
	}
	return actor
}
