package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

// sealKey signs the seals of the tests.
var sealKey = bytes.Repeat([]byte("k"), 32)

// verify looks at the whole trail, a few seals at a time, and adds the parts up.
func verify(tb testing.TB, db *postgres.DB, key []byte, limit int) *postgres.Verification {
	tb.Helper()
	var sum postgres.Verification
	for !sum.Done {
		// The test's own context may be over already: wantSound comes last.
		part, err := db.VerifyAudit(context.Background(), keys(key), postgres.VerifyQuery{After: sum.Next, Limit: limit})
		if err != nil {
			tb.Fatalf("VerifyAudit(after %+v) = %v", sum.Next, err)
		}
		sum.Add(part)
	}
	return &sum
}

// keys are none for nil.
func keys(key []byte) [][]byte {
	if key == nil {
		return nil
	}
	return [][]byte{key}
}

// wantSound holds every event that a test wrote against its seal: whatever
// writes events and forgets the seal fails the test that tests it.
func wantSound(tb testing.TB, db *postgres.DB) {
	tb.Helper()
	if tb.Failed() {
		return
	}
	if v := verify(tb, db, nil, 0); len(v.Flaws) > 0 {
		tb.Errorf("the test leaves an audit trail with flaws: %+v", v.Flaws)
	}
}

// openSealed is open with a key and without wantSound, for tests that tamper.
func openSealed(tb testing.TB) (*postgres.DB, *pgx.Conn) {
	tb.Helper()
	url := pgtest.URL(tb)
	db, err := postgres.Open(tb.Context(), postgres.Options{URL: url, MaxConns: 20, SealKey: sealKey})
	if err != nil {
		tb.Fatalf("Open() = %v", err)
	}
	tb.Cleanup(db.Close)
	conn, err := pgx.Connect(tb.Context(), url)
	if err != nil {
		tb.Fatalf("connect: %v", err)
	}
	return db, conn
}

// record writes one event that belongs to no stack.
func record(ctx context.Context, db *postgres.DB, at time.Time, reason string) error {
	return db.InTx(ctx, func(tx *postgres.Tx) error {
		return tx.RecordEvent(ctx, audit.Event{At: at, Action: audit.LoginFailed, Actor: alice, Reason: reason})
	})
}

// TestSealsAreSignedChainedAndCountWhatTheyHold writes through every path there
// is and looks at the seals behind the store's back.
func TestSealsAreSignedChainedAndCountWhatTheyHold(t *testing.T) {
	t.Parallel()
	db, conn := openSealed(t)
	a := apply(t, db, "s", noon, report(noon), resource("a", "1"), resource("b", "1"), resource("c", "1"))
	reject := postgres.Decision{Action: audit.Rejected, To: drift.Rejected, At: noon.Add(time.Minute), Actor: alice}
	if _, err := decide(t, db, a.opened[0], reject); err != nil {
		t.Fatal(err)
	}
	moved := resource("b2", "1")
	moved.PreviousAddress = "b"
	// One changed and so reopened, one moved, one resolved, one new: one seal.
	apply(t, db, "s", noon.Add(time.Hour), report(noon.Add(time.Hour)), resource("a", "2"), moved, resource("d", "1"))
	apply(t, db, "other", noon, report(noon), resource("a", "1"))
	apply(t, db, "quiet", noon, report(noon)) // wrote no event: no seal
	if err := record(t.Context(), db, noon, "r"); err != nil {
		t.Fatal(err)
	}
	wantRows(t, conn, `SELECT k.name, a.seq, a.events, string_agg(e.action, ' ' ORDER BY e.action) FROM audit_seals a
		JOIN events e ON e.seal_id = a.id LEFT JOIN stacks k ON a.chain = 'stack:' || k.id GROUP BY 1, 2, 3, a.id ORDER BY 1, 2`,
		[]string{"other", "1", "1", "detected"},
		[]string{"s", "1", "3", "detected detected detected"},
		[]string{"s", "2", "1", "rejected"},
		[]string{"s", "3", "5", "changed detected moved reopened resolved"},
		[]string{"", "1", "1", "login_failed"})
	wantRows(t, conn, `SELECT count(*) FROM events WHERE seal_id IS NULL`, []string{"0"})
	wantRows(t, conn, `SELECT count(DISTINCT key_id), count(mac) FROM audit_seals`, []string{"1", "5"})
	wantRows(t, conn, `SELECT count(*) FROM audit_seals s JOIN audit_seals p ON p.chain = s.chain AND p.seq = s.seq - 1
		WHERE s.previous = p.digest`, []string{"2"})
	v := verify(t, db, sealKey, 2)
	if len(v.Flaws) != 0 || v.Seals != 5 || v.Events != 11 || v.Unsigned+v.ForeignKey != 0 {
		t.Errorf("VerifyAudit() = %+v, want 5 seals of 11 events and no flaw", v)
	}
	// Whoever changes the key hears of it once, and not once for each seal.
	for _, limit := range []int{0, 2} {
		v := verify(t, db, []byte("another key"), limit)
		if len(v.Flaws) != 1 || v.Flaws[0].Kind != postgres.SealForeign || v.Flaws[0].Count != 5 || v.ForeignKey != 5 {
			t.Errorf("VerifyAudit(another key) = %+v, want one flaw of 5 seals whose key is not known", v)
		}
	}
	both, err := db.VerifyAudit(t.Context(), [][]byte{[]byte("another key"), sealKey}, postgres.VerifyQuery{})
	if err != nil || len(both.Flaws) != 0 || both.ForeignKey != 0 || !both.SignaturesChecked {
		t.Errorf("VerifyAudit(another key, and the one before) = %+v, %v, want no flaw", both, err)
	}
	if v := verify(t, db, nil, 2); len(v.Flaws) != 0 || v.ForeignKey != 5 || v.SignaturesChecked {
		t.Errorf("VerifyAudit(no key) = %+v, want 5 seals whose signatures were not checked, and no flaw", v)
	}
}

