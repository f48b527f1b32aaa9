package postgres_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

func TestDriftIsWhatWasReported(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	r := resource("aws_security_group.a", "1")
	// Digits beyond a float and an escaped NUL survive as they came.
	r.News = []drift.Change{{Path: "n", Before: drift.Shown(`12345678901234567890.10`), After: drift.Shown(`"a\u0000b"`)}}
	r.Noise = []drift.Change{{Path: "tags", Before: drift.Shown("{}"), Noise: drift.NoiseEmpty}}
	a := apply(t, db, "prod/network", noon, report(noon), r)
	apply(t, db, "prod/network", noon.Add(time.Hour), report(noon), r)
	got, err := db.Drift(t.Context(), a.opened[0])
	if err != nil {
		t.Fatalf("Drift() = %v", err)
	}
	want := &postgres.Drift{
		ID: a.opened[0], StackID: got.StackID, Stack: "prod/network", ScanID: a.scan.ID,
		Address: r.Address, Type: r.Type, Provider: r.Provider, CloudID: r.CloudID, Region: r.Region, Account: r.Account,
		Origin: r.Origin, Action: r.Action, Severity: r.Severity, SeverityReason: r.SeverityReason, Status: drift.Detected,
		Fingerprint: r.Fingerprint,
		DetectedAt:  noon, LastSeenAt: noon.Add(time.Hour), TimesSeen: 2, StatusChangedAt: noon,
		Changes: json.RawMessage(`[{"path":"n","before":12345678901234567890.10,"after":"a\u0000b"}]`),
		Noise:   json.RawMessage(`[{"path":"tags","before":{},"after":null,"noise":"empty"}]`),
		IDs:     a.scan.IDs,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Drift() (-want +got):\n%s", diff)
	}
}

func TestScansAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	var all []uuid.UUID
	for i := range 5 {
		at := noon.Add(time.Duration(i) * time.Minute)
		all = append(all, apply(t, db, []string{"a", "b"}[i%2], at, report(at), resource("x", "1")).scan.ID)
	}
	page, more, err := db.Scans(t.Context(), postgres.ScanQuery{Limit: 2})
	if err != nil || !more || page[0].ID != all[4] || page[1].ID != all[3] {
		t.Fatalf("Scans() = %v, %v, %v, want the last two and more", page, more, err)
	}
	page, more, err = db.Scans(t.Context(), postgres.ScanQuery{After: all[3], Limit: 3})
	if err != nil || more || len(page) != 3 || page[2].ID != all[0] {
		t.Errorf("Scans(after) = %v, %v, %v, want the other three", page, more, err)
	}
	page, more, err = db.Scans(t.Context(), postgres.ScanQuery{Stack: "b", Limit: 9})
	if err != nil || more || len(page) != 2 || page[0].ID != all[3] || page[1].ID != all[1] {
		t.Errorf("Scans(of b) = %v, %v, %v, want its two", page, more, err)
	}
	got, err := db.Scan(t.Context(), all[0])
	if err != nil {
		t.Fatalf("Scan() = %v", err)
	}
	want := &postgres.Scan{
		ID: all[0], Stack: "a", StackID: got.StackID, ReceivedAt: noon, Report: report(noon), PayloadSHA256: got.PayloadSHA256,
		Counts: postgres.ScanCounts{Detected: 1}, Actor: audit.Actor{Name: "key:ci"}, IDs: got.IDs,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Scan() (-want +got):\n%s", diff)
	}
}

func TestStacksKnowHowFreshTheyAre(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	apply(t, db, "b", noon, report(noon), resource("x", "1"), resource("y", "1"))
	broken := report(noon)
	broken.Status = drift.Errored
	last := apply(t, db, "b", noon.Add(time.Hour), broken, resource("x", "1"))
	apply(t, db, "a", noon.Add(time.Hour), broken)
	apply(t, db, "c", noon.Add(time.Hour), report(noon))

	b, err := db.Stack(t.Context(), "b")
	if err != nil {
		t.Fatalf("Stack() = %v", err)
	}
	want := &postgres.StackState{
		ID: b.ID, Name: "b", CreatedAt: noon, LastScanID: last.scan.ID, LastScanAt: noon.Add(time.Hour), LastScanStatus: drift.Errored,
		LastCompleteAt: noon, Open: []postgres.OpenCount{{Status: drift.Detected, Severity: drift.Warning, Origin: drift.Outside, Drifts: 2}},
	}
	if diff := cmp.Diff(want, b); diff != "" {
		t.Errorf("Stack() (-want +got):\n%s", diff)
	}
	page, more, err := db.Stacks(t.Context(), postgres.StackQuery{After: "a", Limit: 1})
	if err != nil || !more || len(page) != 1 || page[0].Name != "b" || len(page[0].Open) != 1 {
		t.Errorf("Stacks() = %v, %v, %v, want b and more", page, more, err)
	}
	page, more, err = db.Stacks(t.Context(), postgres.StackQuery{Search: "C", Limit: 9})
	if err != nil || more || len(page) != 1 || page[0].Name != "c" {
		t.Errorf("Stacks(C) = %v, %v, %v, want c", page, more, err)
	}
	fresh, err := db.StackFreshness(t.Context(), 2)
	if err != nil {
		t.Fatalf("StackFreshness() = %v", err)
	}
	if diff := cmp.Diff([]postgres.StackFreshness{{Stack: "a"}, {Stack: "b", LastCompleteAt: noon}, {LastCompleteAt: noon.Add(time.Hour)}}, fresh); diff != "" {
		t.Errorf("StackFreshness(2) (-want +got):\n%s", diff)
	}
}

