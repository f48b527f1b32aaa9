package postgres_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// tamper does as the database's owner can: switches the triggers off and on.
func tamper(tb testing.TB, conn *pgx.Conn, statements ...string) {
	tb.Helper()
	query(tb, conn, `SET session_replication_role = replica`)
	for _, sql := range statements {
		tag, err := conn.Exec(tb.Context(), sql)
		if err != nil || tag.RowsAffected() == 0 {
			tb.Fatalf("%s = %v, %v, want it to change something", sql, tag, err)
		}
	}
	query(tb, conn, `SET session_replication_role = origin`)
}

// trail is an audit trail with six seals of stack s, two drifts detected, each
// triaged and rejected, the second stack t, and a login.
func trail(t *testing.T) (*postgres.DB, *pgx.Conn) {
	t.Helper()
	db, conn := openSealed(t)
	a := apply(t, db, "s", noon, report(noon), resource("a", "1"), resource("b", "1"))
	for i, to := range []drift.Status{drift.Triaged, drift.Rejected} {
		for j, id := range a.opened {
			d := postgres.Decision{Action: audit.Action(to), To: to, At: noon.Add(time.Duration(1+i*2+j) * time.Minute), Actor: alice, Reason: "known for years"}
			if _, err := decide(t, db, id, d); err != nil {
				t.Fatal(err)
			}
		}
	}
	apply(t, db, "t", noon, report(noon), resource("a", "1"))
	if err := record(t.Context(), db, noon, "wrong password"); err != nil {
		t.Fatal(err)
	}
	if v := verify(t, db, sealKey, 0); len(v.Flaws) != 0 || v.Seals != 7 {
		t.Fatalf("VerifyAudit() = %+v, want 7 seals without a flaw", v)
	}
	return db, conn
}

// The seals of stack s by number, and the digest that a row of audit_seals must
// have, for somebody who knows how it is computed.
const (
	chainOfS  = `chain = 'stack:' || (SELECT id FROM stacks WHERE name = 's')`
	recompute = `sha256(convert_to('driftsentry seal v1', 'UTF8') || previous || int8send(octet_length(chain)) || convert_to(chain, 'UTF8')
		|| int8send(seq) || uuid_send(id) || int8send((extract(epoch FROM at) * 1000000)::bigint) || int8send(events) || events_digest)`
	digestAgain = `(SELECT sha256(string_agg(sha256(record_send(ROW(e.id, e.at, e.stack_id, e.drift_id, e.scan_id, e.action, e.actor,
		e.from_status, e.to_status, e.reason, e.until, e.detail, e.correlation_id, e.trace_id, e.span_id,
		e.client_address, e.user_agent))), ''::bytea ORDER BY e.id)) FROM events e WHERE e.seal_id = audit_seals.id)`
)

func sealOfS(seq int) string {
	return fmt.Sprintf(`(SELECT id FROM audit_seals WHERE %s AND seq = %d)`, chainOfS, seq)
}

// resealed is the statements of somebody who makes the whole chain fit again
// from a seal on, but cannot sign.
func resealed(from int) []string {
	var statements []string
	for seq := from; seq <= 5; seq++ {
		is := fmt.Sprintf(` WHERE %s AND seq = %d`, chainOfS, seq)
		statements = append(statements,
			`UPDATE audit_seals SET events_digest = `+digestAgain+is,
			`UPDATE audit_seals SET previous = (SELECT p.digest FROM audit_seals p WHERE p.chain = audit_seals.chain AND p.seq = audit_seals.seq - 1)`+is,
			`UPDATE audit_seals SET digest = `+recompute+is)
	}
	return statements
}

