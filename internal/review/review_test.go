package review_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
	"github.com/driftsentry/driftsentry/internal/review"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const reason = "agreed with the network team"

// desk is a service on a database of its own, whose clock stands still until the
// test moves it.
type desk struct {
	*review.Service
	t   *testing.T
	now time.Time
	// decided are the steps the service told of.
	decided []string
}

func open(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, now: noon}
	d.Service = &review.Service{
		DB: pgtest.Open(t), Now: func() time.Time { return d.now },
		Decided: func(_ context.Context, was, is *postgres.Drift) {
			d.decided = append(d.decided, string(was.Status)+">"+string(is.Status))
		},
	}
	return d
}

// ctx is a request's, with its ids.
func (d *desk) ctx() context.Context {
	return correlation.With(d.t.Context(), correlation.IDs{Correlation: "c-1", Trace: "t-1", Span: "s-1"})
}

// detect stores a scan of a stack that found the addresses, an hour before noon.
func (d *desk) detect(stack string, addresses ...string) []uuid.UUID {
	d.t.Helper()
	at := noon.Add(-time.Hour)
	var ids []uuid.UUID
	err := d.DB.InTx(d.ctx(), func(tx *postgres.Tx) (err error) {
		up := &postgres.Upload{Scan: postgres.Scan{
			ID: postgres.NewID(at), ReceivedAt: at, PayloadSHA256: sha256.Sum256([]byte(stack + strings.Join(addresses, " "))),
			Report: drift.Report{Format: "terraform", Status: drift.Complete, Outside: true, TakenAt: at}, Receipt: json.RawMessage(`{}`),
			Actor: audit.Actor{Name: "key:ci"}, IDs: correlation.IDs{Correlation: "scan-1"},
		}}
		if up.Stack, err = tx.LockStack(d.ctx(), stack, at); err != nil {
			return err
		}
		var keys []drift.Key
		for _, a := range addresses {
			keys = append(keys, drift.Key{Origin: drift.Outside, Address: a})
		}
		ids, err = tx.InsertDrifts(d.ctx(), up, keys, func(yield func(*drift.Resource, error) bool) {
			for _, a := range addresses {
				r := &drift.Resource{
					Address: a, Type: "aws_security_group", Origin: drift.Outside, Action: drift.Update, Severity: drift.Warning,
					Fingerprint: drift.Fingerprint{1},
				}
				if !yield(r, nil) {
					return
				}
			}
		})
		if err != nil {
			return err
		}
		if err := tx.AdvanceCoverage(d.ctx(), up); err != nil {
			return err
		}
		return tx.InsertScan(d.ctx(), up)
	})
	if err != nil {
		d.t.Fatalf("store a scan: %v", err)
	}
	return ids
}

var engineer = &auth.Principal{Kind: auth.KindUser, Name: "alice@example.com", Role: auth.Engineer}

// decide takes a decision as alice.
func (d *desk) decide(id uuid.UUID, to drift.Status, change ...func(*review.Decision)) (*postgres.Drift, error) {
	w := review.Decision{
		Drift: id, To: to, Reason: reason, Principal: engineer,
		Actor: audit.Actor{Name: engineer.Actor(), ClientAddress: "203.0.113.7", UserAgent: "curl/8"},
	}
	if to == drift.Triaged {
		w.Reason = ""
	}
	for _, c := range change {
		c(&w)
	}
	d.now = d.now.Add(time.Millisecond) // events are ordered by their time
	return d.Decide(d.ctx(), w)
}

func (d *desk) must(id uuid.UUID, to drift.Status, change ...func(*review.Decision)) *postgres.Drift {
	d.t.Helper()
	is, err := d.decide(id, to, change...)
	if err != nil || is.Status != to {
		d.t.Fatalf("Decide(%s) = %+v, %v", to, is, err)
	}
	return is
}

func until(text string) func(*review.Decision) { return func(w *review.Decision) { w.Until = text } }

func because(text string) func(*review.Decision) {
	return func(w *review.Decision) { w.Reason = text }
}

func (d *desk) timeline(id uuid.UUID) []audit.Event {
	d.t.Helper()
	events, _, err := d.DB.Timeline(d.t.Context(), id, postgres.EventQuery{Limit: 100})
	if err != nil {
		d.t.Fatalf("Timeline() = %v", err)
	}
	return events
}

