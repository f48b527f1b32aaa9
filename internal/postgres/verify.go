package postgres

import (
	"context"
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
	// KeyID is of the last signed seal of the chain.
	KeyID string `json:"keyId,omitzero"`
	// Through is set behind the last seal of the last chain.
	Through bool `json:"through,omitzero"`
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
	// SignaturesChecked says that a key was given. Without one the trail may be
	// whole and still be somebody else's work: who wrote it is not known.
	SignaturesChecked bool
	// Unsigned seals were made by a process without a key, ForeignKey ones with
	// none of the keys given. With a key they are flaws, but for the one seal of
	// what was there before there were seals.
	Unsigned   int64
	ForeignKey int64
	Flaws      []Flaw
	// Next is where the next part begins. Done says that there is none.
	Next SealPlace
	Done bool
	// Head is computed with the last part only; it is nil before.
	Head *Head

	groups map[string]int // of the flaws that are told once: where they are
}

const (
	defaultVerifySeals = 1000
	// verifyEvents is how many events a part may have, some tenths of a second of
	// work, unless its first seal alone has more.
	verifyEvents = 50_000
)

// VerifyAudit computes one part of the audit trail's seals anew and compares.
// keys are what they may be signed with: the service's, and those it had before;
// none when that is not known here. It sees the trail at one moment and keeps
// nobody waiting. What is sealed during verification may be passed over: it is
// the next one's.
func (db *DB) VerifyAudit(ctx context.Context, keys [][]byte, q VerifyQuery) (*Verification, error) {
	if q.Limit <= 0 {
		q.Limit = defaultVerifySeals
	}
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	v := &verifier{keys: make(map[string][]byte), Verification: Verification{Next: q.After, SignaturesChecked: len(keys) > 0}}
	for _, key := range keys {
		v.keys[sealKeyID(key)] = key
	}
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
	keys map[string][]byte // by their ids
	// genesis is what chains begin with, signedWith the key of the last signed seal
	// so far of the chain that is looked at.
	genesis    []byte
	signedWith string
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
	stacks, err := readStacks(ctx, tx, stacksOf(seals))
	if err != nil {
		return err
	}
	if v.genesis, err = readGenesis(ctx, tx); err != nil {
		return err
	}
	v.signedWith = v.Next.KeyID
	for i := range seals {
		s := &seals[i]
		if s.chain != before.chain {
			v.signedWith = ""
		}
		if s.chain != before.chain || s.chain == chainBefore {
			v.name(s, stacks)
		}
		v.link(&before, s)
		v.check(s, found[i])
		before = *s
	}
	v.Next = SealPlace{Chain: before.chain, Seq: before.seq, KeyID: v.signedWith, Through: through}
	return nil
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
			v.flaw(EventsUnsealed, &sealed{id: id}, fmt.Sprintf("%d events name a seal that is not there", events))
		}
		v.Next.Named = id
		return nil
	})
	if err != nil {
		return fmt.Errorf("named seals: %w", err)
	}
	if v.Done = n < limit; !v.Done {
		return nil
	}
	if err := v.unsealed(ctx, tx); err != nil {
		return err
	}
	return v.guards(ctx, tx)
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
		v.flaw(EventsUnsealed, &sealed{}, fmt.Sprintf("%d events or more are without a seal, one of them event %s", events, first.UUID))
	default:
		v.flaw(EventsUnsealed, &sealed{}, fmt.Sprintf("%d events are without a seal, beginning with event %s", events, first.UUID))
	}
	return nil
}