func TestSealsAreAppendOnly(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	if err := record(t.Context(), db, noon, "r"); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{`UPDATE audit_seals SET events = 2`, `DELETE FROM audit_seals`, `TRUNCATE audit_seals`} {
		if _, err := conn.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s = nil, want it refused", sql)
		}
	}
}

// TestWritersDoNotWaitForEachOther holds a transaction open that has written
// events of one stack while others write.
func TestWritersDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	db, _ := openSealed(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := db.InTx(ctx, func(held *postgres.Tx) error {
		if _, err := applyIn(ctx, held, "a", noon, report(noon), []*drift.Resource{resource("x", "1")}); err != nil {
			return err
		}
		// And one that has written of no stack at all, more of them than lanes.
		return db.InTx(ctx, func(account *postgres.Tx) error {
			if err := account.RecordEvent(ctx, audit.Event{At: noon, Action: audit.LoggedIn, Actor: alice}); err != nil {
				return err
			}
			apply(t, db, "b", noon, report(noon), resource("x", "1"))
			for i := range 40 {
				if err := record(ctx, db, noon, fmt.Sprint(i)); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		t.Fatalf("InTx() = %v, want nobody to wait", err)
	}
	if v := verify(t, db, sealKey, 7); len(v.Flaws) != 0 || v.Events != 43 {
		t.Errorf("VerifyAudit() = %+v, want 43 events and no flaw", v)
	}
}

// TestAllLanesBusy takes every lane; the next writer waits for one and gets it.
func TestAllLanesBusy(t *testing.T) {
	t.Parallel()
	db, conn := openSealed(t)
	query(t, conn, fmt.Sprintf(`SELECT pg_advisory_lock(%d, n) FROM generate_series(0, %d) n`, postgres.SealLocks, postgres.AccountLanes-1))
	done := make(chan error, 1)
	go func() { done <- record(t.Context(), db, noon, "r") }()
	waitForLock(t, conn)
	query(t, conn, `SELECT pg_advisory_unlock_all()`)
	if err := <-done; err != nil {
		t.Errorf("RecordEvent() = %v, want it to get a lane", err)
	}
	if v := verify(t, db, sealKey, 0); len(v.Flaws) != 0 || v.Events != 1 {
		t.Errorf("VerifyAudit() = %+v, want the one event", v)
	}
}

// TestManyWritersAtOnce has eight writers on four stacks and no stack, some of
// whose transactions fail, while somebody verifies.
func TestManyWritersAtOnce(t *testing.T) {
	t.Parallel()
	db, _ := openSealed(t)
	const writers, rounds = 8, 12
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 1))
			for i := range rounds {
				at := noon.Add(time.Duration(i) * time.Minute)
				if rng.IntN(2) == 0 {
					if err := record(t.Context(), db, at, fmt.Sprint(w, i)); err != nil {
						t.Errorf("RecordEvent() = %v", err)
					}
					continue
				}
				err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
					stack := fmt.Sprint("s", rng.IntN(4))
					_, err := applyIn(t.Context(), tx, stack, at.Add(time.Duration(w)*time.Second), report(at), []*drift.Resource{
						resource(fmt.Sprint(rng.IntN(5)), fmt.Sprint(rng.IntN(3))), resource("x", fmt.Sprint(rng.IntN(3))),
					})
					if err == nil && rng.IntN(6) == 0 {
						return fault.New(fault.Invalid, "changed my mind")
					}
					return err
				})
				if err != nil && fault.KindOf(err) != fault.Invalid {
					t.Errorf("apply() = %v", err)
				}
			}
		})
	}
	for range 5 {
		if v := verify(t, db, sealKey, 3); len(v.Flaws) != 0 {
			t.Errorf("VerifyAudit() while others write finds %+v, want no flaw", v.Flaws)
		}
	}
	wg.Wait()
	if v := verify(t, db, sealKey, 10); len(v.Flaws) != 0 || v.Seals < writers {
		t.Errorf("VerifyAudit() = %+v, want many seals and no flaw", v)
	}
}

