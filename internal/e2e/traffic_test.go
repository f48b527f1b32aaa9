//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

const (
	demo  = "cmd/driftsentry/demodata/"
	plans = "internal/terraform/testdata/plans/"

	// The upload that the test follows through everything.
	followed = "e2e:upload-1"

	// The trace of CI that the scan command is told to join.
	ciTrace, ciSpan = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
)

// traffic does once everything that people and machines do with the service,
// failures included, so that whatever can be on a dashboard is on it.
func (a *app) traffic() receipt {
	a.t.Helper()
	const get, post = http.MethodGet, http.MethodPost
	first := a.upload("prod/edge", demo+"prod-edge/plan-1.json", "X-Correlation-ID", followed)
	if len(first.Drifts) < 4 {
		a.t.Fatalf("the first upload opened %d drifts, want 4 or more", len(first.Drifts))
	}
	a.upload("prod/storage", demo+"prod-storage/plan-1.json")
	a.upload("prod/errored", plans+"aws-ec2-errored/refresh-only.json")
	a.upload("prod/targeted", plans+"made/target/refresh-only-target.json")

	said := run(a.t, []string{
		"DRIFTSENTRY_URL=" + a.url, "DRIFTSENTRY_API_KEY=" + a.key, "TRACEPARENT=00-" + ciTrace + "-" + ciSpan + "-01",
	}, "", a.binary, "scan", "--stack", "prod/clean", checkout+"/"+plans+"made/clean/refresh-only.json")
	if !strings.Contains(said, "prod/clean") {
		a.t.Errorf("driftsentry scan printed %q", said)
	}

	// People decide, so that times to acknowledge and to resolve exist.
	reason := map[string]string{"reason": "seen by the end-to-end test"}
	for i, decision := range [][]string{{"triage", "approve", "resolve"}, {"reject", "resolve"}, {"approve"}, {"triage"}} {
		for _, step := range decision {
			var body any // a triage takes none
			if step != "triage" {
				body = reason
			}
			a.must(http.StatusOK, post, "/api/v1/drifts/"+first.Drifts[i].ID+"/"+step, body)
		}
	}
	// Later scans know, resolve and open.
	for _, plan := range []string{"2", "3"} {
		a.upload("prod/edge", demo+"prod-edge/plan-"+plan+".json")
		a.upload("prod/storage", demo+"prod-storage/plan-"+plan+".json")
	}

	a.must(http.StatusOK, post, "/api/v1/auth/login", map[string]string{"email": a.email, "password": a.password}, "X-API-Key", "")
	a.must(http.StatusUnauthorized, post, "/api/v1/auth/login", map[string]string{"email": a.email, "password": "not this one"}, "X-API-Key", "")
	a.must(http.StatusUnauthorized, get, "/api/v1/drifts", nil, "X-API-Key", "")
	a.must(http.StatusBadRequest, get, "/api/v1/drifts?limit=1000", nil)
	a.must(http.StatusNotFound, get, "/api/v1/drifts/00000000-0000-0000-0000-000000000000", nil)
	a.must(http.StatusNotFound, get, "/no/such/page", nil)
	a.must(http.StatusMethodNotAllowed, http.MethodPatch, "/api/v1/drifts", nil)
	a.must(http.StatusConflict, post, "/api/v1/drifts/"+first.Drifts[0].ID+"/approve", reason)
	a.must(http.StatusBadRequest, post, "/api/v1/scans?stack=prod/edge", []byte(`{"password":"hunter2-hunter2"`))
	a.held("e2e:slow", 1500*time.Millisecond, http.StatusOK)
	a.held("e2e:failed", maximalWait+2*time.Second, http.StatusGatewayTimeout)
	a.browse()
	return first
}

// browse looks at everything there is to look at.
func (a *app) browse() {
	a.t.Helper()
	for _, page := range []string{
		"drifts", "drifts?status=detected&severity=critical", "drifts?q=aws", "stacks", "stacks/prod/edge", "summary", "scans",
		"noise?stack=prod/edge", "me", "audit", "errors", "correlations/" + followed,
	} {
		a.must(http.StatusOK, http.MethodGet, "/api/v1/"+page, nil)
	}
}

// held asks for the drifts while their table is locked for so long.
func (a *app) held(correlation string, long time.Duration, want int) {
	a.t.Helper()
	var both sync.WaitGroup
	both.Go(func() {
		pgtest.Exec(a.t, a.database, fmt.Sprintf(
			"BEGIN; LOCK TABLE drifts IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(%.1f); COMMIT", long.Seconds()))
	})
	pgtest.Exec(a.t, a.database, `DO $$ BEGIN
		WHILE NOT EXISTS (SELECT FROM pg_locks
			WHERE relation = 'drifts'::regclass AND mode = 'AccessExclusiveLock' AND granted)
		LOOP PERFORM pg_sleep(0.01); END LOOP; END $$`)
	a.must(want, http.MethodGet, "/api/v1/drifts", nil, "X-Correlation-ID", correlation)
	both.Wait()
}

// keepBusy looks around ten times a second, and uploads now and then, until it is
// told to stop.
func (a *app) keepBusy() (stop func()) {
	over, done := make(chan struct{}), make(chan struct{})
	pages := []string{"drifts", "summary", "stacks", "me"}
	go func() {
		defer close(done)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-over:
				return
			case <-tick.C:
				a.must(http.StatusOK, http.MethodGet, "/api/v1/"+pages[n%len(pages)], nil)
			}
			if n%20 == 0 {
				a.upload(fmt.Sprint("busy/", n), demo+"prod-storage/plan-1.json")
			}
		}
	}()
	return sync.OnceFunc(func() { close(over); <-done })
}
