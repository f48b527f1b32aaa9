// Package ingest takes one upload from its first byte to its receipt: read and
// mask the report, compare it with what is known of the stack, keep what is
// new, in one transaction.
//
// It decides nothing about drift itself; that is drift.Reconcile. It knows no
// HTTP.
package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/terraform"
)

// Service takes uploads. DB, Key and MaxBytes are required.
type Service struct {
	DB *postgres.DB
	// Key is what hidden values are fingerprinted with: 32 bytes, the same on
	// every replica and for as long as rejections should stay quiet.
	Key []byte
	// MaxBytes limits a report after decompression.
	MaxBytes int64
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Phase is told when a part of the work begins (parse, reconcile, store) and
	// returns what to call when it ends, with facts as alternating keys and
	// values; nil if nobody watches.
	Phase func(ctx context.Context, name string) (context.Context, func(err error, facts ...any))
	// Done is told of every scan that was kept; nil if nobody counts.
	Done func(ctx context.Context, report *drift.Report, closed []postgres.Closing)
}

// Upload is one report on its way in.
type Upload struct {
	// Stack is the name its owner gave it, unchecked.
	Stack string
	// Body is the report as plain or gzipped bytes.
	Body io.Reader
	// NotRefreshed is set when the uploader says that the plan was made without
	// looking at reality (terraform plan -refresh=false).
	NotRefreshed bool
	// CI is what is known of the run that it comes from, as ParseCI returned it;
	// nil for nothing.
	CI json.RawMessage
	// Actor is who sent it.
	Actor audit.Actor
}

// Scan takes one upload. created is false when the same payload had been taken
// for this stack before; then nothing was written and the receipt is the first
// one's.
func (s *Service) Scan(ctx context.Context, up Upload) (receipt Receipt, created bool, err error) {
	if err := postgres.CheckStackName(up.Stack); err != nil {
		return Receipt{}, false, err
	}
	// The whole body is read before the transaction begins: a slow client must
	// not hold a stack's lock.
	snapshot, err := s.read(ctx, up)
	if err != nil {
		return Receipt{}, false, err
	}
	defer func() {
		if cerr := snapshot.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("free the report: %w", cerr)
		}
	}()
	var closed []postgres.Closing
	err = s.DB.InTx(ctx, func(tx *postgres.Tx) error {
		receipt, created, closed, err = s.keep(ctx, tx, up, snapshot)
		return err
	})
	if err != nil {
		return Receipt{}, false, fmt.Errorf("keep the scan of %s: %w", up.Stack, err)
	}
	if created && s.Done != nil {
		s.Done(ctx, &snapshot.Report, closed)
	}
	return receipt, created, nil
}

// read turns the body into a masked snapshot.
func (s *Service) read(ctx context.Context, up Upload) (*drift.Snapshot, error) {
	_, done := s.phase(ctx, "parse")
	snapshot, err := terraform.Read(up.Body, terraform.Options{Key: s.Key, MaxBytes: s.MaxBytes, NotRefreshed: up.NotRefreshed})
	if err != nil {
		done(err)
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	done(nil, "bytes", snapshot.Bytes, "resources", snapshot.Resources, "drifts", len(snapshot.Drifts), "noise", len(snapshot.Noise))
	return snapshot, nil
}

// keep is the transaction of one scan: lock, reconcile, write, receipt.
func (s *Service) keep(
	ctx context.Context, tx *postgres.Tx, up Upload, snapshot *drift.Snapshot,
) (receipt Receipt, created bool, closed []postgres.Closing, err error) {
	stack, err := tx.LockStack(ctx, up.Stack, s.now())
	if err != nil {
		return Receipt{}, false, nil, err
	}
	now := s.now() // waiting for the lock may have taken a while
	receipt, known, err := earlier(ctx, tx, stack, snapshot.Digest)
	if err != nil || known {
		return receipt, false, nil, err
	}
	row := newRow(ctx, stack, up, snapshot, now)
	job := &storing{tx: tx, row: row, snapshot: snapshot}
	if !row.Scan.Superseded {
		if err := s.reconcile(ctx, job, now); err != nil {
			return Receipt{}, false, nil, err
		}
	}
	ctx, done := s.phase(ctx, "store")
	receipt, err = job.store(ctx)
	done(err, "opened", len(job.outcome.Opened), "resolved", len(job.outcome.Resolved))
	return receipt, err == nil, job.closed, err
}

// newRow is the row of a scan before it is known what it means.
func newRow(ctx context.Context, stack *postgres.Stack, up Upload, snapshot *drift.Snapshot, now time.Time) *postgres.Upload {
	report := snapshot.Report
	// A plan that does not say when it was taken was taken just now, and so was
	// one from a clock that runs ahead: it must not make every later scan an old
	// one. Another replica's clock may be ahead of ours, too.
	if report.TakenAt.IsZero() || report.TakenAt.After(now) {
		report.TakenAt = now
		if now.Before(stack.LastTakenAt) {
			report.TakenAt = stack.LastTakenAt
		}
	}
	return &postgres.Upload{Stack: stack, Scan: postgres.Scan{
		ID: postgres.NewID(now), ReceivedAt: now, Report: report,
		Superseded:    report.TakenAt.Before(stack.LastTakenAt),
		PayloadSHA256: snapshot.Digest, PayloadBytes: snapshot.Bytes,
		CI: up.CI, Actor: up.Actor, IDs: correlation.From(ctx),
	}}
}

// reconcile finds out what the report means for the stack's open drifts.
func (s *Service) reconcile(ctx context.Context, job *storing, now time.Time) (err error) {
	ctx, done := s.phase(ctx, "reconcile")
	defer func() {
		o := &job.outcome
		done(err, "standing", len(job.standing), "opened", len(o.Opened), "known", len(o.Known),
			"reopened", len(o.Reopened), "resolved", len(o.Resolved))
	}()
	if job.standing, err = job.tx.OpenDrifts(ctx, job.row.Stack); err != nil {
		return err
	}
	job.outcome = drift.Reconcile(&job.row.Scan.Report, job.standing, job.snapshot.Drifts, now)
	return nil
}

func (s *Service) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func (s *Service) phase(ctx context.Context, name string) (context.Context, func(error, ...any)) {
	if s.Phase == nil {
		return ctx, func(error, ...any) {}
	}
	return s.Phase(ctx, name)
}
