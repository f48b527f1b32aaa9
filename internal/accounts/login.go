package accounts

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/clientip"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/secret"
)

// Tokens are what a login gives: an access token for the API and a refresh token
// for the next pair of them.
type Tokens struct {
	Access         secret.String
	AccessExpires  time.Time
	Refresh        secret.String
	RefreshExpires time.Time
	Principal      *auth.Principal
}

// How long a login lasts: each refresh token waits a week for its use, and after
// a month the password is asked for again.
const (
	refreshTTL = 7 * 24 * time.Hour
	sessionTTL = 30 * 24 * time.Hour
	// What is left of a session in the end opens nothing more: tokens say no finer
	// when they end.
	shortestAccess = time.Second
)

// How many logins may be tried in a window before one has to wait (postgres's
// ReserveLogin says how long). Addresses are shared by offices, so they may try
// more.
const (
	loginWindow     = 15 * time.Minute
	triesPerAccount = 10
	triesPerAddress = 100
)

// errBadLogin is the same for an unknown e-mail, a wrong password and a disabled
// user, and takes the same time to come.
var errBadLogin = fault.New(fault.Unauthenticated, "the e-mail or the password is wrong")

// Login checks a password and opens a session. It is Invalid for what is no
// e-mail, RateLimited after too many tries, and else Unauthenticated.
func (s *Service) Login(ctx context.Context, email string, password secret.String, from audit.Actor) (Tokens, error) {
	email, err := auth.ParseEmail(email)
	if err != nil {
		return Tokens{}, err
	}
	account := accountSubject(email)
	if err := s.reserve(ctx, email, from); err != nil {
		return Tokens{}, err
	}
	user, err := s.DB.UserByEmail(ctx, email)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return Tokens{}, err
	}
	hash := "" // of nobody: checking it takes as long
	if user != nil {
		hash = user.PasswordHash
	}
	good, outdated, err := s.Passwords.Verify(ctx, hash, password)
	if err != nil {
		err = fmt.Errorf("check a password: %w", err)
		if ctx.Err() != nil { // it counted as a try, so it is told of
			err = errors.Join(err, s.recordFailed(ctx, user, "given up before the password was checked", from))
		}
		return Tokens{}, err
	}
	if !good || user == nil || !user.DisabledAt.IsZero() {
		return Tokens{}, s.refuse(ctx, user, good, from)
	}
	rehashed := ""
	if outdated {
		if rehashed, err = s.Passwords.Hash(ctx, password); err != nil {
			return Tokens{}, fmt.Errorf("hash a password anew: %w", err)
		}
	}
	return s.open(ctx, user, account, rehashed, from)
}

// reserve counts a try before the password is looked at, so that trying many at
// once gains nothing. The trail tells of a wait once, and not of each try in it:
// whoever hammers must not fill it.
func (s *Service) reserve(ctx context.Context, email string, from audit.Actor) error {
	subjects := []postgres.Subject{
		{Hash: accountSubject(email), Limit: triesPerAccount},
		{Hash: addressSubject(from.ClientAddress), Limit: triesPerAddress},
	}
	var wait time.Duration
	err := s.DB.InTx(ctx, func(tx *postgres.Tx) (err error) {
		if wait, err = tx.ReserveLogin(ctx, subjects, loginWindow, s.Now()); err != nil || wait == 0 {
			return err
		}
		first, err := tx.TellOfWait(ctx, subjects)
		if err != nil || !first {
			return err
		}
		user, err := tx.UserByEmail(ctx, email)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
		return tx.RecordEvent(ctx, s.failedLogin(ctx, user, "too many tries", from))
	})
	if err != nil {
		return fmt.Errorf("count a login: %w", err)
	}
	if wait > 0 {
		return &fault.Error{
			Kind: fault.RateLimited, RetryAfter: wait,
			Message: "too many logins were tried for this account or from this address; wait as long as Retry-After says",
		}
	}
	return nil
}

// refuse records a login that failed.
func (s *Service) refuse(ctx context.Context, user *postgres.User, goodPassword bool, from audit.Actor) error {
	reason := "wrong password"
	switch {
	case user == nil:
		reason = "unknown e-mail"
	case goodPassword:
		reason = "the user is disabled"
	}
	if err := s.recordFailed(ctx, user, reason, from); err != nil {
		return err
	}
	return errBadLogin
}

