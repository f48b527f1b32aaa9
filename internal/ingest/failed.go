package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/redact"
)

// FailureFormat is the format of a scan that is nothing but word of a failure.
const FailureFormat = "failure"

// maxMessage bounds what is kept of such a word, in bytes.
const maxMessage = 4 << 10

// Failed is word that a scan was tried and gave no report: Terraform itself
// failed.
type Failed struct {
	Stack   string
	Message string
	CI      json.RawMessage // as ParseCI returned it; nil for none
	Actor   audit.Actor
}

// Failed records a scan that failed. It finds nothing and resolves nothing, but
// now the stack's freshness says that somebody tried. Each is a scan of its own:
// the same message an hour later is news.
func (s *Service) Failed(ctx context.Context, f Failed) (Receipt, error) {
	if err := postgres.CheckStackName(f.Stack); err != nil {
		return Receipt{}, err
	}
	message, err := cleanMessage(f.Message)
	if err != nil {
		return Receipt{}, err
	}
	var receipt Receipt
	var report drift.Report
	err = s.DB.InTx(ctx, func(tx *postgres.Tx) error {
		stack, err := tx.LockStack(ctx, f.Stack, s.now())
		if err != nil {
			return err
		}
		now := s.now()
		id := postgres.NewID(now)
		report = drift.Report{Format: FailureFormat, Status: drift.Errored, TakenAt: now}
		row := &postgres.Upload{Stack: stack, Scan: postgres.Scan{
			ID: id, ReceivedAt: now, Report: report, PayloadSHA256: sha256.Sum256(id[:]), PayloadBytes: int64(len(f.Message)),
			CI: f.CI, Actor: f.Actor, IDs: correlation.From(ctx),
		}}
		receipt = (&storing{tx: tx, row: row, snapshot: &drift.Snapshot{}}).receipt()
		receipt.Message = message
		if row.Scan.Receipt, err = json.Marshal(receipt); err != nil {
			return fmt.Errorf("encode the receipt: %w", err)
		}
		return tx.InsertScan(ctx, row)
	})
	if err != nil {
		return Receipt{}, fmt.Errorf("keep a failed scan of %s: %w", f.Stack, err)
	}
	if s.Done != nil {
		s.Done(ctx, &report, nil)
	}
	return receipt, nil
}

// cleanMessage is a message as it is kept: its beginning, without what looks
// like a credential. Tools quote their configuration when they fail.
func cleanMessage(text string) (string, error) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	if text == "" {
		return "", fault.BadField("message", "is missing: say what failed")
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "", fault.BadField("message", "must be UTF-8 text without NUL characters")
	}
	if text = redact.Text(text); len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + "…"
	}
	return text, nil
}
