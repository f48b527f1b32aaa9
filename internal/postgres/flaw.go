package postgres

import (
	"fmt"
	"regexp"

	"github.com/google/uuid"
)

// FlawKind sorts flaws, for programs.
type FlawKind string

// What can be wrong with the audit trail.
const (
	SealMissing    FlawKind = "seal_missing"
	SealChanged    FlawKind = "seal_changed" // or made up, or put elsewhere
	SealUnsigned   FlawKind = "seal_unsigned"
	SealForeign    FlawKind = "seal_foreign" // signed with a key that is not the service's
	ChainUnknown   FlawKind = "chain_unknown"
	EventsChanged  FlawKind = "events_changed" // or added, or removed
	EventsUnsealed FlawKind = "events_unsealed"
	Unguarded      FlawKind = "unguarded" // the database would let the trail be changed
)

// Flaw is something in the audit trail that the service did not write. Chain
// and Seq are zero where it is not known to which chain it belongs, and Seal is
// Nil for a seal that is not there.
type Flaw struct {
	Kind  FlawKind
	Chain string
	Seq   int64
	Seal  uuid.UUID
	// Count is 1, or how many seals this is said of, of which the first is named:
	// what is probably one cause is told once.
	Count int64
	What  string // for people
	// group is the same for flaws that are told once; empty for all others.
	group string
}

// Add adds the part that follows: the sum then says what both are like.
func (v *Verification) Add(part *Verification) {
	v.Seals, v.Events = v.Seals+part.Seals, v.Events+part.Events
	v.Unsigned, v.ForeignKey = v.Unsigned+part.Unsigned, v.ForeignKey+part.ForeignKey
	for _, f := range part.Flaws {
		v.tell(f)
	}
	v.SignaturesChecked, v.Next, v.Done, v.Head = part.SignaturesChecked, part.Next, part.Done, part.Head
}

func (v *Verification) tell(f Flaw) {
	if n, told := v.groups[f.group]; told {
		v.Flaws[n].Count += f.Count
		return
	}
	if f.group != "" {
		if v.groups == nil {
			v.groups = make(map[string]int)
		}
		v.groups[f.group] = len(v.Flaws)
	}
	v.Flaws = append(v.Flaws, f)
}

// flaw tells one thing about one seal.
func (v *verifier) flaw(kind FlawKind, s *sealed, what string) { v.flaws(kind, "", s, what) }

// flaws is flaw for what is said of all seals of a group together.
func (v *verifier) flaws(kind FlawKind, group string, s *sealed, what string) {
	if group != "" {
		group = string(kind) + " " + group
	}
	v.tell(Flaw{Kind: kind, Chain: s.chain, Seq: s.seq, Seal: s.id, Count: 1, What: what, group: group})
}

var ourKeyID = regexp.MustCompile(`^[0-9a-f]{16}$`)

// keyName is a key's id for people. It may be anything that somebody wrote there.
func keyName(id string) string {
	if ourKeyID.MatchString(id) {
		return "key " + id
	}
	return fmt.Sprintf("key %.40q", id)
}
