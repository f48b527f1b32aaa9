package ingest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// storing is the writing half of one scan: what it was found to mean, and the
// transaction that makes it so.
type storing struct {
	tx       *postgres.Tx
	row      *postgres.Upload
	snapshot *drift.Snapshot

	standing []drift.Standing
	outcome  drift.Outcome

	news   listing
	closed []postgres.Closing
}

// store writes the scan, the drifts it changed with an event each, the stack's
// noise, and how far its silence reaches. A superseded scan is only recorded.
//
// The order matters: what is resolved or moved frees its address before
// something new takes it.
func (j *storing) store(ctx context.Context) (Receipt, error) {
	if !j.row.Scan.Superseded {
		for _, step := range []func(context.Context) error{
			j.resolve, j.move, j.update, j.reopen, j.touch, j.open, j.replaceNoise,
		} {
			if err := step(ctx); err != nil {
				return Receipt{}, err
			}
		}
		if err := j.tx.AdvanceCoverage(ctx, j.row); err != nil {
			return Receipt{}, err
		}
	}
	receipt := j.receipt()
	raw, err := json.Marshal(receipt)
	if err != nil {
		return Receipt{}, fmt.Errorf("encode the receipt: %w", err)
	}
	j.row.Scan.Receipt = raw
	return receipt, j.tx.InsertScan(ctx, j.row)
}

func (j *storing) resolve(ctx context.Context) (err error) {
	ids := make([]uuid.UUID, len(j.outcome.Resolved))
	for i, n := range j.outcome.Resolved {
		ids[i] = j.standing[n].ID
	}
	j.closed, err = j.tx.ResolveDrifts(ctx, j.row, ids)
	return err
}

func (j *storing) move(ctx context.Context) error {
	var moves []postgres.Move
	for _, m := range j.matches() {
		if m.Moved {
			moves = append(moves, postgres.Move{
				ID: j.standing[m.Standing].ID, Address: j.snapshot.Drifts[m.Sighting].Key.Address,
			})
		}
	}
	return j.tx.MoveDrifts(ctx, j.row, moves)
}

// update gives drifts whose values changed those they have now, and notes the
// reopened ones for the receipt on the way.
func (j *storing) update(ctx context.Context) error {
	written := slices.DeleteFunc(j.matches(), func(m drift.Match) bool { return !m.Changed })
	sighted := func(yield func(postgres.Sighted, error) bool) {
		n := 0
		for r, err := range j.snapshot.EachDrift(among(written, func(m drift.Match) int { return m.Sighting })) {
			if err != nil {
				yield(postgres.Sighted{}, err)
				return
			}
			if !yield(postgres.Sighted{ID: j.standing[written[n].Standing].ID, Resource: r}, nil) {
				return
			}
			n++
		}
	}
	_, err := j.tx.UpdateDrifts(ctx, j.row, sighted)
	return err
}

func (j *storing) reopen(ctx context.Context) error {
	reopenings := make([]postgres.Reopening, len(j.outcome.Reopened))
	for i, m := range j.outcome.Reopened {
		reason := "the date until which it was rejected has passed"
		if m.Changed {
			reason = "its values are not the ones that were rejected"
		}
		reopenings[i] = postgres.Reopening{ID: j.standing[m.Standing].ID, Reason: reason}
	}
	if _, err := j.tx.ReopenDrifts(ctx, j.row, reopenings); err != nil {
		return err
	}
	again := slices.Clone(j.outcome.Reopened)
	slices.SortFunc(again, bySighting)
	n := 0
	for r, err := range j.snapshot.EachDrift(among(again, func(m drift.Match) int { return m.Sighting })) {
		if err != nil {
			return err
		}
		j.news.add(j.standing[again[n].Standing].ID, r)
		n++
	}
	return nil
}

// touch counts the sightings of a scan that does not cover their origin; those
// of one that does are counted by its coverage, without a row being written.
func (j *storing) touch(ctx context.Context) error {
	var ids []uuid.UUID
	for _, m := range j.matches() {
		if !j.row.Scan.Covers(j.standing[m.Standing].Key.Origin) {
			ids = append(ids, j.standing[m.Standing].ID)
		}
	}
	return j.tx.TouchDrifts(ctx, j.row, ids)
}

func (j *storing) open(ctx context.Context) error {
	opened := j.outcome.Opened
	keys := make([]drift.Key, len(opened))
	for i, n := range opened {
		keys[i] = j.snapshot.Drifts[n].Key
	}
	var fresh listing
	seen := 0
	ids, err := j.tx.InsertDrifts(ctx, j.row, keys, func(yield func(*drift.Resource, error) bool) {
		for r, err := range j.snapshot.EachDrift(among(opened, func(n int) int { return n })) {
			if err == nil {
				fresh.addNumbered(seen, r)
				seen++
			}
			if !yield(r, err) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	j.news.merge(fresh, ids)
	return nil
}

func (j *storing) replaceNoise(ctx context.Context) error {
	return j.tx.ReplaceNoise(ctx, j.row, j.snapshot.Noise, j.snapshot.EachNoise)
}

// matches are all standing drifts that the report shows, in its order.
func (j *storing) matches() []drift.Match {
	all := slices.Concat(j.outcome.Known, j.outcome.Reopened)
	slices.SortFunc(all, bySighting)
	return all
}

func bySighting(a, b drift.Match) int { return cmp.Compare(a.Sighting, b.Sighting) }

// among asks for the numbers that items have; they must be in ascending order.
// The function it returns must be called with ascending numbers, as Each* do.
func among[T any](items []T, number func(T) int) func(n int) bool {
	next := 0
	return func(n int) bool {
		for next < len(items) && number(items[next]) < n {
			next++
		}
		return next < len(items) && number(items[next]) == n
	}
}