func TestADriftFromDetectionToResolution(t *testing.T) {
	t.Parallel()
	d := open(t)
	id := d.detect("prod/network", "aws_security_group.web")[0]
	d.must(id, drift.Triaged)
	is := d.must(id, drift.Rejected, until("2026-12-01"))
	if want := time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC); !is.QuietUntil.Equal(want) {
		t.Errorf("rejected until %v, want the end of that day, %v", is.QuietUntil, want)
	}
	d.must(id, drift.Resolved)
	if got := strings.Join(d.decided, " "); got != "detected>triaged triaged>rejected rejected>resolved" {
		t.Errorf("the service told of %q", got)
	}
	last := d.timeline(id)[3]
	if last.Action != audit.Resolved || last.From != "rejected" || last.To != "resolved" || last.Reason != reason ||
		last.Actor.Name != "user:alice@example.com" || last.Actor.ClientAddress != "203.0.113.7" || last.Actor.UserAgent != "curl/8" ||
		last.IDs != (correlation.IDs{Correlation: "c-1", Trace: "t-1", Span: "s-1"}) {
		t.Errorf("the last event = %+v, want who resolved it, from where, and why", last)
	}
}

// TestEveryOtherStepIsAConflictThatNamesTheStatus and leaves no trace.
func TestEveryOtherStepIsAConflictThatNamesTheStatus(t *testing.T) {
	t.Parallel()
	d := open(t)
	ways := map[drift.Status][]drift.Status{
		drift.Detected: {}, drift.Triaged: {drift.Triaged}, drift.Approved: {drift.Approved}, drift.Rejected: {drift.Rejected},
		drift.Resolved: {drift.Approved, drift.Resolved},
	}
	for from, way := range ways {
		id := d.detect("stack-of-"+string(from), "a")[0]
		for _, to := range way {
			d.must(id, to)
		}
		for _, to := range []drift.Status{drift.Triaged, drift.Approved, drift.Rejected, drift.Resolved} {
			if from.CanBecome(to) {
				continue
			}
			_, err := d.decide(id, to)
			if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "the drift is "+string(from)) {
				t.Errorf("Decide(%s) of a drift that is %s = %v, want a conflict that names it", to, from, err)
			}
		}
		if got := len(d.timeline(id)); got != 1+len(way) {
			t.Errorf("a drift that is %s has %d events, want %d", from, got, 1+len(way))
		}
	}
}

