package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// jobConns leaves two for the queue's own queries while MaxAlone pieces of
	// work hold one each.
	jobConns = MaxAlone + 2
	// jobConnIdle ends connections that only a busy moment needed.
	jobConnIdle = time.Minute
	// endAlone bounds giving a lock back once the work's own context is over.
	endAlone = 5 * time.Second
)

// MaxAlone is how many Alone of one JobPool may run at once; more would take the
// connections that the queue needs to go on.
const MaxAlone = 2

// JobPool is the connections of the job queue: at most four, none of them the
// service's, so that neither waits for the other. What the queue asks over them
// is measured like any query. It leaves no trace, as the tracer makes spans only
// below another and the queue works below none.
type JobPool struct {
	*pgxpool.Pool
}

// JobPool returns a new pool, at once and without connecting; whoever asked
// closes it.
func (db *DB) JobPool(ctx context.Context) (*JobPool, error) {
	conf := db.conf.Copy()
	conf.MaxConns = jobConns
	conf.MaxConnIdleTime = jobConnIdle
	pool, err := pgxpool.NewWithConfig(ctx, conf)
	if err != nil {
		return nil, fmt.Errorf("connection pool: %w", err)
	}
	return &JobPool{pool}, nil
}

// Alone does work unless some process is doing work of this name already, and
// reports whether it did. It keeps a connection for as long as the work takes;
// the work itself uses others. Should that connection break, the work goes on
// and another's may begin.
func (p *JobPool) Alone(ctx context.Context, name string, work func(context.Context) error) (alone bool, err error) {
	// A transaction's lock, not a session's: poolers in transaction mode give the
	// session away, and a broken connection ends it either way.
	tx, err := p.Begin(ctx)
	if err != nil {
		return false, classify(fmt.Errorf("begin: %w", err))
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endAlone)
		defer cancel()
		// A lock lost before its time is no reason to do the work again.
		_ = tx.Rollback(ctx)
	}()
	if alone, err = lockAlone(ctx, tx, name); err != nil || !alone {
		return false, classify(err)
	}
	return true, work(ctx)
}

// lockAlone also lifts the limits on how long a transaction may do nothing,
// which is what this one does.
func lockAlone(ctx context.Context, tx pgx.Tx, name string) (locked bool, err error) {
	var lifted int
	err = tx.QueryRow(ctx, `-- name: LockAlone
		SELECT pg_try_advisory_xact_lock(hashtextextended('driftsentry alone ' || $1, 0)),
			(SELECT count(set_config(name, '0', true)) FROM pg_settings
			WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout'))`, name).Scan(&locked, &lifted)
	if err != nil {
		return false, fmt.Errorf("lock %s: %w", name, err)
	}
	return locked, nil
}
