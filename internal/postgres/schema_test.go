package postgres_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

func TestMigrateFromManyAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.EmptyURL(t)
	db, err := postgres.Open(t.Context(), postgres.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if err := db.Ready(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Ready() of an empty database = %v, want Unavailable", err)
	}
	before, err := postgres.Status(t.Context(), url)
	if err != nil || len(before) == 0 || !before[0].AppliedAt.IsZero() || before[0].Name != "initial" {
		t.Errorf("Status() of an empty database = %+v, %v, want every migration pending", before, err)
	}

	const processes = 4
	var all [processes][]postgres.Migration
	var wg sync.WaitGroup
	for i := range processes {
		wg.Go(func() {
			var err error
			if all[i], err = postgres.Migrate(t.Context(), url); err != nil {
				t.Errorf("Migrate() = %v", err)
			}
		})
	}
	wg.Wait()
	if applied := slices.Concat(all[:]...); len(applied) != len(before) {
		t.Errorf("%d Migrate() at once applied %+v, want each of %d once", processes, applied, len(before))
	}
	after, err := postgres.Status(t.Context(), url)
	if err != nil || slices.ContainsFunc(after, func(m postgres.Migration) bool { return m.AppliedAt.IsZero() }) {
		t.Errorf("Status() = %+v, %v, want every migration applied", after, err)
	}
	if last := after[len(after)-1].Version; last != postgres.SchemaVersion() {
		t.Errorf("SchemaVersion() = %d, want %d", postgres.SchemaVersion(), last)
	}
	if err := db.Ready(t.Context()); err != nil {
		t.Errorf("Ready() = %v, want nil", err)
	}
}

// TestMigrateWhateverTheServerHas migrates where pg_trgm cannot be had, and
// where it lives in a schema that is not searched.
func TestMigrateWhateverTheServerHas(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, before, indexes string }{
		{"no pg_trgm", `CREATE FUNCTION show_trgm(text) RETURNS text[] LANGUAGE sql AS 'SELECT NULL::text[]'`, "0"},
		{"elsewhere", `CREATE SCHEMA extensions; CREATE EXTENSION pg_trgm SCHEMA extensions`, "1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.EmptyURL(t)
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			query(t, conn, tc.before)
			if _, err := postgres.Migrate(t.Context(), url); err != nil {
				t.Fatalf("Migrate() = %v", err)
			}
			wantRows(t, conn, `SELECT count(*) FROM pg_indexes WHERE indexname = 'drifts_search'`, []string{tc.indexes})
			db, err := postgres.Open(t.Context(), postgres.Options{URL: url})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(db.Close)
			apply(t, db, "s", noon, report(noon), resource("aws_security_group.web", "1"), resource("other", "1"))
			page, _, err := db.Drifts(t.Context(), postgres.DriftQuery{Search: "GROUP.w", Limit: 5})
			if err != nil || len(page) != 1 {
				t.Errorf("Drifts(GROUP.w) = %v, %v, want the one that fits", page, err)
			}
		})
	}
}

func TestTablesAreAllListed(t *testing.T) {
	t.Parallel()
	_, conn := open(t)
	var have []string
	for _, row := range query(t, conn, `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`) {
		have = append(have, row[0])
	}
	if diff := cmp.Diff(have, postgres.Tables()); diff != "" {
		t.Errorf("Tables() (-schema +list):\n%s", diff)
	}
}

func TestAuditActionsAreTheSchemas(t *testing.T) {
	t.Parallel()
	_, conn := open(t)
	check := query(t, conn, `SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'events_action_check'`)[0][0]
	var schema, list []string
	for _, m := range regexp.MustCompile(`'([a-z_]+)'`).FindAllStringSubmatch(check, -1) {
		schema = append(schema, m[1])
	}
	for _, a := range audit.Actions() {
		list = append(list, string(a))
	}
	slices.Sort(schema)
	slices.Sort(list)
	if diff := cmp.Diff(schema, list); diff != "" {
		t.Errorf("audit.Actions() (-schema +list):\n%s", diff)
	}
}

func TestEventsCannotBeChanged(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	apply(t, db, "s", noon, report(noon), resource("a", "1"))
	for _, sql := range []string{
		`UPDATE events SET actor = 'nobody'`, `DELETE FROM events`, `TRUNCATE events`, `DELETE FROM events WHERE false`,
		`INSERT INTO events SELECT * FROM events ON CONFLICT (id) DO UPDATE SET actor = 'nobody'`,
	} {
		_, err := conn.Exec(t.Context(), sql)
		if pgErr, ok := errors.AsType[*pgconn.PgError](err); !ok || pgErr.Code != "23001" || !strings.Contains(pgErr.Message, "append-only") {
			t.Errorf("%s = %v, want it refused", sql, err)
		}
	}
}

