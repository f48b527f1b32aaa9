package postgres

import (
	"maps"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// chunk is how many rows one statement changes at most: enough that the
// statement is what costs, few enough that its parameters stay small.
const chunk = 5000

// Upload is one report on its way into the store: what the statements of its
// transaction have in common.
type Upload struct {
	Stack *Stack // as LockStack returned it in the same transaction
	Scan  Scan
}

// at is the time of every row the upload writes.
func (u *Upload) at() time.Time { return storedTime(u.Scan.ReceivedAt) }

// scansAfter is how many scans will have covered the origin once this one is
// in: a drift that this upload saw is written as of that.
func (u *Upload) scansAfter(o drift.Origin) int64 {
	n := u.Stack.coverage[originIndex(o)].scans
	if u.Scan.Covers(o) {
		n++
	}
	return n
}

// args are the parameters that every statement of an upload may name, with more
// of its own.
func (tx *Tx) args(u *Upload, more pgx.NamedArgs) pgx.NamedArgs {
	args := pgx.NamedArgs{
		"seal":  tx.seal.of(u.at()),
		"stack": u.Stack.ID, "scan": u.Scan.ID, "at": u.at(), "actor": u.Scan.Actor.Name,
		"client": u.Scan.Actor.ClientAddress, "agent": u.Scan.Actor.UserAgent,
		"correlation": u.Scan.IDs.Correlation, "trace": u.Scan.IDs.Trace, "span": u.Scan.IDs.Span,
	}
	maps.Copy(args, more)
	return args
}

// eventIDs makes n ids for events of this moment.
func eventIDs(ids *idSource, n int) []uuid.UUID {
	made := make([]uuid.UUID, n)
	for i := range made {
		made[i] = ids.next()
	}
	return made
}
