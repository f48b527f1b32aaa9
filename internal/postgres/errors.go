package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"github.com/driftsentry/driftsentry/internal/fault"
)

// retryAfter is what a client is told when the database is away: long enough
// for a restart, short enough for a failover.
const retryAfter = 5 * time.Second

// SQLSTATEs that mean something to us; the PostgreSQL manual's appendix A names
// them all.
const (
	uniqueViolation     = "23505"
	foreignKeyViolation = "23503"
	checkViolation      = "23514"
	notNullViolation    = "23502"
	serialization       = "40001"
	deadlock            = "40P01"
	queryCanceled       = "57014"
	lockNotAvailable    = "55P03"
	undefinedTable      = "42P01"
	readOnly            = "25006"
	untranslatable      = "22P05"
	badEncoding         = "22021"
	badJSON             = "22P02"
)

// classify gives err the kind that its caller can act on. It is applied where
// an error leaves this package; what is classified already stays as it is.
func classify(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := fault.As(err); ok {
		return err
	}
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		return classifyState(pgErr, err)
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	switch {
	case errors.Is(err, context.Canceled):
		return fault.Wrap(fault.ClientClosed, "the request was cancelled", err)
	case connecting:
		return unavailable(err) // a connect timeout included
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(fault.Timeout, "the database did not answer in time", err)
	case errors.Is(err, pgx.ErrNoRows):
		return fault.Wrap(fault.NotFound, "not found", err)
	case connectionLost(err):
		return unavailable(err)
	default:
		return err
	}
}

func classifyState(pgErr *pgconn.PgError, err error) error {
	switch pgErr.Code {
	case queryCanceled, lockNotAvailable:
		return fault.Wrap(fault.Timeout, "the database did not answer in time", err)
	case uniqueViolation:
		if message, ok := constraintMessages[pgErr.ConstraintName]; ok {
			return fault.Wrap(fault.Conflict, message, err)
		}
		return fault.Wrap(fault.Conflict, "it exists already", err)
	case foreignKeyViolation, serialization, deadlock:
		return fault.Wrap(fault.Conflict, "it was changed by somebody else at the same time", err)
	case untranslatable, badEncoding, badJSON:
		return fault.Wrap(fault.Invalid, "the text holds a character that cannot be stored", err)
	case readOnly, undefinedTable:
		// A replica that is not promoted yet, or a schema not migrated yet.
		return unavailable(err)
	case checkViolation, notNullViolation:
		if message, ok := constraintMessages[pgErr.ConstraintName]; ok {
			return fault.Wrap(fault.Invalid, message, err)
		}
		return err
	}
	// 08 connection, 53 out of connections, memory or disk, 57P0x shutting
	// down, 58 the server's own system, 28 and 3D a server that refuses us.
	for _, class := range []string{"08", "53", "57P", "58", "28", "3D"} {
		if strings.HasPrefix(pgErr.Code, class) {
			return unavailable(err)
		}
	}
	return err
}

// constraintMessages are for constraints that input alone can break.
var constraintMessages = map[string]string{
	"stacks_name_check":    "the stack's name is not one: " + stackNameRule,
	"drifts_address_check": "a resource's address must have 1 to 2000 bytes",
	"drifts_type_check":    "a resource's type must have 1 to 200 bytes",
	"noise_address_check":  "a resource's address must have 1 to 2000 bytes",
	"users_email_check":    "an e-mail address must have 3 to 254 bytes",
	"users_email_key":      "there is a user with this e-mail already",
	"api_keys_name_check":  "the name of an API key must have 1 to 200 bytes",
	"api_keys_live_name":   "there is an API key with this name already; revoke that one first, or take another name",
}

func unavailable(err error) error {
	err = fault.Wrap(fault.Unavailable, "the database cannot be reached just now", err)
	if f, ok := fault.As(err); ok {
		f.RetryAfter = retryAfter
	}
	return err
}

// connectionLost reports whether err came from the connection rather than
// from what was asked over it.
func connectionLost(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	for _, lost := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, pgconn.ErrConnClosed, puddle.ErrClosedPool} {
		if errors.Is(err, lost) {
			return true
		}
	}
	return false
}

// missingTable reports whether a statement named a table that is not there.
func missingTable(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pgErr.Code == undefinedTable
}

// worthRetrying reports whether running the same transaction again may work,
// because this one lost to another.
func worthRetrying(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pgErr.Code == serialization || pgErr.Code == deadlock)
}

// errPanicked ends a copy whose source panicked; nobody ever sees it.
var errPanicked = errors.New("the source of the copy panicked")
