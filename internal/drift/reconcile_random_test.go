package drift

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestReconcileOfAnything checks what holds of every outcome, on small random
// stacks where addresses, moves and values often meet.
func TestReconcileOfAnything(t *testing.T) {
	for seed := range uint64(20_000) {
		r := rand.New(rand.NewPCG(seed, 1))
		report := Report{
			Status:  []Completeness{Complete, Incomplete, Errored}[r.IntN(3)],
			Outside: r.IntN(4) > 0, Pending: r.IntN(2) > 0,
		}
		known, seen := randomStandings(r), randomSightings(r)
		out := Reconcile(&report, known, seen, noon)
		if problem := outcomeProblem(&report, known, seen, &out); problem != "" {
			t.Fatalf("Reconcile of seed %d: %s\nreport %+v\nstanding %+v\nseen %+v\noutcome %+v",
				seed, problem, report, known, seen, out)
		}
	}
}

func randomStandings(r *rand.Rand) []Standing {
	var known []Standing
	for _, k := range randomKeys(r) {
		known = append(known, Standing{
			Key: k, Status: Statuses()[r.IntN(4)], Fingerprint: fingerprintOf(r.IntN(3)),
			QuietUntil: []int64{0, noon.Unix() - 1, noon.Unix(), noon.Unix() + 1}[r.IntN(4)],
		})
	}
	return known
}

func randomSightings(r *rand.Rand) []Sighting {
	var seen []Sighting
	for _, k := range randomKeys(r) {
		s := Sighting{Key: k, Fingerprint: fingerprintOf(r.IntN(3))}
		if r.IntN(2) == 0 {
			s.PreviousAddress = fmt.Sprint("a.", r.IntN(6))
		}
		seen = append(seen, s)
	}
	return seen
}

// randomKeys are distinct.
func randomKeys(r *rand.Rand) []Key {
	var keys []Key
	for _, origin := range Origins() {
		for _, n := range r.Perm(6)[:r.IntN(7)] {
			keys = append(keys, Key{Origin: origin, Address: fmt.Sprint("a.", n)})
		}
	}
	r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	return keys
}

// outcomeProblem says what is wrong with an outcome, if anything.
func outcomeProblem(report *Report, known []Standing, seen []Sighting, out *Outcome) string {
	sightings, standings := make([]int, len(seen)), make([]int, len(known))
	for _, s := range out.Opened {
		sightings[s]++
	}
	for _, i := range out.Resolved {
		standings[i]++
		if !report.Covers(known[i].Key.Origin) {
			return fmt.Sprintf("resolves standing %d, which the report does not cover", i)
		}
	}
	open := map[Key]int{}
	for _, s := range out.Opened {
		open[seen[s].Key]++
	}
	for _, m := range slices.Concat(out.Known, out.Reopened) {
		sightings[m.Sighting]++
		standings[m.Standing]++
		if problem := matchProblem(m, &known[m.Standing], &seen[m.Sighting], slices.Contains(out.Reopened, m)); problem != "" {
			return problem
		}
		open[seen[m.Sighting].Key]++
	}
	if i := slices.IndexFunc(sightings, func(n int) bool { return n != 1 }); i >= 0 {
		return fmt.Sprintf("sighting %d is in %d lists, want 1", i, sightings[i])
	}
	for i, n := range standings {
		silent := n == 0 && !report.Covers(known[i].Key.Origin)
		if n != 1 && !silent {
			return fmt.Sprintf("standing %d is in %d lists, want 1", i, n)
		}
		if silent {
			open[known[i].Key]++
		}
	}
	for k, n := range open {
		if n > 1 {
			return fmt.Sprintf("%d drifts are open at %v, want 1", n, k)
		}
	}
	return ""
}

// matchProblem says what is wrong with one match, if anything.
func matchProblem(m Match, was *Standing, is *Sighting, reopened bool) string {
	if m.Changed != (was.Fingerprint != is.Fingerprint) || m.Moved != (was.Key != is.Key) {
		return fmt.Sprintf("match %+v does not tell what changed", m)
	}
	if m.Moved && was.Key != (Key{Origin: is.Key.Origin, Address: is.PreviousAddress}) {
		return fmt.Sprintf("match %+v joins strangers", m)
	}
	over := was.QuietUntil != 0 && !time.Unix(was.QuietUntil, 0).After(noon)
	if want := was.Status == Rejected && (m.Changed || over); reopened != want {
		return fmt.Sprintf("match %+v reopened: %t, want %t", m, reopened, want)
	}
	return ""
}