// TestTheSchemaRefuses breaks each constraint behind the store's back.
func TestTheSchemaRefuses(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	apply(t, db, "s", noon, report(noon), resource("a", "1"), resource("b", "1"))
	const copyOf = `INSERT INTO drifts (id, stack_id, scan_id, address, type, provider, origin, action, severity, status, detected_at,
		last_seen_at, times_seen, seen_scans, status_changed_at, fingerprint, changes)
		SELECT gen_random_uuid(), stack_id, scan_id, address, type, provider, origin, action, severity, status, detected_at,
		last_seen_at, times_seen, seen_scans, status_changed_at, fingerprint, changes FROM drifts`
	for _, tc := range []struct{ sql, constraint string }{
		{copyOf, "drifts_open_key"},
		{`UPDATE drifts SET address = 'a'`, "drifts_open_key"},
		{`UPDATE drifts SET address = ''`, "drifts_address_check"},
		{`UPDATE drifts SET address = repeat('x', 2001)`, "drifts_address_check"},
		{`UPDATE drifts SET type = ''`, "drifts_type_check"},
		{`UPDATE drifts SET origin = 'elsewhere'`, "drifts_origin_check"},
		{`UPDATE drifts SET action = 'sing'`, "drifts_action_check"},
		{`UPDATE drifts SET severity = 'high'`, "drifts_severity_check"},
		{`UPDATE drifts SET status = 'open'`, "drifts_status_check"},
		{`UPDATE drifts SET status = 'resolved'`, "drifts_resolved_check"},
		{`UPDATE drifts SET resolved_at = now()`, "drifts_resolved_check"},
		{`UPDATE drifts SET status = 'resolved', resolved_at = now()`, "drifts_resolved_check"},
		{`UPDATE drifts SET status = 'resolved', resolved_at = now(), resolution = 'luck'`, "drifts_resolution_check"},
		{`UPDATE drifts SET quiet_until = now()`, "drifts_quiet_check"},
		{`UPDATE drifts SET fingerprint = 'short'`, "drifts_fingerprint_check"},
		{`UPDATE drifts SET times_seen = 0`, "drifts_times_seen_check"},
		{`UPDATE drifts SET stack_id = gen_random_uuid()`, "drifts_stack_id_fkey"},
		{`UPDATE drifts SET previous_id = gen_random_uuid()`, "drifts_previous_id_fkey"},
		{`DELETE FROM stacks`, ""},
		{`UPDATE drifts SET bucket = 3`, ""},
		{`UPDATE drifts SET changes = '{'`, ""},
		{`UPDATE stacks SET name = 'a//b'`, "stacks_name_check"},
		{`INSERT INTO stacks (id, name, created_at) VALUES (gen_random_uuid(), 's', now())`, "stacks_name_key"},
		{`UPDATE drift_counts SET drifts = -1`, "drift_counts_drifts_check"},
		{`UPDATE scans SET status = 'fine'`, "scans_status_check"},
		{`UPDATE scans SET known = -1`, "scans_known_check"},
		{`UPDATE scans SET payload_sha256 = 'short'`, "scans_payload_sha256_check"},
		{`INSERT INTO coverage (stack_id, origin) SELECT id, 'elsewhere' FROM stacks`, "coverage_origin_check"},
		{`INSERT INTO events (id, at, action, actor, correlation_id) VALUES (gen_random_uuid(), now(), 'sing', 'x', '')`, "events_action_check"},
		{`INSERT INTO events (id, at, action, actor, correlation_id) VALUES (gen_random_uuid(), now(), 'triaged', '', '')`, "events_actor_check"},
	} {
		_, err := conn.Exec(t.Context(), tc.sql)
		if pgErr, ok := errors.AsType[*pgconn.PgError](err); !ok || tc.constraint != "" && pgErr.ConstraintName != tc.constraint {
			t.Errorf("%s = %v, want %s to refuse it", tc.sql, err, tc.constraint)
		}
	}
}

func TestStackNamesAreWhatTheSchemaTakes(t *testing.T) {
	t.Parallel()
	_, conn := open(t)
	for _, name := range []string{
		"prod/network", "a", "A_1.2:b@c+d=e~f-g", "live/eu-west-1/vpc", strings.Repeat("x", 200), "...", "a/.b",
		"", " ", "a b", "/a", "a/", "a//b", "a/./b", "a/../b", ".", "..", "é", "a\nb", "a\x00b", strings.Repeat("x", 201), "a?b", "a%2fb", `a\b`,
	} {
		_, err := conn.Exec(t.Context(), `INSERT INTO stacks (id, name, created_at) VALUES (gen_random_uuid(), $1, now())`, name)
		if got := postgres.CheckStackName(name); (got == nil) != (err == nil) || got != nil && fault.KindOf(got) != fault.Invalid {
			t.Errorf("CheckStackName(%q) = %v, but the schema says %v", name, got, err)
		}
	}
}
