package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// maxListed is how many new drifts a receipt lists; Counts counts them all.
const maxListed = 100

// Receipt is the answer to an upload: what the scan was and what it changed.
type Receipt struct {
	ID     uuid.UUID          `json:"id"`
	Stack  string             `json:"stack"`
	Status drift.Completeness `json:"status"`
	// Superseded says that a newer scan of the stack had come first: this one
	// was recorded and changed no drift.
	Superseded bool `json:"superseded"`
	// Message says what failed, of a scan that is nothing but word of that.
	Message string `json:"message,omitempty"`
	Counts  Counts `json:"counts"`
	// ByOrigin are the same counts for each origin: what is outside and what is
	// pending are different news.
	ByOrigin map[drift.Origin]OriginCounts `json:"byOrigin"`
	// Drifts are the new and reopened ones, the worst first, 100 at most.
	Drifts        []Listed `json:"drifts"`
	DriftsOmitted int      `json:"driftsOmitted"`
	CorrelationID string   `json:"correlationId"`
	TraceID       string   `json:"traceId"`
}

// Counts are what a scan found, each drift counted once: detected ones are
// new, known ones were open before, reopened ones had been rejected.
type Counts struct {
	Resources int `json:"resources"`
	Detected  int `json:"detected"`
	Known     int `json:"known"`
	Reopened  int `json:"reopened"`
	Resolved  int `json:"resolved"`
	Noise     int `json:"noise"`
}

// OriginCounts are the Counts of one origin.
type OriginCounts struct {
	Detected int `json:"detected"`
	Known    int `json:"known"`
	Reopened int `json:"reopened"`
	Resolved int `json:"resolved"`
	Noise    int `json:"noise"`
}

// Listed is a drift as a receipt tells of it.
type Listed struct {
	ID             uuid.UUID      `json:"id"`
	Address        string         `json:"address"`
	Type           string         `json:"type"`
	Origin         drift.Origin   `json:"origin"`
	Action         drift.Action   `json:"action"`
	Severity       drift.Severity `json:"severity"`
	SeverityReason string         `json:"severityReason"`
	Status         drift.Status   `json:"status"`
}

// earlier finds the receipt this payload was given when it first came.
func earlier(ctx context.Context, tx *postgres.Tx, stack *postgres.Stack, digest [32]byte) (Receipt, bool, error) {
	raw, found, err := tx.ScanByPayload(ctx, stack, digest)
	if err != nil || !found {
		return Receipt{}, false, err
	}
	var receipt Receipt
	if err := json.Unmarshal(raw, &receipt); err != nil {
		return Receipt{}, false, fmt.Errorf("decode the stored receipt: %w", err)
	}
	return receipt, true, nil
}

// receipt is what the scan's uploader, and whoever sends the same again, hears.
func (j *storing) receipt() Receipt {
	scan := &j.row.Scan
	receipt := Receipt{
		ID: scan.ID, Stack: j.row.Stack.Name, Status: scan.Status, Superseded: scan.Superseded,
		CorrelationID: scan.IDs.Correlation, TraceID: scan.IDs.Trace,
		Counts: Counts{
			Resources: scan.Resources, Noise: len(j.snapshot.Noise),
			Detected: len(j.outcome.Opened), Known: len(j.outcome.Known),
			Reopened: len(j.outcome.Reopened), Resolved: len(j.outcome.Resolved),
		},
	}
	receipt.ByOrigin = j.byOrigin()
	receipt.Drifts, receipt.DriftsOmitted = j.news.worst()
	scan.Counts = postgres.ScanCounts{
		Detected: receipt.Counts.Detected, Known: receipt.Counts.Known, Reopened: receipt.Counts.Reopened,
		Resolved: receipt.Counts.Resolved, Noise: receipt.Counts.Noise,
	}
	return receipt
}

// byOrigin counts what the scan means for each origin.
func (j *storing) byOrigin() map[drift.Origin]OriginCounts {
	counts := make(map[drift.Origin]OriginCounts)
	for _, o := range drift.Origins() {
		var c OriginCounts
		for _, n := range j.outcome.Opened {
			c.Detected += one(j.snapshot.Drifts[n].Key.Origin == o)
		}
		for _, m := range j.outcome.Known {
			c.Known += one(j.standing[m.Standing].Key.Origin == o)
		}
		for _, m := range j.outcome.Reopened {
			c.Reopened += one(j.standing[m.Standing].Key.Origin == o)
		}
		for _, n := range j.outcome.Resolved {
			c.Resolved += one(j.standing[n].Key.Origin == o)
		}
		for i := range j.snapshot.Noise {
			c.Noise += one(j.snapshot.Noise[i].Key.Origin == o)
		}
		counts[o] = c
	}
	return counts
}

func one(counts bool) int {
	if counts {
		return 1
	}
	return 0
}

// listing keeps the worst of the drifts it is shown, in their order: at most
// maxListed of each severity, however many there are.
type listing struct {
	bySeverity [3][]numbered
	total      int
}

// numbered is a drift whose id may not be known yet; n finds it later.
type numbered struct {
	Listed
	n int
}

func (l *listing) add(id uuid.UUID, r *drift.Resource) {
	l.put(numbered{Listed: listed(r), n: l.total}, id)
}

func (l *listing) addNumbered(n int, r *drift.Resource) {
	l.put(numbered{Listed: listed(r), n: n}, uuid.Nil)
}

func (l *listing) put(d numbered, id uuid.UUID) {
	l.total++
	d.ID = id
	for i, severity := range drift.Severities() {
		if d.Severity == severity && len(l.bySeverity[i]) < maxListed {
			l.bySeverity[i] = append(l.bySeverity[i], d)
		}
	}
}

// merge appends a listing whose drifts have got their ids, by their numbers.
func (l *listing) merge(other listing, ids []uuid.UUID) {
	l.total += other.total
	for i, some := range other.bySeverity {
		for _, d := range some {
			d.ID = ids[d.n]
			l.bySeverity[i] = append(l.bySeverity[i], d)
		}
	}
}

// worst lists at most maxListed drifts and tells how many it left out.
func (l *listing) worst() (worst []Listed, omitted int) {
	worst = []Listed{}
	for _, some := range l.bySeverity {
		for _, d := range some[:min(len(some), maxListed-len(worst))] {
			worst = append(worst, d.Listed)
		}
	}
	return worst, l.total - len(worst)
}

func listed(r *drift.Resource) Listed {
	return Listed{
		Address: strings.Clone(r.Address), Type: strings.Clone(r.Type), Origin: r.Origin, Action: r.Action,
		Severity: r.Severity, SeverityReason: r.SeverityReason, Status: drift.Detected,
	}
}
