package main

import (
	"context"
	"time"

	"github.com/driftsentry/driftsentry/internal/accounts"
	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/secret"
)

// demoAdmin is whom the demo's visitor may log in as.
const demoAdmin = "admin@demo.localhost"

// demoKeyLife is longer than anybody looks at a demo.
const demoKeyLife = 30 * 24 * time.Hour

// demoCredentials are what the demo's visitor needs: made anew at each start, as
// they are shown only once.
type demoCredentials struct{ password, key secret.String }

// makeCredentials creates the demo's admin and a key, in the database itself as
// `driftsentry user` and `driftsentry apikey` do.
func (p process) makeCredentials(ctx context.Context) (c demoCredentials, err error) {
	p.signals = nil // they are for the demo
	err = p.withAccounts(ctx, func(ctx context.Context, db *postgres.DB, s *accounts.Service, by audit.Actor) error {
		_, c.password, err = s.CreateUser(ctx, accounts.NewUser{Email: demoAdmin, Role: auth.Admin}, by)
		if fault.KindOf(err) == fault.Conflict { // a demo whose database was kept
			var admin *postgres.User
			if admin, err = db.UserByEmail(ctx, demoAdmin); err == nil {
				c.password, err = s.SetPassword(ctx, admin.ID, secret.String{}, by)
			}
		}
		if err != nil {
			return err
		}
		_, c.key, err = s.CreateKey(ctx, accounts.NewKey{
			Name: "demo of " + time.Now().UTC().Format("2006-01-02 15:04:05.000"), Role: auth.Admin, ExpiresAt: time.Now().Add(demoKeyLife),
		}, by)
		return err
	})
	return c, err
}