func TestLostUpdatesAreRefused(t *testing.T) {
	t.Parallel()
	d := open(t)
	id := d.detect("s", "a")[0]
	was, err := d.DB.Drift(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	seen := func(w *review.Decision) { w.IfMatch = review.Version(was) }
	is := d.must(id, drift.Triaged, seen)
	if _, err := d.decide(id, drift.Approved, seen); fault.KindOf(err) != fault.Stale || !strings.Contains(err.Error(), "triaged") {
		t.Errorf("Decide() about what has changed = %v, want that it is stale, and triaged", err)
	}
	d.must(id, drift.Approved, func(w *review.Decision) { w.IfMatch = review.Version(is) })
}

// TestOfManyDecisionsAtOnceOneIsTaken, and the others hear what it was.
func TestOfManyDecisionsAtOnceOneIsTaken(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.Decided = nil
	id := d.detect("s", "a")[0]
	var all sync.WaitGroup
	results := make(chan error, 16)
	for i := range cap(results) {
		w := review.Decision{Drift: id, To: []drift.Status{drift.Approved, drift.Rejected}[i%2], Reason: reason, Actor: audit.System()}
		all.Go(func() {
			_, err := d.Decide(d.ctx(), w)
			results <- err
		})
	}
	all.Wait()
	close(results)
	taken := 0
	for err := range results {
		if err == nil {
			taken++
		} else if fault.KindOf(err) != fault.Conflict {
			t.Errorf("a decision too late = %v, want a conflict", err)
		}
	}
	if taken != 1 || len(d.timeline(id)) != 2 {
		t.Errorf("%d decisions were taken and %d events written, want 1 and 2", taken, len(d.timeline(id)))
	}
}

func TestWishesThatMakeNoSense(t *testing.T) {
	t.Parallel()
	d := open(t)
	id := d.detect("s", "a")[0]
	for _, tt := range []struct {
		name   string
		to     drift.Status
		change func(*review.Decision)
		field  string
	}{
		{"no reason", drift.Approved, because(""), "reason"},
		{"9 characters", drift.Approved, because("123456789"), "reason"},
		{"9 characters and blanks", drift.Approved, because("  123456789  \n"), "reason"},
		{"1001 characters", drift.Rejected, because(strings.Repeat("ü", 1001)), "reason"},
		{"control characters", drift.Approved, because("a reason\x1b[2J with more"), "reason"},
		{"broken UTF-8", drift.Approved, because("a reason \xff\xfe which breaks"), "reason"},
		{"a reason to triage", drift.Triaged, because(reason), "reason"},
		{"until, for an approval", drift.Approved, until("2027-01-01"), "until"},
		{"until in the past", drift.Rejected, until("2026-11-22"), "until"},
		{"until now", drift.Rejected, until(noon.Format(time.RFC3339)), "until"},
		{"until far away", drift.Rejected, until("2099-01-01"), "until"},
		{"until some day", drift.Rejected, until("tomorrow"), "until"},
	} {
		_, err := d.decide(id, tt.to, tt.change)
		e, ok := fault.As(err)
		if !ok || e.Kind != fault.Invalid || len(e.Fields) != 1 || e.Fields[0].Field != tt.field {
			t.Errorf("%s: %v, want one problem with %s", tt.name, err, tt.field)
		}
	}
	if got := len(d.timeline(id)); got != 1 {
		t.Errorf("%d events after wishes that make no sense, want the detection alone", got)
	}
	if _, err := d.decide(uuid.New(), drift.Approved); fault.KindOf(err) != fault.NotFound {
		t.Errorf("Decide() about no drift = %v, want NotFound", err)
	}
}

func TestReasonsAreKeptAsWrittenButForSecrets(t *testing.T) {
	t.Parallel()
	d := open(t)
	for text, want := range map[string]string{
		strings.Repeat("ü", 1000):                      strings.Repeat("ü", 1000),
		"  two lines:\r\n\tyes  ":                      "two lines:\n\tyes",
		"e\u0301 becomes one letter":                   "é becomes one letter",
		"'; DROP TABLE drifts; --":                     "'; DROP TABLE drifts; --",
		"use AKIAIOSFODNN7EXAMPLE until it is rotated": "use *** until it is rotated",
	} {
		id := d.detect("s-"+postgres.NewID(noon).String(), "a")[0]
		d.must(id, drift.Approved, because(text))
		if got := d.timeline(id)[1].Reason; got != want {
			t.Errorf("the reason %q is kept as %q, want %q", text, got, want)
		}
	}
}

func TestALimitedKeyDecidesAboutItsOwnStacksOnly(t *testing.T) {
	t.Parallel()
	d := open(t)
	pattern, err := auth.ParsePattern("dev/*")
	if err != nil {
		t.Fatal(err)
	}
	limited := func(w *review.Decision) {
		w.Principal = &auth.Principal{Kind: auth.KindKey, Role: auth.Engineer, Stacks: pattern}
	}
	if _, err := d.decide(d.detect("prod/network", "a")[0], drift.Approved, limited); fault.KindOf(err) != fault.NotFound {
		t.Errorf("Decide() about another stack = %v, want NotFound", err)
	}
	d.must(d.detect("dev/network", "a")[0], drift.Approved, limited)
}

func TestRejectionsEnd(t *testing.T) {
	t.Parallel()
	d := open(t)
	ids := append(d.detect("a", "one", "two", "three"), d.detect("b", "four")...)
	d.must(ids[0], drift.Rejected, until("2026-11-23T13:00:00Z"))
	d.must(ids[1], drift.Rejected) // for good
	d.must(ids[2], drift.Rejected, until("2026-11-23T13:00:01Z"))
	d.must(ids[3], drift.Rejected, until("2026-11-23T12:30:00Z"))

	d.now = noon.Add(time.Hour)
	for round, want := range []int{2, 0} {
		if n, err := d.ReopenExpired(d.ctx()); err != nil || n != want {
			t.Errorf("ReopenExpired() in round %d = %d, %v, want %d", round, n, err, want)
		}
	}
	for i, want := range []drift.Status{drift.Detected, drift.Rejected, drift.Rejected, drift.Detected} {
		is, err := d.DB.Drift(t.Context(), ids[i])
		if err != nil || is.Status != want {
			t.Errorf("drift %d = %+v, %v, want %s", i, is, err, want)
		}
	}
	events := d.timeline(ids[0])
	if last := events[len(events)-1]; last.Action != audit.Reopened || last.From != "rejected" || last.To != "detected" ||
		last.Actor.Name != "system" || last.IDs.Correlation != "c-1" || !last.At.Equal(d.now) {
		t.Errorf("the last event = %+v, want that the system reopened it", last)
	}
	d.must(ids[0], drift.Approved)
}
