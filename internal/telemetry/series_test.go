package telemetry

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// TestNobodyOutsideCreatesSeries throws 10,000 random requests at the API. It
// runs alone: what the SDK counts of itself is global.
func TestNobodyOutsideCreatesSeries(t *testing.T) {
	tel, _ := start(t, Options{Level: LevelFatal})
	h := api(tel)
	random := rand.New(rand.NewPCG(1, 2))
	word := func() string { return fmt.Sprintf("x%x", random.Uint64()) }
	shower := func(n int) {
		for range n {
			method := []string{"GET", "POST", strings.ToUpper(word())}[random.IntN(3)]
			path := []string{"/" + word(), "/api/v1/drifts/" + word(), "/health/" + word(), "/api/v1/drifts/" + word() + "/approve"}[random.IntN(4)]
			serve(h, method, path+"?"+word()+"="+word(), header("User-Agent", word()), header("Traceparent", word()),
				header("X-Correlation-ID", word()), header("X-Forwarded-For", word()), header("Baggage", word()+"="+word()),
				func(r *http.Request) { r.Host = word() + ".example.com"; r.RemoteAddr = word() })
		}
	}
	shower(200)
	before := series(scrape(t, tel, ""))
	shower(10_000)
	if after := series(scrape(t, tel, "")); after > before {
		t.Errorf("%d series grew to %d", before, after)
	}
	if before > 500 {
		t.Errorf("%d series after 200 requests to five routes, want fewer", before)
	}
}

func series(scrape string) int {
	n := 0
	for line := range strings.Lines(scrape) {
		if !strings.HasPrefix(line, "#") {
			n++
		}
	}
	return n
}

// TestStacksAreFolded: the thousandth and first stack has no series of its
// own, and the oldest of the folded ones is what shows.
func TestStacksAreFolded(t *testing.T) {
	t.Parallel()
	tel, _ := start(t, Options{})
	if err := tel.Drifts(
		func(context.Context) ([]OpenDrifts, error) { panic("not now") },
		func(context.Context) ([]StackSuccess, error) {
			var rows []StackSuccess
			for i := range 3000 {
				rows = append(rows, StackSuccess{fmt.Sprintf("s%04d", i), time.Unix(int64(10_000-i), 0)})
			}
			return append(rows, StackSuccess{"", time.Unix(7500, 0)}), nil
		},
	); err != nil {
		t.Fatal(err)
	}
	got := scrape(t, tel, "")
	if n := strings.Count(got, "driftsentry_stack_last_success_timestamp_seconds{"); n != MaxStacks+1 {
		t.Errorf("%d stacks have a series, want %d", n, MaxStacks+1)
	}
	if !strings.Contains(got, `driftsentry_stack_last_success_timestamp_seconds{stack="_other"} 7001`) {
		t.Error("the folded stacks do not show the oldest")
	}
	if strings.Contains(got, "driftsentry_drifts_open{") || strings.Contains(got, "driftsentry_oldest_open_drift_age_seconds{") {
		t.Error("counts that could not be read are shown")
	}
}

// TestClosedLists: what is on no list is folded.
func TestClosedLists(t *testing.T) {
	t.Parallel()
	tel, _ := start(t, Options{ScanFormats: []string{"terraform-plan"}})
	tel.ScanDone(t.Context(), "evil", "evil")
	tel.DriftResolved(t.Context(), "evil", time.Second)
	_, done := tel.Phase(t.Context(), "evil")
	done(nil)
	for _, s := range drift.Severities() {
		tel.DriftAcknowledged(t.Context(), string(s), time.Second)
	}
	got := scrape(t, tel, "")
	if strings.Contains(got, "evil") || !strings.Contains(got, `driftsentry_scans_total{format="other",status="other"} 1`) {
		t.Error("a value on no list became a label")
	}
	if n := strings.Count(got, "driftsentry_drift_acknowledge_seconds_count{"); n != 3 {
		t.Errorf("%d severities, want 3", n)
	}
}
