package postgres_test

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

// TestEventsFromBeforeSealsAreSealed migrates a database that has events from
// before there were seals, while what the previous release writes is told of.
func TestEventsFromBeforeSealsAreSealed(t *testing.T) {
	t.Parallel()
	url := pgtest.EmptyURL(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	first := stdlib.OpenDB(*conn.Config())
	t.Cleanup(func() {
		if err := first.Close(); err != nil {
			t.Error(err)
		}
	})
	provider, err := goose.NewProvider(goose.DialectPostgres, first, os.DirFS("migrations"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 1); err != nil {
		t.Fatalf("UpTo(1) = %v", err)
	}
	const insert = `INSERT INTO events (id, at, action, actor, reason, detail, correlation_id)
		SELECT gen_random_uuid(), now(), 'approved', 'user:é', 'because "' || n || '"', '{"n": 1.0}', '' FROM generate_series(1, 100) n`
	query(t, conn, insert)
	if _, err := postgres.Migrate(t.Context(), url); err != nil {
		t.Fatalf("Migrate() = %v", err)
	}
	db, err := postgres.Open(t.Context(), postgres.Options{URL: url, SealKey: sealKey})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if v := verify(t, db, sealKey, 0); len(v.Flaws) != 0 || v.Seals != 1 || v.Events != 100 || v.Unsigned != 1 {
		t.Errorf("VerifyAudit() = %+v, want one unsigned seal of 100 events", v)
	}
	query(t, conn, insert)
	if err := record(context.Background(), db, noon, "r"); err != nil {
		t.Fatal(err)
	}
	wantFlaws(t, verify(t, db, sealKey, 0).Flaws, []string{"0: 100 events are without a seal, beginning with event "})
	tamper(t, conn, `UPDATE events SET actor = 'user:e' WHERE id = (SELECT id FROM events WHERE seal_id = '00000000-0000-7000-8000-000000000001' LIMIT 1)`)
	wantFlaws(t, verify(t, db, sealKey, 0).Flaws, []string{"1: among its 100 events are other ones", "0: 100 events are without a seal"})
	// Nor does it help to seal them again: what was sealed since is signed after it.
	tamper(t, conn, `UPDATE audit_seals SET events_digest = `+digestAgain+` WHERE chain = 'before'`, `UPDATE audit_seals SET digest = `+recompute+` WHERE chain = 'before'`)
	wantFlaws(t, verify(t, db, sealKey, 0).Flaws, []string{"1: it was not made after the seal that its chain begins with", "0: 100 events are without a seal"})
}
