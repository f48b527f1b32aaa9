package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/accounts"
	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/config"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/secret"
)

// accountsTimeout bounds one command on accounts, waiting for the database
// included.
const accountsTimeout = 30 * time.Second

// withAccounts runs one command on accounts. What it does is in the audit trail
// as done by the operator.
func (p process) withAccounts(
	ctx context.Context, do func(ctx context.Context, db *postgres.DB, s *accounts.Service, by audit.Actor) error,
) error {
	ctx, cancel := context.WithTimeout(correlation.With(ctx, correlation.IDs{Correlation: correlation.New()}), accountsTimeout)
	defer cancel()
	return p.withDatabase(ctx, func(ctx context.Context, db *postgres.DB, _ []byte) error {
		service, err := accounts.New(accounts.Options{DB: db, Passwords: auth.NewPasswords(1)})
		if err != nil {
			return err
		}
		defer service.Close()
		return plainly(do(ctx, db, service, p.operator()))
	})
}

// withDatabase runs one command on the database itself, until a signal comes. It
// asks for no credential: whoever may run it has the database's password. It
// does want the key of the audit trail, if that has ever been signed with one.
func (p process) withDatabase(ctx context.Context, do func(ctx context.Context, db *postgres.DB, sealKey []byte) error) error {
	database, sealKey, err := config.LoadAccounts(p.env)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func(ctx context.Context) {
		select {
		case <-p.signals:
			cancel()
		case <-ctx.Done():
		}
	}(ctx)
	db, err := postgres.Open(ctx, postgres.Options{URL: database.URL.Reveal(), MaxConns: 2, SealKey: bytesOf(sealKey)})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Ready(ctx); err != nil {
		if errors.Is(err, postgres.ErrNotMigrated) {
			return fmt.Errorf("%w; run: driftsentry migrate up", err)
		}
		return err
	}
	if sealKey.IsZero() {
		signed, err := db.HasSignedSeals(ctx)
		if err != nil {
			return err
		}
		if signed {
			return errKeyMissing
		}
	}
	return do(ctx, db, bytesOf(sealKey))
}

// errKeyMissing keeps a command from writing what would look forged ever after.
var errKeyMissing = errors.New("the audit trail is signed with a key that this command was not given: " +
	"set JWT_SECRET to what the service has, and FINGERPRINT_KEY if the service has it (or JWT_SECRET_FILE, FINGERPRINT_KEY_FILE)")

// operator is whoever runs this command, as far as the machine can tell.
func (p process) operator() audit.Actor {
	actor := audit.Operator()
	words := []string{"driftsentry"}
	for _, arg := range p.args[:min(2, len(p.args))] { // what follows names somebody else, or is a flag's
		if strings.HasPrefix(arg, "-") {
			break
		}
		words = append(words, arg)
	}
	who := fmt.Sprintf("with uid %d", os.Getuid()) // many containers know no names
	if u, err := user.Current(); err == nil && u.Username != "" {
		who = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "without a name"
	}
	const longest = 200 // bytes, as much as is kept of a client's user agent
	text := fmt.Sprintf("%s (os user %s on host %s)", strings.Join(words, " "), who, host)
	actor.UserAgent = strings.ToValidUTF8(text[:min(longest, len(text))], "")
	return actor
}

// plainly gives what a person needs of an error: what was wrong with each input,
// and not which layers it passed.
func plainly(err error) error {
	e, ok := fault.As(err)
	if !ok || e.Kind == fault.Internal || e.Kind == fault.Unavailable {
		return err
	}
	if len(e.Fields) < 2 {
		return errors.New(e.Message)
	}
	var all []string
	for _, f := range e.Fields {
		all = append(all, "  "+f.Field+" "+f.Message)
	}
	return errors.New("not done:\n" + strings.Join(all, "\n"))
}

// pipedPassword is the line that was piped in. A terminal is not asked: what is
// typed at one could be read over a shoulder, and a made-up password is better.
func (p process) pipedPassword() (secret.String, error) {
	if f, ok := p.stdin.(*os.File); ok {
		if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice != 0 {
			return secret.String{}, nil //nolint:nilerr // a standard input that is closed holds no password
		}
	}
	const longest = 1024 // bytes; the policy's limit is lower, and has its own message
	line, err := bufio.NewReader(io.LimitReader(p.stdin, longest)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return secret.String{}, fmt.Errorf("read the password from standard input: %w", err)
	}
	return secret.New(strings.TrimRight(line, "\r\n")), nil
}

// lifetime reads how long something lasts: 90d, 2w, 12h, or until a date.
func lifetime(text string, now time.Time) (time.Time, error) {
	if text == "" || text == "never" {
		return time.Time{}, nil
	}
	if day, err := time.ParseInLocation(time.DateOnly, text, time.UTC); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	for unit, days := range map[string]int{"d": 1, "w": 7} {
		if n, err := strconv.Atoi(strings.TrimSuffix(text, unit)); err == nil && strings.HasSuffix(text, unit) && n > 0 && n < 100_000 {
			return now.AddDate(0, 0, n*days), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(d), nil
	}
	return time.Time{}, fmt.Errorf("--expires %q is not a time from now, such as 90d, 2w or 12h, nor a date such as 2027-01-31", text)
}

// everyPage calls list until there is no more.
func everyPage[T any](list func(after uuid.UUID) ([]T, bool, error), id func(*T) uuid.UUID, show func(*T)) error {
	after := uuid.Nil
	for {
		items, more, err := list(after)
		if err != nil {
			return err
		}
		for i := range items {
			show(&items[i])
		}
		if !more || len(items) == 0 {
			return nil
		}
		after = id(&items[len(items)-1])
	}
}

// day is a time as tables show it; a dash when there is none.
func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04")
}
