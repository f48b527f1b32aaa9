package postgres

import (
	"bytes"
	"context"
	"crypto/hmac"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// VerifyQuery asks for one part of verifying the audit trail.
type VerifyQuery struct {
	After SealPlace // where the part before ended; zero for the first
	// Limit is how many seals are looked at, at most; 0 means 1,000. A part ends
	// earlier when it has many events.
	Limit int
	// HeadAt is the time to compute the head for; zero means some seconds ago.
	HeadAt time.Time
}

// SealPlace is how far verification has come: behind a seal of a chain, or, when
// the chains are through, behind a seal id in the order in which events name
// them. It holds nothing secret.
type SealPlace struct {
	Chain string    `json:"chain,omitzero"`
	Seq   int64     `json:"seq,omitzero"`
	Named uuid.UUID `json:"named,omitzero"`
	// Through is set behind the last seal of the last chain.
	Through bool `json:"through,omitzero"`
}

// Flaw is something in the audit trail that the service did not write. Chain
// and Seq are zero where it is not known to which chain it belongs, and Seal is
// Nil for a seal that is not there.
type Flaw struct {
	Chain string
	Seq   int64
	Seal  uuid.UUID
	What  string // for people
}

// Verification says what a part of the audit trail is like. The trail is as the
// service wrote it when no part has a flaw.
//
// What cannot be seen from inside is that the newest seals of a chain are
// missing together with their events. For that somebody outside notes Head down
// from time to time, and has it computed again for the same time.
type Verification struct {
	Seals  int64 // looked at in this part
	Events int64 // under these seals
	// Unsigned seals were made by a process without a key, ForeignKey ones with a
	// key other than the one given. Whether there should be any is for people to
	// know: anybody who writes to the database could have made them.
	Unsigned   int64
	ForeignKey int64
	Flaws      []Flaw
	// Next is where the next part begins. Done says that there is none.
	Next SealPlace
	Done bool
	// Head is computed with the last part only; it is nil before.
	Head *Head
}

const (
	defaultVerifySeals = 1000
	// verifyEvents is how many events a part may have, some tenths of a second of
	// work, unless its first seal alone has more.
	verifyEvents = 50_000
)

// VerifyAudit computes one part of the audit trail's seals anew and compares.
// key is what they should be signed with; nil when that is not known here. It
// sees the trail at one moment and keeps nobody waiting. What is sealed during
// verification may be passed over: it is the next one's.
func (db *DB) VerifyAudit(ctx context.Context, key []byte, q VerifyQuery) (*Verification, error) {
	if q.Limit <= 0 {
		q.Limit = defaultVerifySeals
	}
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	v := &verifier{key: key, Verification: Verification{Next: q.After}}
	err := pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if !v.Next.Through {
			if err := v.chains(ctx, tx, q.Limit); err != nil {
				return err
			}
		}
		if v.Next.Through {
			if err := v.named(ctx, tx, q.Limit); err != nil {
				return err
			}
		}
		if !v.Done {
			return nil
		}
		var err error
		v.Head, err = readHead(ctx, tx, q.HeadAt)
		return err
	})
	if err != nil {
		return nil, classify(fmt.Errorf("verify the audit trail: %w", err))
	}
	return &v.Verification, nil
}

// verifier is a part of the work.
type verifier struct {
	Verification
	key []byte
}

// chains looks at the next seals of the chains.
func (v *verifier) chains(ctx context.Context, tx pgx.Tx, limit int) error {
	// The seal before the first one is needed for its digest.
	seals, err := readSeals(ctx, tx, `(chain, seq) >= ($1, $2)`, v.Next.Chain, v.Next.Seq, limit+1)
	if err != nil {
		return err
	}
	before := sealed{chain: v.Next.Chain, seq: v.Next.Seq}
	if len(seals) > 0 && seals[0].chain == before.chain && seals[0].seq == before.seq {
		before, seals = seals[0], seals[1:]
	}
	through := len(seals) < limit
	seals = seals[:min(len(seals), limit)]
	var events int64
	for i := range seals {
		if events += seals[i].events; i > 0 && events > verifyEvents {
			seals, through = seals[:i], false
			break
		}
	}
	found, err := readDigests(ctx, tx, seals)
	if err != nil {
		return err
	}
	for i := range seals {
		s := &seals[i]
		v.link(&before, s)
		v.check(s, found[i])
		before = *s
	}
	v.Next = SealPlace{Chain: before.chain, Seq: before.seq, Through: through}
	return nil
}

