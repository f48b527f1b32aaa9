package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// Subject is whose login attempts are counted: an account, an address. Limit is
// how many are free before one has to wait between them; the same subject has
// the same limit everywhere.
type Subject struct {
	Hash  [32]byte
	Limit int
}

// How long one waits after the free attempts: a second, and twice as long after
// every further one, up to longestWait.
const (
	firstWait   = time.Second
	longestWait = 15 * time.Minute
)

// ReserveLogin counts an attempt to log in, before its password is looked at,
// for all subjects or, when one of them has to wait, for none; then it returns
// how long. It is exact across replicas and for any number of callers at once.
//
// After Limit attempts each further one has to wait: 1 s after the last, then
// 2 s, 4 s and so on up to 15 minutes. An attempt that came too early is not
// counted, so hammering does not make anybody wait longer. A subject that tried
// nothing for window, counted from when it could have, starts anew, and so does
// one that is forgiven. Nobody is ever locked out for good; whoever guesses gets
// Limit guesses per window, or one per quarter of an hour when they go on.
func (tx *Tx) ReserveLogin(ctx context.Context, subjects []Subject, window time.Duration, now time.Time) (retryAfter time.Duration, err error) {
	limits := make(map[[32]byte]int, len(subjects))
	asked := make([][]byte, len(subjects))
	for i, s := range subjects {
		limits[s.Hash], asked[i] = s.Limit, s.Hash[:]
	}
	// Writing the rows as they are locks them, those that were not there too, and
	// in one order, so that nobody waits in a circle.
	rows, err := tx.tx.Query(ctx, `-- name: LockThrottles
		INSERT INTO login_throttles AS t (subject, attempts, last_at)
		SELECT DISTINCT s, 0, $2::timestamptz FROM unnest($1::bytea[]) AS s ORDER BY s
		ON CONFLICT (subject) DO UPDATE SET attempts = t.attempts
		RETURNING t.subject, t.attempts, t.last_at`, asked, storedTime(now))
	if err != nil {
		return 0, classify(fmt.Errorf("lock throttles: %w", err))
	}
	var locked [][]byte
	var counted []int // in the order of locked
	var hash []byte
	var attempts int
	var last time.Time
	_, err = pgx.ForEachRow(rows, []any{&hash, &attempts, &last}, func() error {
		limit := limits[[32]byte(hash)]
		wait, left := loginWait(attempts, limit, window, now.Sub(last))
		retryAfter = max(retryAfter, wait)
		locked, counted = append(locked, slices.Clone(hash)), append(counted, left+1)
		return nil
	})
	if err != nil {
		return 0, classify(fmt.Errorf("lock throttles: %w", err))
	}
	if retryAfter > 0 {
		return retryAfter, nil
	}
	_, err = tx.tx.Exec(ctx, `-- name: CountLogin
		UPDATE login_throttles t SET attempts = c.attempts, last_at = greatest(t.last_at, $3)
		FROM unnest($1::bytea[], $2::integer[]) AS c (subject, attempts) WHERE t.subject = c.subject`,
		locked, counted, storedTime(now))
	if err != nil {
		return 0, classify(fmt.Errorf("count login: %w", err))
	}
	return 0, nil
}

// loginWait is how long a subject still has to wait that made so many attempts,
// the last one since ago, and how many of them still count.
func loginWait(attempts, limit int, window, since time.Duration) (wait time.Duration, left int) {
	// Replicas' clocks differ: an attempt in the future was made just now.
	since = max(since, 0)
	pause := time.Duration(0)
	if over := attempts - limit; attempts > 0 && over >= 0 {
		pause = longestWait
		if over < 10 { // 2^10 s are more than a quarter of an hour
			pause = min(firstWait<<over, longestWait)
		}
	}
	if since >= pause+window {
		return 0, 0
	}
	return max(pause-since, 0), attempts
}

// ForgiveLogin forgets the attempts of a subject: one of them was right.
func (tx *Tx) ForgiveLogin(ctx context.Context, hash [32]byte) error {
	_, err := tx.tx.Exec(ctx, `-- name: ForgiveLogin
		DELETE FROM login_throttles WHERE subject = $1`, hash[:])
	if err != nil {
		return classify(fmt.Errorf("forgive login: %w", err))
	}
	return nil
}
