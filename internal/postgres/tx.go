package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// maxAttempts bounds how often one transaction is run: losing three times in
// a row means that trying again is not what helps.
const maxAttempts = 3

// Tx is a transaction, at READ COMMITTED. What changes the drifts of a stack
// locks the stack's row first (LockStack, LockDrift), so that nothing else
// changes them meanwhile. A Tx is not safe for concurrent use.
type Tx struct {
	tx     pgx.Tx
	counts counts
	seal   seal
	// events makes the ids of the events, so that what was written later comes
	// later in a timeline, within a millisecond too.
	events *idSource
}

// eventSource makes ids of events of the given moment.
func (tx *Tx) eventSource(at time.Time) *idSource {
	if tx.events == nil || tx.events.millis != uint64(at.UnixMilli()) {
		tx.events = newIDSource(at)
	}
	return tx.events
}

// InTx runs do in a transaction, and when it returns nil seals the events it
// wrote (seal.go) and commits. do is run again, at most twice, when it lost to
// another transaction (deadlock, serialization), so everything it does outside
// tx must bear that.
func (db *DB) InTx(ctx context.Context, do func(tx *Tx) error) error {
	var err error
	for range maxAttempts {
		if err = db.attempt(ctx, do); !worthRetrying(err) {
			break
		}
	}
	return classify(err)
}

// attempt runs one transaction from begin to commit.
func (db *DB) attempt(ctx context.Context, do func(tx *Tx) error) (err error) {
	inner, err := db.pool.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	// A panic in do must not leave the connection inside a transaction. The
	// context may be over by now and the rollback must still be sent.
	defer func() {
		if rollbackErr := inner.Rollback(context.WithoutCancel(ctx)); rollbackErr != nil && !errors.Is(rollbackErr, pgx.ErrTxClosed) {
			err = errors.Join(err, fmt.Errorf("roll back: %w", rollbackErr))
		}
	}()
	tx := &Tx{tx: inner, seal: seal{key: db.sealKey}}
	if err := do(tx); err != nil {
		return err
	}
	if err := tx.writeCounts(ctx); err != nil {
		return err
	}
	if err := tx.closeSeal(ctx); err != nil {
		return err
	}
	if err := inner.Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
