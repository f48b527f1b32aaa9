package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// readSeals returns seals in the order of their chains.
func readSeals(ctx context.Context, tx pgx.Tx, where string, args ...any) ([]sealed, error) {
	rows, err := tx.Query(ctx, `-- name: Seals
		SELECT chain, seq, id, at, events, events_digest, previous, digest, key_id, mac
		FROM audit_seals WHERE `+where+fmt.Sprintf(` ORDER BY chain, seq LIMIT $%d`, len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("seals: %w", err)
	}
	seals, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s sealed, err error) {
		err = row.Scan(&s.chain, &s.seq, &s.id, &s.at, &s.events, &s.eventsDigest, &s.previous, &s.digest, &s.keyID, &s.mac)
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("seals: %w", err)
	}
	return seals, nil
}

// readGenesis is the digest that every chain begins with but chainBefore.
func readGenesis(ctx context.Context, tx pgx.Tx) ([]byte, error) {
	seals, err := readSeals(ctx, tx, `chain = $1 AND seq = 1`, chainBefore, 1)
	if err != nil || len(seals) == 0 {
		return noSeal, err
	}
	return seals[0].digest, nil
}

// readStacks says which of these stacks there are.
func readStacks(ctx context.Context, tx pgx.Tx, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	there := make(map[uuid.UUID]bool)
	if len(ids) == 0 {
		return there, nil
	}
	rows, err := tx.Query(ctx, `-- name: ExistingStacks
		SELECT id FROM stacks WHERE id = ANY ($1)`, ids)
	if err != nil {
		return nil, fmt.Errorf("stacks of the chains: %w", err)
	}
	var id uuid.UUID
	if _, err = pgx.ForEachRow(rows, []any{&id}, func() error { there[id] = true; return nil }); err != nil {
		return nil, fmt.Errorf("stacks of the chains: %w", err)
	}
	return there, nil
}

// HasSignedSeals reports whether anything in the audit trail was sealed with a
// key: then a process without one must not add to it.
func (db *DB) HasSignedSeals(ctx context.Context) (bool, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	var signed bool
	err := db.pool.QueryRow(ctx, `-- name: HasSignedSeals
		SELECT EXISTS (SELECT FROM audit_seals WHERE key_id IS NOT NULL)`).Scan(&signed)
	if err != nil {
		return false, classify(fmt.Errorf("signed seals: %w", err))
	}
	return signed, nil
}

// eventsFound is what there is under a seal.
type eventsFound struct {
	events int64
	digest []byte
}

// readDigests digests the events under each of the seals, in their order.
func readDigests(ctx context.Context, tx pgx.Tx, seals []sealed) ([]eventsFound, error) {
	ids := make([]uuid.UUID, len(seals))
	for i := range seals {
		ids[i] = seals[i].id
	}
	// Seal by seal through the index, whatever the planner thinks of so many.
	rows, err := tx.Query(ctx, `-- name: DigestSealedEvents
		SELECT d.events, d.digest
		FROM unnest($1::uuid[]) WITH ORDINALITY AS s (id, n)
		CROSS JOIN LATERAL (SELECT `+digestEvents+` FROM events e WHERE e.seal_id = s.id) AS d (events, digest)
		ORDER BY s.n`, ids)
	if err != nil {
		return nil, fmt.Errorf("digest events: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f eventsFound, err error) {
		err = row.Scan(&f.events, &f.digest)
		return f, err
	})
	if err != nil {
		return nil, fmt.Errorf("digest events: %w", err)
	}
	return found, nil
}

// Head is one digest of everything that was sealed until a moment: SHA-256 over
// each chain's name, length and newest digest, in the order of the names. It is
// the same whenever it is computed for that moment, unless seals went missing or
// were changed.
type Head struct {
	At     time.Time
	Digest [32]byte
	Chains int64
	Seals  int64
}

// headDistance keeps a head away from seals that are made already and not yet
// committed, which is a matter of milliseconds.
const headDistance = 10 * time.Second

// readHead computes the head as of a moment; zero means headDistance ago.
func readHead(ctx context.Context, q querier, at time.Time) (*Head, error) {
	// Each step of the recursion jumps to the next chain in the index.
	rows, err := q.Query(ctx, `-- name: AuditHead
		WITH RECURSIVE until (at) AS (
			SELECT coalesce($1, date_trunc('milliseconds', clock_timestamp()) - make_interval(secs => $2))
		), chains (chain) AS (
			(SELECT chain FROM audit_seals ORDER BY chain LIMIT 1)
			UNION ALL
			SELECT (SELECT s.chain FROM audit_seals s WHERE s.chain > c.chain ORDER BY s.chain LIMIT 1)
			FROM chains c WHERE c.chain IS NOT NULL
		)
		SELECT until.at, last.chain, last.seq, last.digest
		FROM until LEFT JOIN (chains c CROSS JOIN LATERAL (
			SELECT s.chain, s.seq, s.digest FROM audit_seals s, until u
			WHERE s.chain = c.chain AND s.at <= u.at ORDER BY s.seq DESC LIMIT 1
		) AS last) ON true
		ORDER BY last.chain`, orNull(at), headDistance.Seconds())
	if err != nil {
		return nil, fmt.Errorf("head of the audit trail: %w", err)
	}
	var head Head
	var chain *string
	var seq *int64
	var digest []byte
	text := []byte("driftsentry head v1")
	_, err = pgx.ForEachRow(rows, []any{&head.At, &chain, &seq, &digest}, func() error {
		if chain == nil {
			return nil // nothing is sealed yet
		}
		head.Chains++
		head.Seals += *seq
		text = binary.BigEndian.AppendUint64(text, uint64(len(*chain)))
		text = append(text, *chain...)
		text = binary.BigEndian.AppendUint64(text, uint64(*seq))
		text = append(text, digest...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("head of the audit trail: %w", err)
	}
	head.At = head.At.UTC()
	head.Digest = sha256.Sum256(text)
	return &head, nil
}
