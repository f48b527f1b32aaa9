//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestStack is the whole way from a request to the answers a person gets about it.
// Its parts look at the same traffic, one after the other.
//
//nolint:tparallel // its parts look at the same traffic, in this order
func TestStack(t *testing.T) {
	t.Parallel()
	s := startStack(t)
	first := s.app.traffic()
	defer s.app.keepBusy()() // not t.Cleanup: its requests end with t.Context()
	t.Run("trace by correlation id", func(t *testing.T) { s.trace(t, first) })
	t.Run("log lines by correlation id", func(t *testing.T) { s.lines(t, first) })
	t.Run("errors and slow requests", s.troubled)
	t.Run("targets", s.targets)
	t.Run("exemplars", s.exemplars)
	t.Run("dashboards", s.dashboards)
	t.Run("trace of the scan command", s.scanCommand)
	t.Run("no secret", s.noSecret)
	t.Run("rules", s.rules) // last: it makes trouble
}

// trace finds the upload in Jaeger as a person does who has nothing but the id from
// an error report, and looks for HTTP, what the service did, and SQL in it.
func (s *stack) trace(t *testing.T, first receipt) {
	t.Helper()
	var found trace
	await(t, "the upload's trace in Jaeger", func() error {
		traces := s.jaeger.search(t, "driftsentry", "correlation_id", followed)
		if len(traces) != 1 {
			return fmt.Errorf("%d traces", len(traces))
		}
		found = traces[0]
		return nil
	})
	if first.CorrelationID != followed || first.TraceID != found.TraceID {
		t.Errorf("the receipt says %s and %s, Jaeger has %s", first.CorrelationID, first.TraceID, found.TraceID)
	}
	known := map[string]bool{}
	for _, got := range found.Spans {
		known[got.SpanID] = true
		if got.tag("correlation_id") != followed || len(got.Warnings) > 0 {
			t.Errorf("span %s: correlation_id %q, warnings %q", got.OperationName, got.tag("correlation_id"), got.Warnings)
		}
	}
	roots := 0
	for _, got := range found.Spans {
		if len(got.References) == 0 {
			roots++
		}
		for _, r := range got.References {
			if r.RefType == "CHILD_OF" && !known[r.SpanID] {
				t.Errorf("span %s hangs under no other", got.OperationName)
			}
		}
	}
	if roots != 1 {
		t.Errorf("%d spans without a parent, want 1", roots)
	}
	for name, tags := range map[string]map[string]string{
		"POST /api/v1/scans": {
			"span.kind": "server", "http.request.method": "POST", "http.route": "/api/v1/scans", "http.response.status_code": "201",
		},
		"scan parse":     {"driftsentry.drifts": "4"},
		"scan reconcile": {"driftsentry.opened": "4"},
		"scan store":     {},
		"InsertScan": {
			"span.kind": "client", "db.system.name": "postgresql", "db.operation.name": "INSERT", "db.collection.name": "scans",
		},
	} {
		spans := found.named(name)
		if len(spans) != 1 {
			t.Errorf("%d spans called %q, want 1", len(spans), name)
			continue
		}
		for key, want := range tags {
			if got := spans[0].tag(key); got != want {
				t.Errorf("span %s has %s = %q, want %q", name, key, got, want)
			}
		}
	}
	t.Logf("GET /api/traces?service=driftsentry&tags={\"correlation_id\":%q}\n%s", followed, abridged(t, found))
}

