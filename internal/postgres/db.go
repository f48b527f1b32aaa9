// Package postgres is the store: every statement the service runs, and the
// schema it runs them on.
//
// Reads are methods on *DB, writes are methods on *Tx, so that a drift, its
// events and the counts kept of it commit together or not at all. Constraints
// live in the schema. The package decides nothing about drifts, knows no HTTP
// and no plan format, logs nothing, and is measured from outside through the
// tracer it is opened with.
package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Options say which database to use and how hard.
type Options struct {
	// URL is a PostgreSQL URL or DSN. It may hold a password: it is never
	// part of an error.
	URL string
	// MaxConns bounds the connections for queries; 0 means 10. Two more are
	// kept for health checks, which must not wait behind queries, and a JobPool
	// has up to four of its own.
	MaxConns int32
	// ReadTimeout bounds each read whose context ends later or never; 0 means
	// 30 seconds. Transactions are bounded by their context alone.
	ReadTimeout time.Duration
	// SealKey is the secret that the audit trail is sealed with, so that nobody
	// else can: 32 bytes or more, the same on every replica. Without one, changes
	// by somebody who can compute a SHA-256 are not noticed.
	SealKey []byte
	// Tracer sees every query, batch and copy. Nil means nobody looks.
	Tracer pgx.QueryTracer
}

// Defaults for what Options leave out.
const (
	defaultMaxConns    = 10
	defaultReadTimeout = 30 * time.Second
	probeConns         = 2
)

// DB is the database. It is safe for concurrent use.
type DB struct {
	pool        *pgxpool.Pool
	probe       *pgxpool.Pool
	conf        *pgxpool.Config // of pool; JobPool makes another of it
	readTimeout time.Duration
	rareMatches float64 // see searchIsRare
	sealKey     []byte
}

// Open returns a DB at once: connections are made when they are needed, so
// the service starts before its database does. It fails only when opts cannot
// be understood.
func Open(ctx context.Context, opts Options) (*DB, error) {
	if opts.MaxConns == 0 {
		opts.MaxConns = defaultMaxConns
	}
	if opts.ReadTimeout == 0 {
		opts.ReadTimeout = defaultReadTimeout
	}
	conf, err := poolConfig(opts.URL)
	if err != nil {
		return nil, err
	}
	conf.MaxConns = opts.MaxConns
	conf.ConnConfig.Tracer = opts.Tracer
	pool, err := pgxpool.NewWithConfig(ctx, conf)
	if err != nil {
		return nil, fmt.Errorf("connection pool: %w", err)
	}
	probeConf := conf.Copy()
	probeConf.MaxConns = probeConns
	// Probes come every few seconds and would bury other traces.
	probeConf.ConnConfig.Tracer = nil
	probe, err := pgxpool.NewWithConfig(ctx, probeConf)
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("connection pool: %w", err)
	}
	return &DB{pool: pool, probe: probe, conf: conf, readTimeout: opts.ReadTimeout, rareMatches: rareMatches, sealKey: opts.SealKey}, nil
}

// Close waits until every query and transaction is done and ends the
// connections.
func (db *DB) Close() {
	db.pool.Close()
	db.probe.Close()
}

// Ping asks the database for a sign of life over a connection no query uses.
// It is Unavailable or Timeout without one; ctx should end soon.
func (db *DB) Ping(ctx context.Context) error {
	_, err := db.probe.Exec(ctx, `-- name: Ping
		SELECT 1`)
	return classify(err)
}

// Ready is Ping, and Unavailable as well when the schema is older than this
// binary needs.
func (db *DB) Ready(ctx context.Context) error {
	var version int64
	err := db.probe.QueryRow(ctx, `-- name: Ready
		SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&version)
	if missingTable(err) || err == nil && version < SchemaVersion() {
		return ErrNotMigrated
	}
	return classify(err)
}

// PoolStat is the state of the connections for queries.
type PoolStat struct {
	Idle, Used, Max int32
	// Acquires counts how often a connection was asked for, Waits how often
	// there was none free, Cancels how often the caller gave up; WaitTime adds
	// up how long they waited.
	Acquires, Waits, Cancels int64
	WaitTime                 time.Duration
}

// Stat reads counters in memory; it does not touch the database.
func (db *DB) Stat() PoolStat {
	s := db.pool.Stat()
	return PoolStat{
		Idle: s.IdleConns(), Used: s.AcquiredConns(), Max: s.MaxConns(),
		Acquires: s.AcquireCount(), Waits: s.EmptyAcquireCount(), Cancels: s.CanceledAcquireCount(),
		WaitTime: s.EmptyAcquireWaitTime(),
	}
}

// Tables lists our tables: the closed set of values for a table label.
func Tables() []string {
	return []string{
		"api_keys", "audit_seals", "coverage", "drift_counts", "drifts", "events", "goose_db_version", "login_throttles", "noise",
		"refresh_tokens", "river_job", "river_leader", "river_migration", "river_notification", "river_queue", "scans",
		"sessions", "stacks", "users",
	}
}

// bounded is the context of one read.
func (db *DB) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, db.readTimeout)
}
