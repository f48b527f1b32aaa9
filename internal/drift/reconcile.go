package drift

import "time"

// Match joins a stored drift to what the report says of it.
type Match struct {
	Standing int  // index into the standing drifts
	Sighting int  // index into the sightings
	Changed  bool // the values are not those we knew
	Moved    bool // the code gave the resource another address
}

// Outcome is what a report means for one stack. Every sighting is in Opened,
// Known or Reopened, exactly once. Every standing drift is in Known, Reopened or
// Resolved at most once: in none when a report that can't tell is silent about it.
type Outcome struct {
	Opened   []int // indices into the sightings
	Known    []Match
	Reopened []Match // rejected before, and no longer quiet
	Resolved []int   // indices into the standing drifts
}

// Reconcile compares the open drifts of a stack with what a report shows.
//
// A drift the report no longer shows is resolved when the report covers its
// origin. A rejected one stays quiet while its values stay the same and its
// date has not passed, and is reopened otherwise. A moved resource keeps its
// drift. Sightings must have distinct keys, and standing drifts as well.
func Reconcile(report *Report, standing []Standing, seen []Sighting, now time.Time) Outcome {
	byKey := make(map[Key]int, len(standing))
	for i := range standing {
		byKey[standing[i].Key] = i
	}
	const unseen = -1
	sightingOf := make([]int, len(standing))
	for i := range sightingOf {
		sightingOf[i] = unseen
	}

	// Addresses first, moves second. A plan repeats its moves until it is
	// applied, and from the second time on the drift stands at the new address
	// already. The price: when resources swap addresses, or move along a chain,
	// a drift stays with its address.
	var strangers []int
	for s := range seen {
		if i, ok := byKey[seen[s].Key]; ok {
			sightingOf[i] = s
		} else {
			strangers = append(strangers, s)
		}
	}
	var out Outcome
	for _, s := range strangers {
		old := Key{Origin: seen[s].Key.Origin, Address: seen[s].PreviousAddress}
		if i, ok := byKey[old]; ok && old.Address != "" && sightingOf[i] == unseen {
			sightingOf[i] = s
		} else {
			out.Opened = append(out.Opened, s)
		}
	}

	for i := range standing {
		was, s := &standing[i], sightingOf[i]
		if s == unseen {
			if report.Covers(was.Key.Origin) {
				out.Resolved = append(out.Resolved, i)
			}
			continue
		}
		m := Match{
			Standing: i, Sighting: s,
			Changed: was.Fingerprint != seen[s].Fingerprint,
			Moved:   was.Key != seen[s].Key,
		}
		if was.Status == Rejected && (m.Changed || was.expired(now)) {
			out.Reopened = append(out.Reopened, m)
		} else {
			out.Known = append(out.Known, m)
		}
	}
	return out
}

// expired reports whether a rejection with an end has reached it.
func (s *Standing) expired(now time.Time) bool {
	return s.QuietUntil != 0 && s.QuietUntil <= now.Unix()
}