// TestTheHeadIsTheSameWheneverItIsComputed also shows what it is for: the newest
// seal of a chain goes, its events too, and nothing inside tells.
func TestTheHeadIsTheSameWheneverItIsComputed(t *testing.T) {
	t.Parallel()
	db, conn := openSealed(t)
	newest := func() time.Time {
		at, err := time.Parse(time.RFC3339, query(t, conn, `SELECT to_char(max(at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MSZ') FROM audit_seals`)[0][0])
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	head := func(at time.Time) *postgres.Head {
		h, err := db.AuditHead(t.Context(), at)
		if err != nil {
			t.Fatalf("AuditHead(%v) = %v", at, err)
		}
		return h
	}
	empty := head(noon)
	if empty.Chains != 0 || empty.Seals != 0 || !empty.At.Equal(noon) {
		t.Errorf("AuditHead() of an empty trail = %+v, want nothing in it", empty)
	}
	apply(t, db, "a", noon, report(noon), resource("x", "1"))
	apply(t, db, "b", noon, report(noon), resource("x", "1"))
	at := newest()
	noted := head(at)
	if noted.Chains != 2 || noted.Seals != 2 || noted.Digest == empty.Digest {
		t.Errorf("AuditHead() = %+v, want two chains of one seal", noted)
	}
	for newest().Equal(at) { // a millisecond later than what was noted
		apply(t, db, "a", noon.Add(time.Hour), report(noon.Add(time.Hour)), resource(uuid.NewString(), "1"))
	}
	if now := head(newest()); now.Digest == noted.Digest || now.Seals <= 2 {
		t.Errorf("AuditHead(now) = %+v, want another one than %+v", now, noted)
	}
	again, err := db.VerifyAudit(t.Context(), keys(sealKey), postgres.VerifyQuery{HeadAt: at})
	if err != nil || !again.Done || again.Head == nil || *again.Head != *noted {
		t.Errorf("VerifyAudit(head at %v) = %+v, %v, want the head of then, %+v", at, again, err, noted)
	}
	before := head(newest())
	tamper(t, conn, `DELETE FROM events WHERE seal_id = (SELECT id FROM audit_seals ORDER BY at DESC, seq DESC LIMIT 1)`,
		`DELETE FROM audit_seals WHERE id = (SELECT id FROM audit_seals ORDER BY at DESC, seq DESC LIMIT 1)`)
	if v := verify(t, db, sealKey, 0); len(v.Flaws) != 0 {
		t.Errorf("VerifyAudit() without the newest seal = %+v; it could not be seen before", v.Flaws)
	}
	if now := head(before.At); now.Digest == before.Digest {
		t.Error("AuditHead() is the same without the newest seal, want another one")
	}
}
