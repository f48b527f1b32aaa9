package postgres_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

// open is a fresh database, and a connection beside the store to look at it
// and to write into it what the store never would.
func open(tb testing.TB) (*postgres.DB, *pgx.Conn) {
	tb.Helper()
	url := pgtest.URL(tb)
	db, err := postgres.Open(tb.Context(), postgres.Options{URL: url, MaxConns: 8})
	if err != nil {
		tb.Fatalf("Open() = %v", err)
	}
	tb.Cleanup(db.Close)
	conn, err := pgx.Connect(tb.Context(), url)
	if err != nil {
		tb.Fatalf("connect: %v", err)
	}
	if t, ok := tb.(*testing.T); ok {
		t.Cleanup(func() { wantSound(t, db) })
	}
	// The test's context is over when cleanups run; dropping the database ends
	// the connection.
	return db, conn
}

// query returns the rows of a statement as slices of text.
func query(tb testing.TB, conn *pgx.Conn, sql string, args ...any) [][]string {
	tb.Helper()
	rows, err := conn.Query(tb.Context(), sql, append([]any{pgx.QueryExecModeSimpleProtocol}, args...)...)
	if err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
	got, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]string, error) {
		var line []string
		for _, v := range row.RawValues() {
			line = append(line, string(v))
		}
		return line, nil
	})
	if err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
	return got
}

func wantRows(tb testing.TB, conn *pgx.Conn, sql string, want ...[]string) {
	tb.Helper()
	if diff := cmp.Diff(want, query(tb, conn, sql)); diff != "" {
		tb.Errorf("%s (-want +got):\n%s", sql, diff)
	}
}

// wantCounts compares drift_counts with the drifts themselves.
func wantCounts(tb testing.TB, conn *pgx.Conn) {
	tb.Helper()
	kept := query(tb, conn, `SELECT stack_id, bucket, drifts FROM drift_counts WHERE drifts > 0 ORDER BY 1, 2`)
	counted := query(tb, conn, `SELECT stack_id, bucket, count(*) FROM drifts GROUP BY 1, 2 ORDER BY 1, 2`)
	if diff := cmp.Diff(counted, kept); diff != "" {
		tb.Errorf("drift_counts are wrong (-drifts +counts):\n%s", diff)
	}
}

func standing(tb testing.TB, db *postgres.DB, stack string) []drift.Standing {
	tb.Helper()
	var open []drift.Standing
	err := db.InTx(tb.Context(), func(tx *postgres.Tx) error {
		s, err := tx.LockStack(tb.Context(), stack, noon)
		if err != nil {
			return err
		}
		open, err = tx.OpenDrifts(tb.Context(), s)
		return err
	})
	if err != nil {
		tb.Fatalf("OpenDrifts(%s) = %v", stack, err)
	}
	return open
}

func TestNewDriftsStandOpen(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	first := apply(t, db, "prod/network", noon, report(noon), resource("aws_security_group.a", "1"), resource("aws_security_group.b", "1"))
	if len(first.opened) != 2 {
		t.Fatalf("opened %d drifts, want 2", len(first.opened))
	}
	open := standing(t, db, "prod/network")
	if len(open) != 2 {
		t.Fatalf("OpenDrifts() = %v, want both", open)
	}
	for _, s := range open {
		want := resource(s.Key.Address, "1")
		if s.Status != drift.Detected || s.Key != want.Key() || s.Fingerprint != want.Fingerprint || s.QuietUntil != 0 {
			t.Errorf("OpenDrifts() has %+v, want what was inserted", s)
		}
	}
	wantRows(t, conn, `SELECT address, status, times_seen, seen_scans, changes::text, noise FROM drifts ORDER BY id`,
		[]string{"aws_security_group.a", "detected", "1", "1", `[{"path":"name","before":"old","after":"1"}]`, ""},
		[]string{"aws_security_group.b", "detected", "1", "1", `[{"path":"name","before":"old","after":"1"}]`, ""})
	wantRows(t, conn, `SELECT d.address, e.action, e.actor, e.to_status, e.correlation_id, e.span_id
		FROM events e JOIN drifts d ON d.id = e.drift_id AND d.stack_id = e.stack_id AND d.scan_id = e.scan_id ORDER BY e.id`,
		[]string{"aws_security_group.a", "detected", "key:ci", "detected", "corr-prod/network", "00f067aa0ba902b7"},
		[]string{"aws_security_group.b", "detected", "key:ci", "detected", "corr-prod/network", "00f067aa0ba902b7"})
	wantCounts(t, conn)
}

