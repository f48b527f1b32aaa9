package postgres_test

import (
	"errors"
	"fmt"
	"iter"
	"testing"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

func TestAFailingSourceStoresNothing(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	broken := errors.New("the spool is gone")
	for name, source := range map[string]iter.Seq2[*drift.Resource, error]{
		"error": func(yield func(*drift.Resource, error) bool) {
			if yield(resource("a", "1"), nil) {
				yield(nil, broken)
			}
		},
		"panic": func(yield func(*drift.Resource, error) bool) {
			yield(resource("a", "1"), nil)
			panic(broken)
		},
		"too few": each([]*drift.Resource{resource("a", "1")}),
	} {
		err := insert(t, db, source)
		if err == nil || name != "too few" && !errors.Is(err, broken) {
			t.Errorf("%s: InsertDrifts() = %v, want it to fail", name, err)
		}
	}
	wantRows(t, conn, `SELECT count(*) FROM drifts`, []string{"0"})
	apply(t, db, "s", noon, report(noon), resource("a", "1")) // and the connections still work
}

// insert stores two drifts of which source knows; a panic comes back as its error.
func insert(t *testing.T, db *postgres.DB, source iter.Seq2[*drift.Resource, error]) (err error) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %w", p.(error)) //nolint:errcheck,forcetypeassert // it is what the test panics with
		}
	}()
	return db.InTx(t.Context(), func(tx *postgres.Tx) error {
		s, err := tx.LockStack(t.Context(), "s", noon)
		if err != nil {
			return err
		}
		up := &postgres.Upload{Stack: s, Scan: postgres.Scan{ID: uuid.New(), ReceivedAt: noon, Report: report(noon)}}
		_, err = tx.InsertDrifts(t.Context(), up, []drift.Key{resource("a", "").Key(), resource("b", "").Key()}, source)
		return err
	})
}
