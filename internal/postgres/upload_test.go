package postgres_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// noon is when the tests' first scan is received.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// report is a complete one, as a refresh-only plan gives it.
func report(at time.Time) drift.Report {
	return drift.Report{
		Format: "terraform-plan", FormatVersion: "1.2", Tool: "terraform", ToolVersion: "1.11.4",
		TakenAt: at, Status: drift.Complete, Outside: true, Resources: 10,
	}
}

// resource is a drifted security group whose fingerprint depends on value.
func resource(address, value string) *drift.Resource {
	sum := sha256.Sum256([]byte(value))
	return &drift.Resource{
		Address: address, Type: "aws_security_group", Provider: "registry.terraform.io/hashicorp/aws",
		CloudID: "sg-" + address, Region: "eu-west-1", Account: "123456789012",
		Origin: drift.Outside, Action: drift.Update, Severity: drift.Warning, SeverityReason: "rules changed",
		News:        []drift.Change{{Path: "name", Before: drift.Shown(`"old"`), After: drift.Shown(fmt.Sprintf("%q", value))}},
		Fingerprint: drift.Fingerprint(sum[:16]),
	}
}

// applied is what became of an upload.
type applied struct {
	scan     postgres.Scan
	outcome  drift.Outcome
	opened   []uuid.UUID
	closings []postgres.Closing
}

// apply stores a report the way ingest does, but from memory.
func apply(tb testing.TB, db *postgres.DB, stack string, at time.Time, rep drift.Report, resources ...*drift.Resource) applied {
	tb.Helper()
	var a applied
	err := db.InTx(tb.Context(), func(tx *postgres.Tx) error {
		var err error
		a, err = applyIn(tb.Context(), tx, stack, at, rep, resources)
		return err
	})
	if err != nil {
		tb.Fatalf("apply a report to %s: %v", stack, err)
	}
	return a
}

func applyIn(ctx context.Context, tx *postgres.Tx, stack string, at time.Time, rep drift.Report, resources []*drift.Resource) (applied, error) {
	payload, err := json.Marshal([]any{at, stack, len(resources)})
	if err != nil {
		return applied{}, err
	}
	up := &postgres.Upload{Scan: postgres.Scan{
		ID: postgres.NewID(at), ReceivedAt: at, Report: rep, PayloadSHA256: sha256.Sum256(payload),
		Receipt: json.RawMessage(`{"first":true}`), Actor: audit.Actor{Name: "key:ci", ClientAddress: "203.0.113.9", UserAgent: "driftsentry/1.0"},
		IDs: correlation.IDs{Correlation: "corr-" + stack, Trace: "4bf92f3577b34da6a3ce929d0e0e4736", Span: "00f067aa0ba902b7"},
	}}
	if up.Stack, err = tx.LockStack(ctx, stack, at); err != nil {
		return applied{}, err
	}
	standing, err := tx.OpenDrifts(ctx, up.Stack)
	if err != nil {
		return applied{}, err
	}
	var news, noise []*drift.Resource
	var seen []drift.Sighting
	for _, r := range resources {
		if r.OnlyNoise() {
			noise = append(noise, r)
			continue
		}
		news = append(news, r)
		seen = append(seen, drift.Sighting{Key: r.Key(), PreviousAddress: r.PreviousAddress, Fingerprint: r.Fingerprint})
	}
	out := drift.Reconcile(&rep, standing, seen, at)
	a := applied{outcome: out}

	var gone []uuid.UUID
	for _, i := range out.Resolved {
		gone = append(gone, standing[i].ID)
	}
	if a.closings, err = tx.ResolveDrifts(ctx, up, gone); err != nil {
		return a, err
	}
	var moves []postgres.Move
	var touched []uuid.UUID
	var sighted []postgres.Sighted
	var reopenings []postgres.Reopening
	for _, m := range slices.Concat(out.Known, out.Reopened) {
		id := standing[m.Standing].ID
		if m.Moved {
			moves = append(moves, postgres.Move{ID: id, Address: seen[m.Sighting].Key.Address})
		}
		if m.Changed {
			sighted = append(sighted, postgres.Sighted{ID: id, Resource: news[m.Sighting]})
		}
		if !rep.Covers(seen[m.Sighting].Key.Origin) {
			touched = append(touched, id)
		}
	}
	for _, m := range out.Reopened {
		reopenings = append(reopenings, postgres.Reopening{ID: standing[m.Standing].ID, Reason: "its values changed"})
	}
	if err := tx.MoveDrifts(ctx, up, moves); err != nil {
		return a, err
	}
	if _, err := tx.UpdateDrifts(ctx, up, each(sighted)); err != nil {
		return a, err
	}
	if _, err := tx.ReopenDrifts(ctx, up, reopenings); err != nil {
		return a, err
	}
	if err := tx.TouchDrifts(ctx, up, touched); err != nil {
		return a, err
	}
	var keys []drift.Key
	var opened []*drift.Resource
	for _, i := range out.Opened {
		keys, opened = append(keys, seen[i].Key), append(opened, news[i])
	}
	if a.opened, err = tx.InsertDrifts(ctx, up, keys, each(opened)); err != nil {
		return a, err
	}
	if err := tx.ReplaceNoise(ctx, up, sightingsOf(noise), eachOf(noise)); err != nil {
		return a, err
	}
	if err := tx.AdvanceCoverage(ctx, up); err != nil {
		return a, err
	}
	up.Scan.Counts = postgres.ScanCounts{
		Detected: len(out.Opened), Known: len(out.Known), Reopened: len(out.Reopened), Resolved: len(out.Resolved), Noise: len(noise),
	}
	a.scan = up.Scan
	return a, tx.InsertScan(ctx, up)
}

// sightingsOf is what a reader keeps in memory of resources.
func sightingsOf(resources []*drift.Resource) []drift.Sighting {
	seen := make([]drift.Sighting, len(resources))
	for i, r := range resources {
		seen[i] = drift.Sighting{Key: r.Key(), Fingerprint: r.Fingerprint}
	}
	return seen
}

// eachOf is a snapshot's EachNoise over resources in memory.
func eachOf(resources []*drift.Resource) func(want func(n int) bool) iter.Seq2[*drift.Resource, error] {
	return func(want func(n int) bool) iter.Seq2[*drift.Resource, error] {
		return func(yield func(*drift.Resource, error) bool) {
			for n, r := range resources {
				if want(n) && !yield(r, nil) {
					return
				}
			}
		}
	}
}

// each yields values as an iterator that cannot fail.
func each[T any](values []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range values {
			if !yield(v, nil) {
				return
			}
		}
	}
}
