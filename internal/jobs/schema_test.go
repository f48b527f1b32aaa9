package jobs_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

// schema describes every object whose name is River's, one a line.
const schema = `
	SELECT format('%s %s %s %s', c.relkind, c.relpersistence, c.relname, coalesce(pg_get_indexdef(i.indexrelid), ''))
	FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
	WHERE c.relnamespace = 'public'::regnamespace AND c.relname LIKE 'river%'
	UNION ALL
	SELECT format('column %s %s %s %s %s %s', attrelid::regclass, row_number() OVER (PARTITION BY attrelid ORDER BY attnum),
		attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid))
	FROM pg_attribute a LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
	WHERE attnum > 0 AND NOT attisdropped AND attrelid IN (SELECT oid FROM pg_class WHERE relname LIKE 'river%' AND relkind = 'r')
	UNION ALL
	SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
	FROM pg_constraint WHERE conrelid::regclass::text LIKE 'river%'
	UNION ALL
	SELECT format('function %s %s', oid::regprocedure, prosrc) FROM pg_proc WHERE proname LIKE 'river%'
	UNION ALL
	SELECT format('label %s %s %s', enumtypid::regtype, row_number() OVER (ORDER BY enumsortorder), enumlabel)
	FROM pg_enum WHERE enumtypid::regtype::text LIKE 'river%'
	UNION ALL
	SELECT format('trigger %s', tgname) FROM pg_trigger WHERE tgrelid::regclass::text LIKE 'river%' AND NOT tgisinternal
	UNION ALL
	SELECT format('migration %s %s', line, version) FROM river_migration
	ORDER BY 1`

// TestTablesAreWhatRiverWants compares our migration with what River's own
// migrations make. When it fails with a newer River, that one brings migrations
// which need another file beside ours.
func TestTablesAreWhatRiverWants(t *testing.T) {
	t.Parallel()
	ours := jobPool(t, open(t, pgtest.URL(t)))
	migrator, err := rivermigrate.New(riverpgxv5.New(ours.Pool), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := migrator.Validate(t.Context(), nil); err != nil || !got.OK {
		t.Errorf("Validate() = %+v, %v, want OK", got, err)
	}
	if got, err := migrator.Migrate(t.Context(), rivermigrate.DirectionUp, nil); err != nil || len(got.Versions) > 0 {
		t.Errorf("Migrate() = %+v, %v, want nothing to do", got, err)
	}

	theirs := jobPool(t, open(t, pgtest.EmptyURL(t)))
	migrator, err = rivermigrate.New(riverpgxv5.New(theirs.Pool), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migrator.Migrate(t.Context(), rivermigrate.DirectionUp, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(describe(t, theirs), describe(t, ours)); diff != "" {
		t.Errorf("River's tables (-River +ours):\n%s", diff)
	}
}

func describe(t *testing.T, pool *postgres.JobPool) []string {
	t.Helper()
	found, err := pool.Query(t.Context(), schema)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	var lines []string
	for found.Next() {
		var text string
		if err := found.Scan(&text); err != nil {
			t.Fatal(err)
		}
		// River's migrations make this table beside an older one of the same name.
		lines = append(lines, strings.ReplaceAll(text, "river_migration_pkey1", "river_migration_pkey"))
	}
	if err := found.Err(); err != nil || len(lines) == 0 {
		t.Fatalf("found %d objects: %v", len(lines), err)
	}
	return lines
}