func TestACoveringScanResolvesWhatItDoesNotShow(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	gone := resource("aws_security_group.gone", "1")
	apply(t, db, "s", noon, report(noon), gone)
	apply(t, db, "s", noon.Add(time.Hour), report(noon.Add(time.Hour)), gone)
	last := apply(t, db, "s", noon.Add(2*time.Hour), report(noon.Add(2*time.Hour)))

	want := []postgres.Closing{{Severity: drift.Warning, Open: 2 * time.Hour, Drifts: 1}}
	if diff := cmp.Diff(want, last.closings); diff != "" {
		t.Errorf("ResolveDrifts() (-want +got):\n%s", diff)
	}
	// Two scans saw it, the second an hour after the first; the third did not.
	wantRows(t, conn, `SELECT status, resolution, times_seen, seen_scans, last_seen_at - detected_at, resolved_at - detected_at FROM drifts`,
		[]string{"resolved", "disappeared", "2", "2", "01:00:00", "02:00:00"})
	wantRows(t, conn, `SELECT action, from_status, to_status, reason FROM events ORDER BY id DESC LIMIT 1`,
		[]string{"resolved", "detected", "resolved", "a complete scan no longer shows it"})
	wantCounts(t, conn)
	if open := standing(t, db, "s"); len(open) != 0 {
		t.Errorf("OpenDrifts() = %v, want none", open)
	}
}

func TestAReturningDriftNamesItsPredecessor(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	r := resource("aws_security_group.a", "1")
	first := apply(t, db, "s", noon, report(noon), r)
	apply(t, db, "s", noon.Add(time.Hour), report(noon))
	second := apply(t, db, "s", noon.Add(2*time.Hour), report(noon), r)
	apply(t, db, "s", noon.Add(3*time.Hour), report(noon))
	apply(t, db, "s", noon.Add(4*time.Hour), report(noon), r, resource("aws_security_group.new", "1"))
	apply(t, db, "other", noon.Add(5*time.Hour), report(noon), r)
	wantRows(t, conn, `SELECT address, previous_id FROM drifts ORDER BY id`,
		[]string{r.Address, ""}, []string{r.Address, first.opened[0].String()}, []string{r.Address, second.opened[0].String()},
		[]string{"aws_security_group.new", ""}, []string{r.Address, ""})
}

func TestAChangedDriftKeepsItsHistory(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	apply(t, db, "s", noon, report(noon), resource("aws_security_group.a", "1"))
	worse := resource("aws_security_group.a", "2")
	worse.Severity, worse.CloudID = drift.Critical, "sg-2"
	worse.Noise = []drift.Change{{Path: "tags", Noise: drift.NoiseEmpty}}
	apply(t, db, "s", noon.Add(time.Hour), report(noon), worse)
	wantRows(t, conn, `SELECT severity, cloud_id, changes::text, noise::text, fingerprint = $$\x`+
		hexOf(worse.Fingerprint)+`$$, detected_at = '2026-03-01 12:00Z' FROM drifts`,
		[]string{
			"critical", "sg-2", `[{"path":"name","before":"old","after":"2"}]`,
			`[{"path":"tags","before":null,"after":null,"noise":"empty"}]`, "t", "t",
		})
	wantRows(t, conn, `SELECT action, from_status, to_status, detail::text FROM events WHERE action <> 'detected'`,
		[]string{"changed", "detected", "detected", `{"before" : {"action" : "update", "severity" : "warning", "changes" : [{"path":"name","before":"old","after":"1"}]}}`})
	wantCounts(t, conn)
}