// abridged is the trace as JSON of a length to be read, in order of time and without
// what only prepares a statement.
func abridged(t *testing.T, full trace) string {
	t.Helper()
	interesting := map[string]bool{
		"correlation_id": true, "span.kind": true, "http.request.method": true, "http.route": true, "http.response.status_code": true,
		"db.operation.name": true, "db.collection.name": true, "driftsentry.drifts": true, "driftsentry.opened": true,
	}
	type row struct {
		Span, Parent, Name string
		Microseconds       int64
		Tags               map[string]any
	}
	short := struct {
		TraceID string
		Spans   []row
	}{TraceID: full.TraceID}
	slices.SortFunc(full.Spans, func(a, b span) int { return cmp.Compare(a.StartTime, b.StartTime) })
	for _, s := range full.Spans {
		if strings.HasPrefix(s.OperationName, "PREPARE ") {
			continue
		}
		r := row{Span: s.SpanID, Name: s.OperationName, Microseconds: s.Duration, Tags: map[string]any{}}
		for _, ref := range s.References {
			r.Parent = ref.SpanID
		}
		for _, tag := range s.Tags {
			if interesting[tag.Key] {
				r.Tags[tag.Key] = tag.Value
			}
		}
		short.Spans = append(short.Spans, r)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "{\"traceID\":%q,\"spans\":[\n", short.TraceID)
	for _, r := range short.Spans {
		one, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "  %s\n", one)
	}
	return text.String() + "]}"
}

// lines finds the log lines of the same id, each leading to the same trace.
func (s *stack) lines(t *testing.T, first receipt) {
	t.Helper()
	await(t, "the upload's lines", func() error {
		for _, got := range s.loki.of(followed) {
			if got.message == "Request completed" {
				return nil
			}
		}
		return fmt.Errorf("%d lines, none of them the last", len(s.loki.of(followed)))
	})
	for _, got := range s.loki.of(followed) {
		if got.trace != first.TraceID {
			t.Errorf("line %q leads to trace %s, want %s", got.message, got.trace, first.TraceID)
		}
		if got.sender["service.name"] != "driftsentry" || got.sender["deployment.environment.name"] != "production" {
			t.Errorf("line %q comes from %v", got.message, got.sender)
		}
	}
}

// troubled finds the request that failed and the one that was slow by their ids.
func (s *stack) troubled(t *testing.T) {
	for correlation, want := range map[string]struct{ message, tag, value string }{
		"e2e:failed": {"Request error", "error", "true"},
		"e2e:slow":   {"Slow request detected", "http.response.status_code", "200"},
	} {
		await(t, correlation, func() error {
			traces := s.jaeger.search(t, "driftsentry", "correlation_id", correlation)
			if len(traces) != 1 {
				return fmt.Errorf("%d traces", len(traces))
			}
			server := traces[0].named("GET /api/v1/drifts")
			if len(server) != 1 || server[0].tag(want.tag) != want.value || server[0].Duration < 1e6 {
				t.Errorf("%s: %+v, want one span of a second or more with %s = %s", correlation, server, want.tag, want.value)
			}
			for _, got := range s.loki.of(correlation) {
				if got.message == want.message {
					return nil
				}
			}
			return fmt.Errorf("no line %q", want.message)
		})
	}
}

// scanCommand is the upload as CI does it: the service has joined CI's trace.
func (s *stack) scanCommand(t *testing.T) {
	await(t, "CI's trace in Jaeger", func() error {
		if !s.jaeger.has(t, ciTrace) {
			return fmt.Errorf("no trace %s", ciTrace)
		}
		return nil
	})
}

// noSecret looks for the credentials of this run wherever telemetry ends up.
func (s *stack) noSecret(t *testing.T) {
	metrics, err := fetch(t, s.app.url+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	errors := s.app.do(http.MethodGet, "/api/v1/errors", nil).body
	places := map[string][]byte{
		"Jaeger": s.jaeger.raw(t, "driftsentry"), "what came for Loki": s.loki.everything(), "standard output": []byte(s.app.log.String()),
		"/metrics": metrics, "/api/v1/errors": errors,
	}
	for place, text := range places {
		if len(text) < 100 {
			t.Errorf("nothing to look through in %s", place)
		}
		for i, secret := range append([]string{"hunter2-hunter2"}, s.app.secrets...) {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("secret %d is in %s", i, place)
			}
		}
	}
}
