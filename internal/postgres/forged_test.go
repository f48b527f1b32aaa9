package postgres_test

import (
	"testing"

	"github.com/google/uuid"
)

// forged is the statements of somebody who writes to the database and knows how
// seals are made, but cannot sign: an event, and a seal for it.
func forged(chain, seq, previous, keyID string) []string {
	id := uuid.NewString()
	mac := `NULL`
	if keyID != `NULL` {
		mac = `sha256('')`
	}
	return []string{
		`INSERT INTO events (id, at, action, actor, correlation_id, seal_id) SELECT gen_random_uuid(), now(), 'approved', 'user:mallory', '', '` + id + `'`,
		`INSERT INTO audit_seals SELECT chain, seq, id, at, events, events_digest, previous, ` + recompute + `, ` + keyID + `, ` + mac + ` FROM (
			SELECT chain, seq, id, at, events, previous, ` + digestAgain + ` AS events_digest FROM (
				SELECT ` + chain + ` AS chain, (` + seq + `)::bigint AS seq, '` + id + `'::uuid AS id, date_trunc('milliseconds', now()) AS at,
					1::bigint AS events, ` + previous + ` AS previous) AS audit_seals) AS made`,
	}
}

const (
	first   = `decode(repeat('00', 32), 'hex')`
	idOfS   = `(SELECT 'stack:' || id FROM stacks WHERE name = 's')`
	lastOfS = `(SELECT digest FROM audit_seals WHERE ` + chainOfS + ` ORDER BY seq DESC LIMIT 1)`
	// freeLane is a lane in which nothing has been sealed.
	freeLane = `(SELECT 'account:' || n FROM generate_series(0, 15) n WHERE NOT EXISTS (SELECT FROM audit_seals WHERE chain = 'account:' || n) LIMIT 1)`
)

// TestForgedSealsAreFound has somebody write what looks like the service's, who
// lacks its key.
func TestForgedSealsAreFound(t *testing.T) {
	t.Parallel()
	rewritten := append([]string{`UPDATE events SET reason = 'never heard of it' WHERE seal_id = ` + sealOfS(2)}, resealed(2)...)
	const notSigned, foreign = "it is not signed", "it is signed with "
	for _, tc := range []struct {
		name string
		sql  []string
		want []string // with the service's key
		// unkeyed is what is found without any, which leaves who sealed open.
		unkeyed []string
	}{
		{"in an invented chain", forged(`'mine'`, `1`, first, `NULL`), []string{"1: no chain", "1: " + notSigned}, []string{"1: no chain"}},
		{"in a lane that does not exist", forged(`'account:16'`, `1`, first, `NULL`), []string{"1: no chain", "1: " + notSigned}, []string{"1: no chain"}},
		{"in a lane by another name", forged(`'account:01'`, `1`, first, `NULL`), []string{"1: no chain", "1: " + notSigned}, []string{"1: no chain"}},
		{
			"in the chain of a stack that does not exist", forged(`'stack:' || gen_random_uuid()`, `1`, first, `NULL`),
			[]string{"1: no chain", "1: " + notSigned},
			[]string{"1: no chain"},
		},
		{"in a free lane", forged(freeLane, `1`, first, `NULL`), []string{"1: " + notSigned}, nil},
		{"at the end of a chain", forged(idOfS, `6`, lastOfS, `NULL`), []string{"6: " + notSigned + ", although"}, []string{"6: " + notSigned + ", although"}},
		{
			"with the rest of the chain", append(rewritten, `UPDATE audit_seals SET key_id = NULL, mac = NULL WHERE seq > 1 AND `+chainOfS),
			[]string{"2: " + notSigned + ", although"},
			[]string{"2: " + notSigned + ", although"},
		},
		{
			"with the whole chain", append(rewritten, `UPDATE audit_seals SET key_id = NULL, mac = NULL WHERE `+chainOfS),
			[]string{"1: " + notSigned},
			nil,
		},
		{"with an invented key", forged(freeLane, `1`, first, `'0123456789abcdef'`), []string{"1: " + foreign + "key 0123456789abcdef"}, nil},
		{"with a key of an odd name", forged(freeLane, `1`, first, `E'\x1b[2J'`), []string{"1: " + foreign + `key "\x1b[2J"`}, nil},
		{
			"with an invented key at the end of a chain", forged(idOfS, `6`, lastOfS, `'0123456789abcdef'`),
			[]string{"6: " + foreign + "key 0123456789abcdef, although"},
			nil,
		},
		{
			"as if from before there were seals", forged(`'before'`, `1`, first, `NULL`),
			[]string{"1: it was not made after the seal that its chain begins with"},
			[]string{"1: it was not made after the seal that its chain begins with"},
		},
		{
			"as a second one from before there were seals", append(forged(`'before'`, `1`, first, `NULL`),
				forged(`'before'`, `2`, `(SELECT digest FROM audit_seals WHERE chain = 'before')`, `NULL`)...),
			[]string{"1: it was not made after", "2: no chain", "2: " + notSigned},
			[]string{"1: it was not made after", "2: no chain"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			db, conn := trail(t)
			tamper(t, conn, tc.sql...)
			for _, limit := range []int{0, 1, 2} {
				wantFlaws(t, verify(t, db, sealKey, limit).Flaws, tc.want)
				wantFlaws(t, verify(t, db, nil, limit).Flaws, tc.unkeyed)
			}
		})
	}
}