// recordTimeout bounds how long a failed login is recorded for after its client
// has gone.
const recordTimeout = 5 * time.Second

// recordFailed records a login that failed, also for a client that has hung up:
// else guessing without waiting for the answers would leave no trace.
func (s *Service) recordFailed(ctx context.Context, user *postgres.User, reason string, from audit.Actor) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	event := s.failedLogin(ctx, user, reason, from)
	if err := s.DB.InTx(ctx, func(tx *postgres.Tx) error { return tx.RecordEvent(ctx, event) }); err != nil {
		return fmt.Errorf("record a failed login: %w", err)
	}
	return nil
}

// failedLogin is the event of a login that failed. It names an account only if
// there is one: what was typed instead of an e-mail may be a password.
func (s *Service) failedLogin(ctx context.Context, user *postgres.User, reason string, from audit.Actor) audit.Event {
	from.Name = audit.Anonymous
	if user != nil {
		from.Name = userPrincipal(user, uuid.Nil).Actor()
	}
	return audit.Event{At: s.Now(), Action: audit.LoginFailed, Actor: from, Reason: reason, IDs: correlation.From(ctx)}
}

// open starts a session for a user who has proven to be one.
func (s *Service) open(ctx context.Context, user *postgres.User, account [32]byte, rehashed string, from audit.Actor) (Tokens, error) {
	now := s.Now()
	session := postgres.Session{ID: postgres.NewID(now), UserID: user.ID, CreatedAt: now, ExpiresAt: now.Add(sessionTTL)}
	tokens, hash, err := s.issue(user, session, now)
	if err != nil {
		return Tokens{}, err
	}
	from.Name = tokens.Principal.Actor()
	err = s.DB.InTx(ctx, func(tx *postgres.Tx) error {
		err := tx.InsertSession(ctx, session, user.PasswordHash, hash, tokens.RefreshExpires, from)
		if fault.KindOf(err) == fault.Conflict {
			return errBadLogin // disabled, or given another password, since it was checked
		}
		if err != nil {
			return err
		}
		if rehashed != "" {
			if err := tx.RehashPassword(ctx, user.ID, user.PasswordHash, rehashed); err != nil {
				return err
			}
		}
		if err := tx.ForgiveLogin(ctx, account); err != nil {
			return err
		}
		if err := tx.TouchLogin(ctx, user.ID, now); err != nil {
			return err
		}
		return tx.RecordEvent(ctx, audit.Event{At: now, Action: audit.LoggedIn, Actor: from, IDs: correlation.From(ctx)})
	})
	if err != nil {
		return Tokens{}, fmt.Errorf("open a session: %w", err)
	}
	return tokens, nil
}

// issue makes a pair of tokens; only the hash of the refresh token is kept.
func (s *Service) issue(user *postgres.User, session postgres.Session, now time.Time) (Tokens, [32]byte, error) {
	t := Tokens{Principal: userPrincipal(user, session.ID), RefreshExpires: now.Add(refreshTTL)}
	if t.RefreshExpires.After(session.ExpiresAt) {
		t.RefreshExpires = session.ExpiresAt
	}
	t.Principal.Expires = session.ExpiresAt // the access token ends no later
	var err error
	if t.Access, t.AccessExpires, err = s.Signer.Issue(t.Principal, now); err != nil {
		return Tokens{}, [32]byte{}, fmt.Errorf("issue an access token: %w", err)
	}
	var hash [32]byte
	t.Refresh, hash = auth.NewRefreshToken()
	return t, hash, nil
}

// accountSubject and addressSubject name who is counted, without keeping what
// strangers typed.
func accountSubject(email string) [32]byte { return sha256.Sum256([]byte("account " + email)) }

func addressSubject(address string) [32]byte {
	if addr, err := netip.ParseAddr(address); err == nil {
		address = clientip.Holder(addr)
	}
	return sha256.Sum256([]byte("address " + address))
}

func userPrincipal(u *postgres.User, session uuid.UUID) *auth.Principal {
	return &auth.Principal{Kind: auth.KindUser, ID: u.ID, Name: u.Email, Role: u.Role, Session: session}
}