// TestTamperingIsFound has the database's owner change the trail.
func TestTamperingIsFound(t *testing.T) {
	t.Parallel()
	change := `UPDATE events SET reason = 'never heard of it' WHERE seal_id = ` + sealOfS(2)
	for _, tc := range []struct {
		name string
		sql  []string
		// want is the flaws as "seq: what", a part of each.
		want []string
	}{
		{"a changed reason", []string{change}, []string{"2: among its 1 events are other ones"}},
		{"a changed time", []string{`UPDATE events SET at = at + interval '1 microsecond' WHERE seal_id = ` + sealOfS(2)}, []string{"2: among its 1 events"}},
		{"a reason of nothing", []string{`UPDATE events SET reason = '' WHERE reason IS NULL AND seal_id = ` + sealOfS(1)}, []string{"1: among its 2 events"}},
		{"text moved to the next column", []string{`UPDATE events SET client_address = '203.0.113.7c', user_agent = 'url/8' WHERE seal_id = ` + sealOfS(2)}, []string{"2: among its 1 events"}},
		{
			"a deleted event",
			[]string{`DELETE FROM events WHERE id = (SELECT id FROM events WHERE seal_id = ` + sealOfS(1) + ` ORDER BY id LIMIT 1)`},
			[]string{"1: 1 of its 2 events are missing"},
		},
		{"all events of a seal deleted", []string{`DELETE FROM events WHERE seal_id = ` + sealOfS(5)}, []string{"5: 1 of its 1 events are missing"}},
		{"an inserted event", []string{`INSERT INTO events (id, at, action, actor, correlation_id, seal_id)
			SELECT gen_random_uuid(), now(), 'approved', 'user:mallory', '', ` + sealOfS(3)}, []string{"3: it has 1 events more than the 1"}},
		{"an event without a seal", []string{`INSERT INTO events (id, at, action, actor, correlation_id)
			SELECT gen_random_uuid(), now(), 'approved', 'user:mallory', ''`}, []string{"0: 1 events are without a seal"}},
		{"an event of an invented seal", []string{`INSERT INTO events (id, at, action, actor, correlation_id, seal_id)
			SELECT gen_random_uuid(), now(), 'approved', 'user:mallory', '', gen_random_uuid()`}, []string{"0: 1 events name a seal that is not there"}},
		{"two events swapped", []string{
			`UPDATE events SET actor = 'x' || actor, reason = 'swapped' WHERE seal_id = ` + sealOfS(1),
			`WITH two AS (SELECT id, drift_id, lag(drift_id, 1, NULL) OVER (ORDER BY id) AS before, lead(drift_id) OVER (ORDER BY id) AS after FROM events WHERE seal_id = ` + sealOfS(1) + `)
				UPDATE events e SET actor = substr(e.actor, 2), reason = NULL, drift_id = coalesce(two.before, two.after) FROM two WHERE two.id = e.id`,
		}, []string{"1: among its 2 events"}},
		{
			"an event moved to another seal",
			[]string{`UPDATE events SET seal_id = ` + sealOfS(3) + ` WHERE seal_id = ` + sealOfS(2)},
			[]string{"2: 1 of its 1 events are missing", "3: it has 1 events more"},
		},
		{
			"a deleted seal in the middle",
			[]string{`DELETE FROM audit_seals WHERE id = ` + sealOfS(3)},
			[]string{"3: the seal is missing", "0: 1 events name a seal that is not there"},
		},
		{
			"seals deleted at the beginning",
			[]string{`DELETE FROM audit_seals WHERE id IN (` + sealOfS(1) + `, ` + sealOfS(2) + `)`},
			[]string{"1: the seals up to number 2 are missing", "0: 2 events name", "0: 1 events name"},
		},
		{"the newest seal deleted, its events left", []string{`DELETE FROM audit_seals WHERE id = ` + sealOfS(5)}, []string{"0: 1 events name a seal"}},
		{"a seal deleted with its events, the rest numbered anew", []string{
			`DELETE FROM events WHERE seal_id = ` + sealOfS(3), `DELETE FROM audit_seals WHERE id = ` + sealOfS(3),
			`UPDATE audit_seals SET seq = 3 WHERE id = ` + sealOfS(4), `UPDATE audit_seals SET seq = 4 WHERE id = ` + sealOfS(5),
		}, []string{"3: it was not made after", "3: the seal has been changed", "3: it is not signed", "4: the seal has been changed", "4: it is not signed"}},
		{"two seals in another order", []string{
			`UPDATE audit_seals SET seq = 99 WHERE id = ` + sealOfS(2), `UPDATE audit_seals SET seq = 2 WHERE id = ` + sealOfS(3),
			`UPDATE audit_seals SET seq = 3 WHERE ` + chainOfS + ` AND seq = 99`,
		}, []string{
			"2: it was not made after", "2: the seal has been changed", "2: it is not signed",
			"3: it was not made after", "3: the seal has been changed", "3: it is not signed", "4: it was not made after",
		}},
		{
			"a changed seal",
			[]string{`UPDATE audit_seals SET at = at + interval '1 day' WHERE id = ` + sealOfS(2)},
			[]string{"2: the seal has been changed", "2: it is not signed"},
		},
		{
			"a seal in another chain",
			[]string{`UPDATE audit_seals SET chain = 'account:99', seq = 1 WHERE id = ` + sealOfS(5)},
			[]string{"1: no chain of the service's", "1: it was not made after", "1: the seal has been changed", "1: it is not signed"},
		},
		{
			"a changed reason, and a chain that fits again", append([]string{change}, resealed(2)...),
			[]string{"2: it is not signed", "3: it is not signed", "4: it is not signed", "5: it is not signed"},
		},
		{"an event and its seal made up at the end", []string{
			`INSERT INTO audit_seals SELECT chain, 6, '01936000-0000-7000-8000-00000000000a', at, 1, events_digest, digest, digest, key_id, mac FROM audit_seals WHERE id = ` + sealOfS(5),
			`INSERT INTO events (id, at, action, actor, correlation_id, seal_id) SELECT gen_random_uuid(), now(), 'approved', 'user:mallory', '', '01936000-0000-7000-8000-00000000000a'`,
			`UPDATE audit_seals SET events_digest = ` + digestAgain + ` WHERE seq = 6`, `UPDATE audit_seals SET digest = ` + recompute + ` WHERE seq = 6`,
		}, []string{"6: it is not signed"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			db, conn := trail(t)
			tamper(t, conn, tc.sql...)
			for _, limit := range []int{0, 1, 2} {
				wantFlaws(t, verify(t, db, sealKey, limit).Flaws, tc.want)
			}
		})
	}
}

