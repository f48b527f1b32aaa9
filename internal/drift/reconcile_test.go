package drift

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// The reports that the tables use.
var (
	refreshOnly = Report{Status: Complete, Outside: true}
	normal      = Report{Status: Complete, Outside: true, Pending: true}
	targeted    = Report{Status: Incomplete, Outside: true, Pending: true}
	failed      = Report{Status: Errored, Outside: true, Pending: true}
)

func TestReconcile(t *testing.T) {
	quiet := func(s Standing, until time.Time) Standing {
		s.Status, s.QuietUntil = Rejected, until.Unix()
		return s
	}
	as := func(status Status, s Standing) Standing {
		s.Status = status
		return s
	}
	tests := []struct {
		name     string
		report   Report
		standing []Standing
		seen     []Sighting
		want     Outcome
	}{
		{"nothing at all", normal, nil, nil, Outcome{}},
		{"a first sighting opens", normal, nil, []Sighting{sighting("a", 1)}, Outcome{Opened: []int{0}}},
		{"an incomplete report opens too", targeted, nil, []Sighting{sighting("a", 1)}, Outcome{Opened: []int{0}}},
		{"an errored report opens too", failed, nil, []Sighting{sighting("a", 1)}, Outcome{Opened: []int{0}}},

		{
			"seen again", normal,
			[]Standing{standing("a", 1)},
			[]Sighting{sighting("a", 1)},
			Outcome{Known: []Match{{}}},
		},
		{
			"seen again with other values", normal,
			[]Standing{standing("a", 1)},
			[]Sighting{sighting("a", 2)},
			Outcome{Known: []Match{{Changed: true}}},
		},
		{
			"triaged stays triaged", normal,
			[]Standing{as(Triaged, standing("a", 1))},
			[]Sighting{sighting("a", 2)},
			Outcome{Known: []Match{{Changed: true}}},
		},
		{
			"approved stays approved", normal,
			[]Standing{as(Approved, standing("a", 1))},
			[]Sighting{sighting("a", 2)},
			Outcome{Known: []Match{{Changed: true}}},
		},

		{"gone from a complete report", normal, []Standing{standing("a", 1)}, nil, Outcome{Resolved: []int{0}}},
		{
			"gone whatever was decided", normal,
			[]Standing{as(Triaged, standing("a", 1)), as(Approved, standing("b", 1)), as(Rejected, standing("c", 1))},
			nil,
			Outcome{Resolved: []int{0, 1, 2}},
		},
		{"gone from an incomplete report", targeted, []Standing{standing("a", 1)}, nil, Outcome{}},
		{"gone from an errored report", failed, []Standing{standing("a", 1)}, nil, Outcome{}},
		{
			"a pending one is not in a refresh-only report", refreshOnly,
			[]Standing{pendingAt("a", 1), standing("b", 1)},
			nil,
			Outcome{Resolved: []int{1}},
		},
		{
			"nor an outside one in a report of pending changes",
			Report{Status: Complete, Pending: true},
			[]Standing{pendingAt("a", 1), standing("b", 1)},
			nil,
			Outcome{Resolved: []int{0}},
		},
		{
			"outside and pending at one address are two", normal,
			[]Standing{standing("a", 1)},
			[]Sighting{{Key: Key{Pending, "a"}, Fingerprint: fingerprintOf(1)}},
			Outcome{Opened: []int{0}, Resolved: []int{0}},
		},

		{
			"rejected and the same", normal,
			[]Standing{as(Rejected, standing("a", 1))},
			[]Sighting{sighting("a", 1)},
			Outcome{Known: []Match{{}}},
		},
		{
			"rejected until later and the same", normal,
			[]Standing{quiet(standing("a", 1), noon.Add(time.Second))},
			[]Sighting{sighting("a", 1)},
			Outcome{Known: []Match{{}}},
		},
		{
			"rejected until now", normal,
			[]Standing{quiet(standing("a", 1), noon)},
			[]Sighting{sighting("a", 1)},
			Outcome{Reopened: []Match{{}}},
		},
		{
			"rejected until earlier", failed,
			[]Standing{quiet(standing("a", 1), noon.Add(-time.Hour))},
			[]Sighting{sighting("a", 1)},
			Outcome{Reopened: []Match{{}}},
		},
		{
			"rejected and changed", normal,
			[]Standing{quiet(standing("a", 1), noon.Add(time.Hour))},
			[]Sighting{sighting("a", 2)},
			Outcome{Reopened: []Match{{Changed: true}}},
		},
		{
			"rejected for ever and changed, in an incomplete report", targeted,
			[]Standing{as(Rejected, standing("a", 1))},
			[]Sighting{sighting("a", 2)},
			Outcome{Reopened: []Match{{Changed: true}}},
		},
		{
			"rejected, expired and gone from an incomplete report", targeted,
			[]Standing{quiet(standing("a", 1), noon.Add(-time.Hour))},
			nil,
			Outcome{},
		},
		{
			"an update was rejected, now it is deleted", normal,
			[]Standing{as(Rejected, standing("a", 1))},
			[]Sighting{sighting("a", deletion)},
			Outcome{Reopened: []Match{{Changed: true}}},
		},
		{
			"a deletion that was rejected stays quiet", normal,
			[]Standing{as(Rejected, standing("a", deletion))},
			[]Sighting{sighting("a", deletion)},
			Outcome{Known: []Match{{}}},
		},

		{
			"moved", normal,
			[]Standing{standing("a", 1)},
			[]Sighting{moved("a", "b", 1)},
			Outcome{Known: []Match{{Moved: true}}},
		},
		{
			"moved and changed", normal,
			[]Standing{standing("a", 1)},
			[]Sighting{moved("a", "b", 2)},
			Outcome{Known: []Match{{Moved: true, Changed: true}}},
		},
		{
			"moved while rejected", normal,
			[]Standing{as(Rejected, standing("a", 1))},
			[]Sighting{moved("a", "b", 1)},
			Outcome{Known: []Match{{Moved: true}}},
		},
		{
			"moved, changed and no longer quiet", targeted,
			[]Standing{as(Rejected, standing("a", 1))},
			[]Sighting{moved("a", "b", 2)},
			Outcome{Reopened: []Match{{Moved: true, Changed: true}}},
		},
		{
			"the move is reported again", normal,
			[]Standing{standing("b", 1)},
			[]Sighting{moved("a", "b", 1)},
			Outcome{Known: []Match{{}}},
		},
		{"moved from where nothing was known", normal, nil, []Sighting{moved("a", "b", 1)}, Outcome{Opened: []int{0}}},
		{
			"moved from an address of the other origin", normal,
			[]Standing{pendingAt("a", 1)},
			[]Sighting{moved("a", "b", 1)},
			Outcome{Opened: []int{0}, Resolved: []int{0}},
		},
		{
			"the old address is still seen", normal,
			[]Standing{standing("a", 1)},
			[]Sighting{moved("a", "b", 2), sighting("a", 1)},
			Outcome{Opened: []int{0}, Known: []Match{{Sighting: 1}}},
		},
		{
			"two from one address", normal,
			[]Standing{standing("a", 1)},
			[]Sighting{moved("a", "b", 1), moved("a", "c", 1)},
			Outcome{Opened: []int{1}, Known: []Match{{Moved: true}}},
		},
		// What stands at the new address stays there: an address has one open drift.
		{
			"moved onto another one", normal,
			[]Standing{standing("a", 1), standing("b", 2)},
			[]Sighting{moved("a", "b", 1)},
			Outcome{Known: []Match{{Standing: 1, Changed: true}}, Resolved: []int{0}},
		},
		{
			"moved on in a chain", normal,
			[]Standing{standing("a", 1), standing("b", 2)},
			[]Sighting{moved("a", "b", 1), moved("b", "c", 2)},
			Outcome{Opened: []int{1}, Known: []Match{{Standing: 1, Changed: true}}, Resolved: []int{0}},
		},
		{
			"two change places", normal,
			[]Standing{as(Rejected, standing("a", 1)), standing("b", 2)},
			[]Sighting{moved("a", "b", 1), moved("b", "a", 2)},
			Outcome{Reopened: []Match{{Sighting: 1, Changed: true}}, Known: []Match{{Standing: 1, Changed: true}}},
		},
		{
			"an address that only looks like none", normal,
			[]Standing{standing("", 1)},
			[]Sighting{sighting("a", 1)},
			Outcome{Opened: []int{0}, Resolved: []int{0}},
		},

		{
			"all at once, in the order of the input", normal,
			[]Standing{standing("gone", 1), as(Rejected, standing("changed", 1)), standing("known", 1), as(Rejected, standing("also", 1))},
			[]Sighting{sighting("new", 1), sighting("known", 1), sighting("also", 2), sighting("newer", 1), sighting("changed", 2)},
			Outcome{
				Opened: []int{0, 3}, Known: []Match{{Standing: 2, Sighting: 1}}, Resolved: []int{0},
				Reopened: []Match{{Standing: 1, Sighting: 4, Changed: true}, {Standing: 3, Sighting: 2, Changed: true}},
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Reconcile(&test.report, test.standing, test.seen, noon)
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Reconcile(...) differs from what is wanted (-want +got):\n%s", diff)
			}
		})
	}
}

