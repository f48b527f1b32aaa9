package postgres

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// The audit trail is sealed, so that changing it is noticed even when the
// database's owner does it. The events of a transaction name one seal. Just
// before the commit its row is written: a digest of the events, and a digest of
// that together with the digest of the seal before it in the same chain, signed
// with a key that is not in the database. VerifyAudit computes it all again.
//
// There are many chains, so that writers who have nothing to do with each other
// do not wait for each other: one for each stack, whose lock a writer of its
// drifts holds anyway, and accountLanes for all the rest, of which a transaction
// takes one that is free. What was there before there were seals got one in a chain
// of its own, without a signature, by the migration. Every other chain begins with
// that one, or with nothing where there is none, so that no such seal can be made
// or changed later.

// accountLanes is how many transactions that lock no stack can be between
// their seal and the end of their commit, some milliseconds, before the next
// has to wait.
const accountLanes = 16

// The names of the chains, and what others there may be is made up.
const (
	chainBefore = "before"
	stackChain  = "stack:"   // and the id of a stack
	laneChain   = "account:" // and the number of a lane
)

// sealLocks is the class of the advisory locks of the lanes: "DS".
const sealLocks = 0x4453

// seal is what a transaction knows of its own.
type seal struct {
	id    uuid.UUID // Nil until there is something to seal
	stack uuid.UUID // a stack that the transaction has locked; Nil for none
	key   []byte    // nil: not signed
}

// of is the id that every event of the transaction names, the first of which
// happens at that time.
func (s *seal) of(at time.Time) uuid.UUID {
	if s.id == uuid.Nil {
		s.id = NewID(at)
	}
	return s.id
}

// locked notes that the transaction holds the lock of a stack.
func (s *seal) locked(stack uuid.UUID) {
	if s.stack == uuid.Nil {
		s.stack = stack
	}
}

// sealed is a row of audit_seals.
type sealed struct {
	chain        string
	seq          int64
	id           uuid.UUID
	at           time.Time // when it was made, by the database's clock
	events       int64
	eventsDigest []byte
	previous     []byte // for the first of a chain that of chainBefore, or noSeal
	digest       []byte
	keyID        *string // both nil when it is not signed
	mac          []byte
}

// noSeal stands for the digest of what is before the first seal of all.
var noSeal = make([]byte, sha256.Size)

// digestEvents digests events e in the order of their ids. An event is taken in
// PostgreSQL's binary form of a row, every column with its length, which depends
// on no setting. It is digested by itself first, as no value in PostgreSQL can be
// longer than 1 GB. What stands here is written into every seal there is: columns
// may not change their type, and a new column needs a new kind of seal.
const digestEvents = `count(*), sha256(coalesce(string_agg(sha256(record_send(ROW(e.id, e.at, e.stack_id, e.drift_id, e.scan_id,
	e.action, e.actor, e.from_status, e.to_status, e.reason, e.until, e.detail, e.correlation_id, e.trace_id, e.span_id,
	e.client_address, e.user_agent))), ''::bytea ORDER BY e.id), ''))`

// closeSeal seals what the transaction wrote. It comes last before the commit:
// the lane it locks is locked for no longer than that takes.
func (tx *Tx) closeSeal(ctx context.Context) error {
	if tx.seal.id == uuid.Nil {
		return nil
	}
	s := sealed{chain: stackChain + tx.seal.stack.String(), id: tx.seal.id}
	if tx.seal.stack == uuid.Nil {
		lane, err := tx.lockLane(ctx)
		if err != nil {
			return err
		}
		s.chain = laneChain + strconv.Itoa(lane)
	}
	// Another statement than the lock: it sees the chain as it is now. The clock
	// may be set back, time in a chain may not.
	err := tx.tx.QueryRow(ctx, `-- name: DigestEvents
		SELECT d.events, d.digest, coalesce(last.seq, 0) + 1,
			coalesce(last.digest, (SELECT digest FROM audit_seals WHERE chain = 'before' AND seq = 1), $3),
			greatest(date_trunc('milliseconds', clock_timestamp()), last.at)
		FROM (SELECT `+digestEvents+` FROM events e WHERE e.seal_id = $1) AS d (events, digest)
		LEFT JOIN (SELECT seq, digest, at FROM audit_seals WHERE chain = $2 ORDER BY seq DESC LIMIT 1) AS last ON true`,
		s.id, s.chain, noSeal).Scan(&s.events, &s.eventsDigest, &s.seq, &s.previous, &s.at)
	if err != nil {
		return fmt.Errorf("digest events: %w", err)
	}
	if s.events == 0 {
		return nil // the statements found nothing to change
	}
	s.digest = s.computeDigest()
	if tx.seal.key != nil {
		id := sealKeyID(tx.seal.key)
		s.keyID, s.mac = &id, sealMAC(tx.seal.key, s.digest)
	}
	_, err = tx.tx.Exec(ctx, `-- name: InsertSeal
		INSERT INTO audit_seals (chain, seq, id, at, events, events_digest, previous, digest, key_id, mac)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		s.chain, s.seq, s.id, s.at, s.events, s.eventsDigest, s.previous, s.digest, s.keyID, s.mac)
	if err != nil {
		return fmt.Errorf("insert seal: %w", err)
	}
	return nil
}

// lockLane takes a lane nobody is using, or waits for one when all are in use.
func (tx *Tx) lockLane(ctx context.Context) (int, error) {
	start := int(tx.seal.id[15]) % accountLanes // random
	var lane int
	err := tx.tx.QueryRow(ctx, `-- name: TryLanes
		SELECT lane FROM (SELECT (n + $2) % $3 AS lane FROM generate_series(0, $3 - 1) AS n OFFSET 0) AS lanes
		WHERE pg_try_advisory_xact_lock($1, lane) LIMIT 1`, sealLocks, start, accountLanes).Scan(&lane)
	if err == nil {
		return lane, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return 0, fmt.Errorf("lock a lane: %w", err)
	}
	_, err = tx.tx.Exec(ctx, `-- name: WaitForLane
		SELECT pg_advisory_xact_lock($1, $2)`, sealLocks, start)
	if err != nil {
		return 0, fmt.Errorf("wait for a lane: %w", err)
	}
	return start, nil
}

// computeDigest is the digest of everything that a seal says. The migration
// that brought seals computes the same in SQL.
func (s *sealed) computeDigest() []byte {
	b := append([]byte("driftsentry seal v1"), s.previous...)
	b = binary.BigEndian.AppendUint64(b, uint64(len(s.chain)))
	b = append(b, s.chain...)
	b = binary.BigEndian.AppendUint64(b, uint64(s.seq))
	b = append(b, s.id[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(s.at.UnixMicro()))
	b = binary.BigEndian.AppendUint64(b, uint64(s.events))
	b = append(b, s.eventsDigest...)
	digest := sha256.Sum256(b)
	return digest[:]
}

// sealKeyID names a key without telling it.
func sealKeyID(key []byte) string {
	sum := sha256.Sum256(append([]byte("driftsentry seal key v1"), key...))
	return hex.EncodeToString(sum[:8])
}

func sealMAC(key, digest []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(digest)
	return mac.Sum(nil)
}
