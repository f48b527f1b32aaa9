package drift

import "slices"

// Status is where a drift stands in its life.
type Status string

// The statuses. Only Resolved is final.
const (
	Detected Status = "detected"
	Triaged  Status = "triaged"
	Approved Status = "approved"
	Rejected Status = "rejected"
	Resolved Status = "resolved"
)

// Statuses lists every status in the order of a drift's life.
func Statuses() []Status { return []Status{Detected, Triaged, Approved, Rejected, Resolved} }

// decisions lists what a person may make of a drift, by where it stands. The
// rest of a drift's life is a scan's or the clock's: a rejected drift goes back
// to Detected when its values change or its date passes, and any open one is
// resolved by a complete scan that no longer shows it.
var decisions = map[Status][]Status{
	Detected: {Triaged, Approved, Rejected},
	Triaged:  {Approved, Rejected},
	Approved: {Resolved},
	Rejected: {Resolved},
}

// CanBecome reports whether a person may move a drift from s to the other
// status. Staying where it is, is no decision.
func (s Status) CanBecome(to Status) bool { return slices.Contains(decisions[s], to) }