func wantFlaws(t *testing.T, flaws []postgres.Flaw, want []string) {
	t.Helper()
	var got []string
	for _, f := range flaws {
		got = append(got, fmt.Sprintf("%d: %s", f.Seq, f.What))
	}
	matches := len(got) == len(want)
	for i := 0; matches && i < len(want); i++ {
		matches = strings.HasPrefix(got[i], want[i])
	}
	if !matches {
		t.Errorf("VerifyAudit() finds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestMissingSignaturesAreToldOnce takes signatures away from a part of a chain.
func TestMissingSignaturesAreToldOnce(t *testing.T) {
	t.Parallel()
	db, conn := trail(t)
	tamper(t, conn, `UPDATE audit_seals SET key_id = NULL, mac = NULL WHERE seq IN (2, 3) AND `+chainOfS,
		`UPDATE audit_seals SET key_id = 'another' WHERE id = `+sealOfS(5))
	for _, limit := range []int{0, 1, 2} {
		v := verify(t, db, sealKey, limit)
		wantFlaws(t, v.Flaws, []string{"2: it is not signed, although", `5: it is signed with key "another", although`})
		if len(v.Flaws) != 2 || v.Flaws[0].Count != 2 || v.Flaws[1].Count != 1 || v.Unsigned != 2 || v.ForeignKey != 1 {
			t.Errorf("VerifyAudit() = %+v, want two unsigned seals and one of another key", v)
		}
	}
}

// TestAnUnsignedTrailIsSomebodysUntilThereIsAKey: what a process without a key
// made is whole as far as anybody without one can say.
func TestAnUnsignedTrailIsSomebodysUntilThereIsAKey(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	apply(t, db, "s", noon, report(noon), resource("a", "1"))
	apply(t, db, "s", noon.Add(time.Hour), report(noon.Add(time.Hour)), resource("a", "2"))
	signed := func() bool {
		is, err := db.HasSignedSeals(t.Context())
		if err != nil {
			t.Fatalf("HasSignedSeals() = %v", err)
		}
		return is
	}
	if v := verify(t, db, nil, 0); len(v.Flaws) != 0 || v.Unsigned != 2 || v.SignaturesChecked || signed() {
		t.Errorf("VerifyAudit(no key) = %+v, want two unsigned seals and no flaw", v)
	}
	v := verify(t, db, sealKey, 1)
	wantFlaws(t, v.Flaws, []string{"1: it is not signed: it was made without"})
	if len(v.Flaws) != 1 || v.Flaws[0].Kind != postgres.SealUnsigned || v.Flaws[0].Count != 2 || !v.SignaturesChecked {
		t.Errorf("VerifyAudit() = %+v, want one flaw of two seals", v)
	}
}

// TestTheTriggersAreLookedAt has the owner leave the trail open to changes.
func TestTheTriggersAreLookedAt(t *testing.T) {
	t.Parallel()
	const events, seals = "0: rows of events can be changed", "0: rows of audit_seals can be changed"
	for _, tc := range []struct {
		sql  string
		want []string
	}{
		{`ALTER TABLE events DISABLE TRIGGER events_append_only`, []string{events}},
		{`ALTER TABLE events DISABLE TRIGGER ALL`, []string{events}},
		{`ALTER TABLE audit_seals ENABLE REPLICA TRIGGER audit_seals_append_only`, []string{seals}},
		{`ALTER TABLE audit_seals ENABLE ALWAYS TRIGGER audit_seals_append_only`, nil},
		{`DROP TRIGGER audit_seals_append_only ON audit_seals`, []string{seals}},
		{`DROP FUNCTION refuse_change() CASCADE`, []string{seals, events}},
		{`CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`, []string{seals, events}},
		{`CREATE OR REPLACE TRIGGER events_append_only BEFORE DELETE OR TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`, []string{events}},
		{`CREATE OR REPLACE TRIGGER events_append_only BEFORE UPDATE OF reason OR DELETE OR TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`, []string{events}},
		{
			`DROP TRIGGER events_append_only ON events; CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
				FOR EACH STATEMENT WHEN (1 = 2) EXECUTE FUNCTION refuse_change()`, []string{events},
		},
	} {
		t.Run(tc.sql, func(t *testing.T) {
			t.Parallel()
			db, conn := openSealed(t)
			query(t, conn, tc.sql)
			wantFlaws(t, verify(t, db, sealKey, 0).Flaws, tc.want)
		})
	}
}

// TestASealThatGoesWhileVerifying deletes the seal that the next part would
// begin after.
func TestASealThatGoesWhileVerifying(t *testing.T) {
	t.Parallel()
	db, conn := trail(t)
	var q postgres.VerifyQuery
	q.Limit = 1
	for q.After.Seq != 2 {
		part, err := db.VerifyAudit(t.Context(), keys(sealKey), q)
		if err != nil || len(part.Flaws) != 0 || part.Seals != 1 {
			t.Fatalf("VerifyAudit(%+v) = %+v, %v, want one seal", q, part, err)
		}
		q.After = part.Next
	}
	tamper(t, conn, `DELETE FROM audit_seals WHERE id = `+sealOfS(2))
	part, err := db.VerifyAudit(t.Context(), keys(sealKey), q)
	if err != nil {
		t.Fatalf("VerifyAudit() = %v", err)
	}
	wantFlaws(t, part.Flaws, []string{"2: the seal is missing that was there a moment ago"})
}

// TestNoSettingChangesADigest verifies on a server whose defaults are others.
func TestNoSettingChangesADigest(t *testing.T) {
	t.Parallel()
	db, conn := trail(t)
	for _, set := range []string{"datestyle = 'German'", "timezone = 'Asia/Tokyo'", "bytea_output = 'escape'", "intervalstyle = 'iso_8601'", "extra_float_digits = 0"} {
		query(t, conn, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET `+strings.ReplaceAll(set, "'", "''")+`', current_database()); END $$`)
	}
	again, err := postgres.Open(t.Context(), postgres.Options{URL: conn.Config().ConnString()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(again.Close)
	for _, db := range []*postgres.DB{db, again} {
		if v := verify(t, db, sealKey, 0); len(v.Flaws) != 0 || v.Seals != 7 {
			t.Errorf("VerifyAudit() = %+v, want no flaw", v)
		}
	}
}
