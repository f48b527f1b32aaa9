package telemetry

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func info(sql string) *sqlInfo {
	tables := setOf("drifts", "stacks", "scans", "events", "drift_counts")
	return newSQLInfo(sql, tables, func(pair) *labels { return nil })
}

func TestStatements(t *testing.T) {
	t.Parallel()
	tests := []struct{ sql, operation, table, name string }{
		{"SELECT * FROM drifts", "SELECT", "drifts", "SELECT drifts"},
		{"-- name: ListDrifts\nSELECT 1 FROM drifts", "SELECT", "drifts", "ListDrifts"},
		{"-- name: ListDrifts :many\nselect 1 from public.drifts d", "SELECT", "drifts", "ListDrifts"},
		{"/* a /* nested */ comment */ -- name: X\nUPDATE ONLY drifts SET status = 'FROM scans'", "UPDATE", "drifts", "X"},
		{"INSERT INTO events (a) SELECT a FROM drifts", "INSERT", "events", "INSERT events"},
		{"DELETE FROM scans USING stacks WHERE true", "DELETE", "scans", "DELETE scans"},
		{"MERGE INTO drift_counts AS c USING drifts d ON true WHEN MATCHED THEN DELETE", "MERGE", "drift_counts", "MERGE drift_counts"},
		{"COPY drifts (id, stack) FROM STDIN", "COPY", "drifts", "COPY drifts"},
		{`copy "public"."drifts" ( "id" ) from stdin binary;`, "COPY", "drifts", "COPY drifts"},
		{"TRUNCATE TABLE events", "TRUNCATE", "events", "TRUNCATE events"},
		{"begin", "BEGIN", "other", "BEGIN"},
		{"commit", "COMMIT", "other", "COMMIT"},
		{"SELECT pg_advisory_lock($1)", "SELECT", "other", "SELECT"},
		{"SELECT 1 FROM users", "SELECT", "other", "SELECT"},
		{"", "OTHER", "other", "OTHER"},
		{";", "OTHER", "other", "OTHER"},
		{"EVIL drifts", "OTHER", "drifts", "OTHER drifts"},
		{"WITH open AS (SELECT * FROM drifts WHERE x = ')') SELECT * FROM open", "SELECT", "drifts", "SELECT drifts"},
		{"WITH RECURSIVE a (n) AS MATERIALIZED (SELECT 1 FROM scans), b AS NOT MATERIALIZED (SELECT 2) INSERT INTO events SELECT * FROM a", "INSERT", "events", "INSERT events"},
		{"WITH drifts AS (SELECT 1 FROM scans) SELECT * FROM drifts", "SELECT", "scans", "SELECT scans"},
		{"WITH moved AS (DELETE FROM scans RETURNING *) INSERT INTO events SELECT * FROM moved", "INSERT", "events", "INSERT events"},
		{"SELECT (SELECT count(*) FROM events) FROM stacks s JOIN drifts d ON d.stack = s.id", "SELECT", "stacks", "SELECT stacks"},
		{"SELECT * FROM (SELECT * FROM drifts) x", "SELECT", "drifts", "SELECT drifts"},
		{"SELECT $$ FROM drifts $$, $tag$ FROM scans $tag$, E'\\' FROM events', 'it''s' FROM stacks", "SELECT", "stacks", "SELECT stacks"},
		{`SELECT "drifts" FROM "stacks"`, "SELECT", "stacks", "SELECT stacks"},
		{"SELECT drifts FROM drift_counts", "SELECT", "drift_counts", "SELECT drift_counts"},
		{"SELECT 'unterminated", "SELECT", "other", "SELECT"},
		{"SELECT $1 || $2 FROM drifts WHERE a[1] = $3::text", "SELECT", "drifts", "SELECT drifts"},
		{"WITH", "OTHER", "other", "OTHER"},
	}
	for _, tt := range tests {
		got := info(tt.sql)
		if got.operation != tt.operation || got.table != tt.table || got.name != tt.name {
			t.Errorf("%s\n = %s %s %q, want %s %s %q", tt.sql, got.operation, got.table, got.name, tt.operation, tt.table, tt.name)
		}
	}
}

// TestStatementsShowNoData: what somebody wrote into the text by mistake is
// not shown.
func TestStatementsShowNoData(t *testing.T) {
	t.Parallel()
	got := info("-- name: X\nSELECT  a, $1 -- why\nFROM \"Drifts\" /* x */ WHERE b = 'planted-1' AND c = E'planted\\'-2' AND d = $x$planted-3$x$ LIMIT 5").statement
	want := `SELECT a, $1 FROM "Drifts" WHERE b = ? AND c = ? AND d = ? LIMIT 5`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statement (-want +got):\n%s", diff)
	}
}

func FuzzStatement(f *testing.F) {
	for _, sql := range []string{"", "WITH a AS (SELECT 1) SELECT 'x'", "--", "/*", "$$", "$a$", "'", `"`, "E'\\", ")(", "a.b.c", "$1"} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		got := info(sql)
		if got.operation != otherOperation && !operations[got.operation] {
			t.Errorf("operation %q is on no list", got.operation)
		}
		if !slices.Contains([]string{"drifts", "stacks", "scans", "events", "drift_counts", "other"}, got.table) || got.name == "" {
			t.Errorf("table %q, name %q", got.table, got.name)
		}
	})
}
