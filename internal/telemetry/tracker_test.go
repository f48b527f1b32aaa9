package telemetry

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// clock is a time that tests move by hand.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func TestTrackerGroups(t *testing.T) {
	t.Parallel()
	c := &clock{at.UTC()}
	tr := newTracker(c.now)
	key := fingerprint{"INTERNAL_ERROR", "GET /x", "*pgconn.PgError"}
	var logged []int
	for i := range 130 { // one a second
		if _, news := tr.track(key, fmt.Sprintf("message %d", i), fmt.Sprintf("id-%d", i)); news {
			logged = append(logged, i)
		}
		c.at = c.at.Add(time.Second)
	}
	tr.track(fingerprint{"NOT_FOUND", "GET /x", "x"}, "other", "")
	if diff := cmp.Diff([]int{0, 60, 120}, logged); diff != "" {
		t.Errorf("logged at seconds (-want +got):\n%s", diff)
	}
	all := func(ErrorGroup) bool { return true }
	got := tr.report(all)
	if got.Total != 131 || len(got.Groups) != 2 || got.Groups[0].Code != "NOT_FOUND" {
		t.Errorf("report = %+v, want 131 errors in two groups, the newest first", got)
	}
	want := ErrorGroup{
		Fingerprint: key.hash(), Code: "INTERNAL_ERROR", Where: "GET /x", Type: "*pgconn.PgError", Message: "message 129", Count: 130,
		FirstSeen: at.UTC(), LastSeen: at.UTC().Add(129 * time.Second), CorrelationIDs: []string{"id-129", "id-128", "id-127", "id-126", "id-125"},
	}
	if diff := cmp.Diff(want, got.Groups[1]); diff != "" {
		t.Errorf("group (-want +got):\n%s", diff)
	}
}

// TestTrackerIsBounded: ten thousand different errors do not grow it past its
// bound, and none is forgotten in the total.
func TestTrackerIsBounded(t *testing.T) {
	t.Parallel()
	tr := newTracker(time.Now)
	often := fingerprint{"A", "often", "x"}
	for i := range 10_000 {
		tr.track(fingerprint{"A", fmt.Sprint(i), "x"}, "m", "")
		if i%100 == 0 {
			tr.track(often, "m", "")
		}
	}
	got := tr.report(func(ErrorGroup) bool { return true })
	if len(got.Groups) != maxGroups || got.Total != 10_100 || got.Forgotten != 10_001-maxGroups {
		t.Errorf("%d groups of %d errors, %d forgotten", len(got.Groups), got.Total, got.Forgotten)
	}
	if tr.groups[often] == nil {
		t.Error("a group that is still seen was forgotten")
	}
}

// TestErrorsOfACorrelationID is what the dossier shows.
func TestErrorsOfACorrelationID(t *testing.T) {
	t.Parallel()
	tel, _ := start(t, Options{})
	serve(api(tel), "GET", "/api/v1/summary", header("X-Correlation-ID", "abc123"))
	serve(api(tel), "GET", "/nope", header("X-Correlation-ID", "other"))
	got := tel.ErrorsOf("abc123")
	if len(got) != 1 || got[0].Where != "GET /api/v1/summary" {
		t.Errorf("ErrorsOf(abc123) = %+v", got)
	}
	if got := tel.ErrorsOf("nobody"); got == nil || len(got) != 0 {
		t.Errorf("ErrorsOf(nobody) = %v, want an empty list", got)
	}
	if got := tel.Errors(); got.Total != 2 || len(got.Groups) != 2 {
		t.Errorf("Errors() = %+v", got)
	}
}
