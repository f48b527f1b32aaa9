//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

// trouble makes the failures that alerts look for, beside the healthy service: an
// instance that has lost its database and has no collector, and a collector that
// can't hand on. Prometheus then watches those as well.
func (s *stack) trouble(t *testing.T) {
	t.Helper()
	database, stopDatabase := pgtest.Server(t)
	instance := startApp(t, s.app.binary, database, "http://"+local+freePorts(t, 1)[0])
	if err := stopDatabase(); err != nil {
		t.Fatal(err)
	}
	instance.must(http.StatusServiceUnavailable, http.MethodGet, "/api/v1/drifts", nil)

	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest) // for good: an exporter does not try again
	}))
	t.Cleanup(refusing.Close)
	c := startCollector(t, s.jaeger.grpc, refusing.URL) // the query port knows no OTLP
	failed := sent{name: "GET /", method: "GET", took: time.Millisecond, failed: true}
	failed.id = id("failed", 0)
	c.send(t, "traces", spans(t, "troubled", []sent{failed}))
	c.send(t, "logs", lines(1))
	// More at once than the queue holds is refused by it. Senders of lines are told;
	// spans were taken in earlier, to wait for their decision.
	const tooMany = 100_001
	c.send(t, "traces", crowd(tooMany))
	if status, said := c.export(t, "logs", lines(tooMany)); status != http.StatusServiceUnavailable {
		t.Errorf("export of %d lines = %d %s, want 503", tooMany, status, said)
	}

	both := *c
	both.metrics = s.collector.metrics + ", " + c.metrics
	s.prometheus.scrape(t, s.app.url+", "+instance.url, &both, s)
	if err := s.prometheus.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	// Rates need a failure between two scrapes.
	await(t, "the troubled instance scraped", func() error {
		found, err := s.query(t, fmt.Sprintf("up{instance=%q} == 1", strings.TrimPrefix(instance.url, "http://")))
		if err == nil && len(found) != 1 {
			err = fmt.Errorf("not up")
		}
		return err
	})
	instance.must(http.StatusServiceUnavailable, http.MethodGet, "/api/v1/drifts", nil)
}

// lines is an export of n empty log records.
func lines(n int) map[string]any {
	records := make([]any, n)
	for i := range records {
		records[i] = struct{}{}
	}
	return map[string]any{"resourceLogs": []any{map[string]any{"scopeLogs": []any{map[string]any{"logRecords": records}}}}}
}

// crowd is an export of one failed trace of n spans.
func crowd(n int) map[string]any {
	one := map[string]any{"traceId": id("crowd", 0), "spanId": id("crowd", 0)[:16], "status": map[string]any{"code": 2}}
	all := make([]any, n)
	for i := range all {
		all[i] = one
	}
	return map[string]any{"resourceSpans": []any{map[string]any{"scopeSpans": []any{map[string]any{"spans": all}}}}}
}