func TestNoiseIsListedByAddress(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	var noisy []*drift.Resource
	for _, address := range []string{"c", "a", "b"} {
		r := resource(address, "1")
		r.News, r.Noise = nil, r.News
		noisy = append(noisy, r)
	}
	apply(t, db, "s", noon, report(noon), noisy...)
	page, more, err := db.Noise(t.Context(), postgres.NoiseQuery{Stack: "s", Limit: 2})
	if err != nil || !more || len(page) != 2 || page[0].Address != "a" || page[1].Address != "b" {
		t.Fatalf("Noise() = %v, %v, %v, want a, b and more", page, more, err)
	}
	page, more, err = db.Noise(t.Context(), postgres.NoiseQuery{Stack: "s", After: page[1].Cursor(), Limit: 2})
	if err != nil || more || len(page) != 1 || page[0].Address != "c" || !page[0].FirstSeenAt.Equal(noon) {
		t.Errorf("Noise(after b) = %v, %v, %v, want c", page, more, err)
	}
}

func TestGaugesAndSummary(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	critical := resource("critical", "1")
	critical.Severity = drift.Critical
	a := apply(t, db, "s", noon, report(noon), resource("old", "1"), resource("gone", "1"))
	apply(t, db, "s", noon.Add(time.Hour), report(noon), resource("old", "1"), critical)
	for _, d := range []postgres.Decision{
		{Action: audit.Triaged, To: drift.Triaged, At: noon.Add(3 * time.Hour)},
		{Action: audit.Rejected, To: drift.Rejected, At: noon.Add(4 * time.Hour)},
	} {
		d.Actor = alice
		if _, err := decide(t, db, a.opened[0], d); err != nil {
			t.Fatalf("Decide() = %v", err)
		}
	}
	counts, err := db.OpenCounts(t.Context())
	if err != nil || len(counts) != 24 {
		t.Fatalf("OpenCounts() = %v, %v, want all 24 kinds", counts, err)
	}
	var nonzero []postgres.OpenCount
	for _, c := range counts {
		if c.Drifts != 0 {
			nonzero = append(nonzero, c)
		}
	}
	if diff := cmp.Diff([]postgres.OpenCount{
		{Status: drift.Detected, Severity: drift.Critical, Origin: drift.Outside, Drifts: 1},
		{Status: drift.Rejected, Severity: drift.Warning, Origin: drift.Outside, Drifts: 1},
	}, nonzero); diff != "" {
		t.Errorf("OpenCounts() (-want +got):\n%s", diff)
	}
	oldest, err := db.OldestOpen(t.Context())
	if err != nil {
		t.Fatalf("OldestOpen() = %v", err)
	}
	if diff := cmp.Diff(map[drift.Severity]time.Time{drift.Critical: noon.Add(time.Hour)}, oldest); diff != "" {
		t.Errorf("OldestOpen() (-want +got):\n%s", diff)
	}
	s, err := db.Summary(t.Context(), noon.AddDate(0, 0, 7))
	if err != nil {
		t.Fatalf("Summary() = %v", err)
	}
	if s.OldestOpen == nil || s.OldestOpen.Address != "critical" {
		t.Errorf("Summary().OldestOpen = %+v, want the critical one", s.OldestOpen)
	}
	s.OldestOpen = nil
	counted := func(open, detected, rejected, resolved, critical, warning int64) *postgres.OriginSummary {
		return &postgres.OriginSummary{
			Open: open,
			ByStatus: map[drift.Status]int64{
				drift.Detected: detected, drift.Triaged: 0, drift.Approved: 0, drift.Rejected: rejected, drift.Resolved: resolved,
			},
			BySeverity: map[drift.Severity]int64{drift.Critical: critical, drift.Warning: warning, drift.Info: 0},
		}
	}
	want := &postgres.Summary{
		ByOrigin: map[drift.Origin]*postgres.OriginSummary{
			drift.Outside: counted(2, 1, 1, 1, 1, 1), drift.Pending: counted(0, 0, 0, 0, 0, 0),
		},
		Acknowledge: postgres.Durations{Drifts: 1, Average: 3 * time.Hour, P50: 3 * time.Hour, P95: 3 * time.Hour},
		Resolve:     postgres.Durations{Drifts: 1, Average: time.Hour, P50: time.Hour, P95: time.Hour},
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("Summary() (-want +got):\n%s", diff)
	}
	later, err := db.Summary(t.Context(), noon.AddDate(0, 3, 0))
	if err != nil || later.Resolve.Drifts != 0 || later.Acknowledge.Drifts != 0 {
		t.Errorf("Summary() three months later = %+v, %v, want no durations", later, err)
	}
}

func TestCorrelationFindsEverything(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	a := apply(t, db, "s", noon, report(noon), resource("x", "1"), resource("y", "1"))
	apply(t, db, "other", noon, report(noon), resource("x", "1"))
	c, err := db.Correlation(t.Context(), "corr-s", nil, 10)
	if err != nil {
		t.Fatalf("Correlation() = %v", err)
	}
	if len(c.Scans) != 1 || c.Scans[0].ID != a.scan.ID || len(c.Drifts) != 2 || c.Drifts[0].ID != a.opened[0] || len(c.Events) != 2 || c.MoreDrifts {
		t.Errorf("Correlation() = %+v, want the scan, its two drifts and their events", c)
	}
	if c, err = db.Correlation(t.Context(), "corr-s", nil, 1); err != nil || !c.MoreDrifts || !c.MoreEvents || c.MoreScans || len(c.Drifts) != 1 {
		t.Errorf("Correlation(limit 1) = %+v, %v, want one of each and more", c, err)
	}
	if c, err = db.Correlation(t.Context(), "nothing", nil, 1); err != nil || len(c.Scans)+len(c.Drifts)+len(c.Events) != 0 {
		t.Errorf("Correlation(nothing) = %+v, %v, want nothing", c, err)
	}
}