// link compares a seal with the one that comes before it in the table.
func (v *verifier) link(before, s *sealed) {
	last, previous := before.seq, before.digest
	if before.chain != s.chain {
		last, previous = 0, noSeal
	}
	switch {
	case s.seq == last+2:
		v.flaw(&sealed{chain: s.chain, seq: last + 1}, "the seal is missing")
	case s.seq != last+1:
		v.flaw(&sealed{chain: s.chain, seq: last + 1}, fmt.Sprintf("the seals up to number %d are missing", s.seq-1))
	case previous == nil:
		v.flaw(before, "the seal is missing that was there a moment ago")
	case !bytes.Equal(s.previous, previous):
		v.flaw(s, "it was not made after the seal before it")
	}
}

// check compares a seal with itself and with its events.
func (v *verifier) check(s *sealed, found eventsFound) {
	v.Seals++
	v.Events += found.events
	digest := s.computeDigest()
	if !bytes.Equal(digest, s.digest) {
		v.flaw(s, "the seal has been changed")
	}
	switch {
	case s.keyID == nil:
		v.Unsigned++
	case v.key == nil || *s.keyID != sealKeyID(v.key):
		v.ForeignKey++
	case !hmac.Equal(sealMAC(v.key, digest), s.mac):
		v.flaw(s, "it is not signed with the service's key")
	}
	switch n := found.events - s.events; {
	case n < 0:
		v.flaw(s, fmt.Sprintf("%d of its %d events are missing", -n, s.events))
	case n > 0:
		v.flaw(s, fmt.Sprintf("it has %d events more than the %d it was made for", n, s.events))
	case !bytes.Equal(found.digest, s.eventsDigest):
		v.flaw(s, fmt.Sprintf("among its %d events are other ones than it was made for", s.events))
	}
}

func (v *verifier) flaw(s *sealed, what string) {
	v.Flaws = append(v.Flaws, Flaw{Chain: s.chain, Seq: s.seq, Seal: s.id, What: what})
}

// named looks for events under seals that are not there, or under none.
func (v *verifier) named(ctx context.Context, tx pgx.Tx, limit int) error {
	// Each step of the recursion jumps to the next seal id in the index.
	rows, err := tx.Query(ctx, `-- name: NamedSeals
		WITH RECURSIVE named (id) AS (
			(SELECT seal_id FROM events WHERE seal_id > $1 ORDER BY seal_id LIMIT 1)
			UNION ALL
			SELECT (SELECT e.seal_id FROM events e WHERE e.seal_id > n.id ORDER BY e.seal_id LIMIT 1)
			FROM named n WHERE n.id IS NOT NULL
		)
		SELECT n.id, s.id IS NULL, CASE WHEN s.id IS NULL THEN (SELECT count(*) FROM events e WHERE e.seal_id = n.id) ELSE 0 END
		FROM (SELECT id FROM named WHERE id IS NOT NULL LIMIT $2) AS n LEFT JOIN audit_seals s ON s.id = n.id
		ORDER BY n.id`, v.Next.Named, limit)
	if err != nil {
		return fmt.Errorf("named seals: %w", err)
	}
	var id uuid.UUID
	var missing bool
	var events int64
	n := 0
	_, err = pgx.ForEachRow(rows, []any{&id, &missing, &events}, func() error {
		if n++; missing {
			v.flaw(&sealed{id: id}, fmt.Sprintf("%d events name a seal that is not there", events))
		}
		v.Next.Named = id
		return nil
	})
	if err != nil {
		return fmt.Errorf("named seals: %w", err)
	}
	if v.Done = n < limit; v.Done {
		return v.unsealed(ctx, tx)
	}
	return nil
}

// manyUnsealed is where counting events without a seal stops.
const manyUnsealed = 10_000

func (v *verifier) unsealed(ctx context.Context, tx pgx.Tx) error {
	var events int64
	var first uuid.NullUUID
	err := tx.QueryRow(ctx, `-- name: UnsealedEvents
		SELECT count(*), (array_agg(id ORDER BY id))[1] FROM (SELECT id FROM events WHERE seal_id IS NULL LIMIT $1) AS e`,
		manyUnsealed).Scan(&events, &first)
	if err != nil {
		return fmt.Errorf("unsealed events: %w", err)
	}
	switch {
	case events == 0:
	case events == manyUnsealed:
		v.flaw(&sealed{}, fmt.Sprintf("%d events or more are without a seal, one of them event %s", events, first.UUID))
	default:
		v.flaw(&sealed{}, fmt.Sprintf("%d events are without a seal, beginning with event %s", events, first.UUID))
	}
	return nil
}