func TestAMovedResourceKeepsItsDrift(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	apply(t, db, "s", noon, report(noon), resource("aws_security_group.a", "1"))
	moved := resource("aws_security_group.b", "1")
	moved.PreviousAddress = "aws_security_group.a"
	apply(t, db, "s", noon.Add(time.Hour), report(noon), moved)
	wantRows(t, conn, `SELECT address, status FROM drifts`, []string{"aws_security_group.b", "detected"})
	wantRows(t, conn, `SELECT action, detail::text FROM events ORDER BY id DESC LIMIT 1`,
		[]string{"moved", `{"from" : "aws_security_group.a", "to" : "aws_security_group.b"}`})
}

func TestARejectedDriftIsReopenedByOtherValues(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	apply(t, db, "s", noon, report(noon), resource("aws_security_group.a", "1"))
	reject(t, conn)
	apply(t, db, "s", noon.Add(time.Hour), report(noon), resource("aws_security_group.a", "1"))
	wantRows(t, conn, `SELECT status FROM drifts`, []string{"rejected"})
	if s := standing(t, db, "s")[0]; s.QuietUntil != noon.AddDate(0, 1, 0).Unix() || s.Status != drift.Rejected {
		t.Errorf("OpenDrifts() = %+v, want it rejected for a month", s)
	}
	apply(t, db, "s", noon.Add(2*time.Hour), report(noon), resource("aws_security_group.a", "2"))
	wantRows(t, conn, `SELECT status, quiet_until, status_changed_at - detected_at FROM drifts`, []string{"detected", "", "02:00:00"})
	wantRows(t, conn, `SELECT action, from_status, to_status, reason FROM events WHERE action = 'reopened'`,
		[]string{"reopened", "rejected", "detected", "its values changed"})
	wantCounts(t, conn)
}

// reject rejects every drift for a month, behind the store's back.
func reject(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	query(t, conn, `UPDATE drifts SET status = 'rejected', quiet_until = $1`, noon.AddDate(0, 1, 0))
	query(t, conn, `UPDATE drift_counts SET bucket = bucket + 18`)
}

func TestAnIncompleteScanCountsWhatItSaw(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	a, b := resource("aws_security_group.a", "1"), resource("aws_security_group.b", "1")
	apply(t, db, "s", noon, report(noon), a, b)
	apply(t, db, "s", noon.Add(time.Hour), report(noon), a, b)
	incomplete := report(noon)
	incomplete.Status = drift.Incomplete
	apply(t, db, "s", noon.Add(2*time.Hour), incomplete, a)
	wantRows(t, conn, `SELECT address, status, times_seen, seen_scans, last_seen_at - detected_at FROM drifts ORDER BY address`,
		[]string{"aws_security_group.a", "detected", "3", "2", "02:00:00"},
		[]string{"aws_security_group.b", "detected", "1", "1", "00:00:00"})
	wantRows(t, conn, `SELECT scans FROM coverage ORDER BY origin`, []string{"2"}, []string{"0"})
}

func TestNoiseIsReplacedNotRewritten(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	noisy := func(address, value string) *drift.Resource {
		r := resource(address, value)
		r.Noise, r.News = r.News, nil
		return r
	}
	apply(t, db, "s", noon, report(noon), noisy("a", "1"), noisy("b", "1"), noisy("c", "1"))
	before := query(t, conn, `SELECT address, xmin FROM noise WHERE address = 'a'`)
	apply(t, db, "s", noon.Add(time.Hour), report(noon), noisy("a", "1"), noisy("b", "2"))
	wantRows(t, conn, `SELECT address, changes::text, changed_at - first_seen_at FROM noise ORDER BY address`,
		[]string{"a", `[{"path":"name","before":"old","after":"1"}]`, "00:00:00"},
		[]string{"b", `[{"path":"name","before":"old","after":"2"}]`, "01:00:00"})
	wantRows(t, conn, `SELECT address, xmin FROM noise WHERE address = 'a'`, before...)
	incomplete := report(noon)
	incomplete.Status = drift.Incomplete
	apply(t, db, "s", noon.Add(2*time.Hour), incomplete)
	wantRows(t, conn, `SELECT count(*) FROM noise`, []string{"2"})
	wantRows(t, conn, `SELECT count(*) FROM drifts`, []string{"0"})
}

func hexOf(f drift.Fingerprint) string {
	const digits = "0123456789abcdef"
	var s []byte
	for _, b := range f {
		s = append(s, digits[b>>4], digits[b&15])
	}
	return string(s)
}