// deletion is the fingerprint of a deletion in the tables: the action counts in
// a fingerprint, so that no update's is the same.
const deletion = 99

func standing(address string, values int) Standing {
	return Standing{Key: Key{Outside, address}, Status: Detected, Fingerprint: fingerprintOf(values)}
}

func pendingAt(address string, values int) Standing {
	return Standing{Key: Key{Pending, address}, Status: Detected, Fingerprint: fingerprintOf(values)}
}

func sighting(address string, values int) Sighting {
	return Sighting{Key: Key{Outside, address}, Fingerprint: fingerprintOf(values)}
}

func moved(from, to string, values int) Sighting {
	s := sighting(to, values)
	s.PreviousAddress = from
	return s
}

func fingerprintOf(n int) Fingerprint { return Fingerprint{byte(n)} }

// BenchmarkReconcile compares a hundred thousand known drifts with as many
// sightings, of which a tenth are new, changed or moved.
func BenchmarkReconcile(b *testing.B) {
	const n = 100_000
	known := make([]Standing, n)
	seen := make([]Sighting, n)
	for i := range n {
		address := fmt.Sprintf("module.service[%q].aws_security_group.this[%d]", "eu-west-1", i)
		known[i], seen[i] = standing(address, i), sighting(address, i)
		switch i % 30 {
		case 0:
			seen[i] = sighting("new."+address, i)
		case 1:
			seen[i] = sighting(address, i+1)
		case 2:
			seen[i] = moved(address, "moved."+address, i)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		Reconcile(&normal, known, seen, noon)
	}
}
