package postgres

import (
	"bytes"
	"crypto/hmac"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// stacksOf lists the stacks that chains of seals are named after.
func stacksOf(seals []sealed) []uuid.UUID {
	var ids []uuid.UUID
	for i := range seals {
		if i > 0 && seals[i].chain == seals[i-1].chain {
			continue
		}
		if id, ok := stackOf(seals[i].chain); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// stackOf takes the one spelling of an id that the service writes.
func stackOf(chain string) (uuid.UUID, bool) {
	id, err := uuid.Parse(strings.TrimPrefix(chain, stackChain))
	return id, err == nil && chain == stackChain+id.String()
}

// name looks whether the service has such a chain.
func (v *verifier) name(s *sealed, stacks map[uuid.UUID]bool) {
	if id, ok := stackOf(s.chain); ok {
		if !stacks[id] {
			v.flaw(ChainUnknown, s, "no chain of the service's is called that: there is no such stack")
		}
		return
	}
	lane, err := strconv.Atoi(strings.TrimPrefix(s.chain, laneChain))
	switch {
	case err == nil && lane >= 0 && lane < accountLanes && s.chain == laneChain+strconv.Itoa(lane):
	case s.chain == chainBefore && s.seq == 1:
	case s.chain == chainBefore:
		v.flaw(ChainUnknown, s, "no chain of the service's goes on from there: this one has a single seal")
	default:
		v.flaw(ChainUnknown, s, "no chain of the service's is called that")
	}
}

// link compares a seal with the one that comes before it in the table.
func (v *verifier) link(before, s *sealed) {
	last, previous := before.seq, before.digest
	if before.chain != s.chain {
		last, previous = 0, v.genesis
		if s.chain == chainBefore {
			previous = noSeal
		}
	}
	switch {
	case s.seq == last+2:
		v.flaw(SealMissing, &sealed{chain: s.chain, seq: last + 1}, "the seal is missing")
	case s.seq != last+1:
		v.flaw(SealMissing, &sealed{chain: s.chain, seq: last + 1}, fmt.Sprintf("the seals up to number %d are missing", s.seq-1))
	case previous == nil:
		v.flaw(SealMissing, before, "the seal is missing that was there a moment ago")
	case s.seq == 1 && !bytes.Equal(s.previous, previous):
		v.flaws(SealChanged, "first", s, "it was not made after the seal that its chain begins with, the one of chain "+chainBefore+" if there is any")
	case !bytes.Equal(s.previous, previous):
		v.flaw(SealChanged, s, "it was not made after the seal before it")
	}
}

// check compares a seal with itself and with its events.
func (v *verifier) check(s *sealed, found eventsFound) {
	v.Seals++
	v.Events += found.events
	digest := s.computeDigest()
	if !bytes.Equal(digest, s.digest) {
		v.flaw(SealChanged, s, "the seal has been changed")
	}
	if s.keyID == nil {
		v.unsigned(s)
	} else {
		v.signed(s, *s.keyID, digest)
	}
	switch n := found.events - s.events; {
	case n < 0:
		v.flaw(EventsChanged, s, fmt.Sprintf("%d of its %d events are missing", -n, s.events))
	case n > 0:
		v.flaw(EventsChanged, s, fmt.Sprintf("it has %d events more than the %d it was made for", n, s.events))
	case !bytes.Equal(found.digest, s.eventsDigest):
		v.flaw(EventsChanged, s, fmt.Sprintf("among its %d events are other ones than it was made for", s.events))
	}
}

// unsigned looks at a seal without a signature. After a signed one of the same
// chain there is none: a service that has a key does not lose it again.
func (v *verifier) unsigned(s *sealed) {
	v.Unsigned++
	switch {
	case v.signedWith != "":
		v.flaws(SealUnsigned, "after "+s.chain, s, "it is not signed, although seals before it in its chain are")
	case v.SignaturesChecked && (s.chain != chainBefore || s.seq != 1):
		v.flaws(SealUnsigned, s.chain, s, "it is not signed: it was made without the service's key")
	}
}

// signed looks at the signature of a seal whose digest should be this.
func (v *verifier) signed(s *sealed, keyID string, digest []byte) {
	key, known := v.keys[keyID]
	_, knownBefore := v.keys[v.signedWith]
	v.signedWith = keyID
	switch {
	case known && !hmac.Equal(sealMAC(key, digest), s.mac):
		v.flaw(SealChanged, s, "it is not signed with the service's key")
	case known:
		return
	case knownBefore:
		v.flaws(SealForeign, keyID+" "+s.chain, s, "it is signed with "+keyName(keyID)+", although seals before it in its chain are with the service's")
	case v.SignaturesChecked:
		// Told once for all chains: it may be the service's own former key.
		v.flaws(SealForeign, keyID, s, "it is signed with "+keyName(keyID)+", which is not the service's: it cannot be checked")
	}
	if !known {
		v.ForeignKey++
	}
}
