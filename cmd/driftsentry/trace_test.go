package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/driftsentry/driftsentry/internal/telemetry/otlptest"
)

const (
	callersTrace = "0af7651916cd43dd8448eb211c80319c"
	callersSpan  = "b7ad6b7169203331"
	traceparent  = "00-" + callersTrace + "-" + callersSpan + "-01"
)

// TestOneUploadInOneTrace follows a CI job's upload through everything that tells
// of it: the answer, the rows, the spans, the log lines over OTLP and on stdout,
// the exemplars. One correlation id and one trace id run through all of them, and
// the trace is the job's own: its key vouches for it.
func TestOneUploadInOneTrace(t *testing.T) {
	t.Parallel()
	collector := otlptest.Start(t, nil)
	h := program(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL)
	const correlation = "ci-run:42"
	a := h.do(http.MethodPost, "/api/v1/scans?stack=prod/edge", bytes.NewReader(demoPlan(t, "prod-edge/plan-1.json")),
		"X-Correlation-ID", correlation, "traceparent", traceparent)
	timing := regexp.MustCompile(`^trace;desc="00-([0-9a-f]{32})-([0-9a-f]{16})-01"$`).FindStringSubmatch(a.header.Get("Server-Timing"))
	if a.status != http.StatusCreated || timing == nil || a.header.Get("X-Correlation-ID") != correlation {
		t.Fatalf("upload = %d, Server-Timing %q, X-Correlation-ID %q", a.status, a.header.Get("Server-Timing"), a.header.Get("X-Correlation-ID"))
	}
	trace := timing[1]
	if trace != callersTrace {
		t.Errorf("the upload is in trace %s, want the caller's, %s", trace, callersTrace)
	}
	rowsTell(h, a.body, correlation, trace)
	scrape := h.do(http.MethodGet, "/metrics", nil, "Accept", "application/openmetrics-text; version=1.0.0")
	if code := h.stop(); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, h.out)
	}

	var ours []span
	known := map[string]bool{}
	for _, s := range received(collector) {
		if id, _ := s.attributes["correlation_id"].(string); id == "" {
			t.Errorf("span %s has no correlation_id", s.name)
		}
		known[s.trace] = true
		if s.trace == trace {
			ours = append(ours, s)
		}
	}
	checkUploadTrace(t, ours, correlation, timing[2])
	checkLines(t, h, collector, correlation, trace)
	exemplars := regexp.MustCompile(`# \{[^}]*trace_id="([0-9a-f]*)"`).FindAllStringSubmatch(string(scrape.body), -1)
	for _, e := range exemplars {
		if !known[e[1]] {
			t.Errorf("an exemplar leads to trace %s, which nobody received", e[1])
		}
	}
	leads := regexp.MustCompile(`http_request_duration_ms_bucket\{[^}]*path="/api/v1/scans"[^\n]*trace_id="` + trace + `"`)
	if len(exemplars) == 0 || !leads.Match(scrape.body) {
		t.Errorf("%d exemplars, none from the upload's duration to its trace", len(exemplars))
	}
}

// rowsTell checks that the ids are on whatever the upload wrote.
func rowsTell(h *house, body []byte, correlation, trace string) {
	h.t.Helper()
	type ids struct{ CorrelationID, TraceID string }
	want := ids{correlation, trace}
	var r receipt
	if err := json.Unmarshal(body, &r); err != nil {
		h.t.Fatal(err)
	}
	if got := (ids{r.CorrelationID, r.TraceID}); got != want {
		h.t.Errorf("receipt: %+v, want %+v", got, want)
	}
	if got := get[ids](h, "/api/v1/scans/"+r.ID); got != want {
		h.t.Errorf("scan: %+v, want %+v", got, want)
	}
	if got := get[ids](h, "/api/v1/drifts/"+r.Drifts[0].ID); got != want {
		h.t.Errorf("drift: %+v, want %+v", got, want)
	}
	for _, got := range get[listOf[ids]](h, "/api/v1/drifts/"+r.Drifts[0].ID+"/timeline").Items {
		if got != want {
			h.t.Errorf("event: %+v, want %+v", got, want)
		}
	}
}

// checkUploadTrace holds the upload's spans against what a reader needs.
func checkUploadTrace(t *testing.T, spans []span, correlation, serverID string) {
	t.Helper()
	byID, byName := map[string]span{}, map[string][]span{}
	for _, s := range spans {
		byID[s.id], byName[s.name] = s, append(byName[s.name], s)
		if s.attributes["correlation_id"] != correlation {
			t.Errorf("span %s has correlation_id %v, want %s", s.name, s.attributes["correlation_id"], correlation)
		}
	}
	server, ok := byID[serverID]
	if !ok || server.name != "POST /api/v1/scans" || server.kind != tracepb.Span_SPAN_KIND_SERVER || server.parent != callersSpan ||
		len(server.links) != 0 {
		t.Fatalf("the span that Server-Timing names = %+v, want the server's, under the caller's", server)
	}
	wanted := map[string]any{
		"http.request.method": "POST", "http.route": "/api/v1/scans", "http.response.status_code": int64(201),
		"url.path": "/api/v1/scans", "url.scheme": "http", "server.address": "127.0.0.1", "client.address": "127.0.0.1",
		"network.protocol.version": "1.1", "user_agent.original": "Go-http-client/1.1",
	}
	if diff := cmp.Diff(wanted, some(server.attributes, wanted)); diff != "" {
		t.Errorf("server span's attributes (-want +got):\n%s", diff)
	}
	for phase, facts := range map[string]map[string]any{
		"scan parse":     {"driftsentry.drifts": int64(4)},
		"scan reconcile": {"driftsentry.opened": int64(4), "driftsentry.known": int64(0), "driftsentry.resolved": int64(0)},
		"scan store":     {"driftsentry.opened": int64(4), "driftsentry.resolved": int64(0)},
	} {
		found := byName[phase]
		if len(found) != 1 || found[0].parent != serverID || !cmp.Equal(some(found[0].attributes, facts), facts) {
			t.Errorf("phase %q = %+v, want one under the server's span with %v", phase, found, facts)
		}
	}
	queries := 0
	for _, s := range spans {
		if _, ok := byID[s.parent]; !ok && s.id != serverID {
			t.Errorf("span %s hangs under no other", s.name)
		}
		if s.kind != tracepb.Span_SPAN_KIND_CLIENT {
			continue
		}
		queries++
		if s.attributes["db.system.name"] != "postgresql" || s.attributes["db.namespace"] == nil || s.attributes["server.address"] == nil {
			t.Errorf("query %s = %v, want which database, and where", s.name, s.attributes)
		}
	}
	for _, name := range []string{"LockStack", "NoisePrints", "InsertScan", "COPY drifts"} {
		s := byName[name]
		if len(s) != 1 || s[0].attributes["db.operation.name"] == nil || s[0].attributes["db.query.text"] == nil ||
			s[0].attributes["db.collection.name"] == nil {
			t.Errorf("query %s = %+v, want one, with operation, table and text", name, s)
		}
	}
	t.Logf("%d spans, %d of them SQL: %q", len(spans), queries, slices.Collect(names(spans)))
}

// some are those of all that wanted names.
func some(all, wanted map[string]any) map[string]any {
	found := map[string]any{}
	for name := range wanted {
		if v, ok := all[name]; ok {
			found[name] = v
		}
	}
	return found
}

func names(spans []span) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, s := range spans {
			if !yield(s.name) {
				return
			}
		}
	}
}

// checkLines compares the request's lines on stdout with those the collector got.
func checkLines(t *testing.T, h *house, collector *otlptest.Receiver, correlation, trace string) {
	t.Helper()
	var printed, sent []string
	for line := range strings.Lines(h.out.String()) {
		var l struct{ Msg, Level, CorrelationID, TraceID, SpanID string }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		if l.CorrelationID == correlation {
			printed = append(printed, fmt.Sprint(l.Level, l.Msg, l.TraceID, l.SpanID))
		}
	}
	for _, record := range collector.Logs() {
		if otlptest.Attributes(record.GetAttributes())["correlationId"] != correlation {
			continue
		}
		id := hex.EncodeToString(record.GetTraceId())
		if id != trace {
			t.Errorf("log record %q has trace %s, want %s", record.GetBody().GetStringValue(), id, trace)
		}
		sent = append(sent, fmt.Sprint(record.GetSeverityText(), record.GetBody().GetStringValue(), id, hex.EncodeToString(record.GetSpanId())))
	}
	if diff := cmp.Diff(printed, sent); diff != "" || len(sent) < 2 {
		t.Errorf("lines (-stdout +OTLP):\n%s\n%d over OTLP", diff, len(sent))
	}
}

// TestAStrangersTraceIsLinked and not joined: whoever has no credential does not
// choose our trace ids, nor which of them are kept.
func TestAStrangersTraceIsLinked(t *testing.T) {
	t.Parallel()
	collector := otlptest.Start(t, nil)
	h := program(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL)
	for _, key := range []string{"", someKey(), "junk"} {
		a := h.do(http.MethodGet, "/api/v1/stacks", nil, "traceparent", traceparent, "X-API-Key", key)
		if timing := a.header.Get("Server-Timing"); a.status != http.StatusUnauthorized || timing == "" || strings.Contains(timing, callersTrace) {
			t.Errorf("a stranger with key %q = %d in %q, want 401 in a trace of our own", key, a.status, timing)
		}
	}
	if code := h.stop(); code != exitOK {
		t.Errorf("exit code %d\n%s", code, h.out)
	}
	linked := 0
	for _, s := range received(collector) {
		if s.name == "GET /api/v1/stacks" && s.parent == "" && slices.Equal(s.links, []string{callersTrace}) {
			linked++
		}
	}
	if linked != 3 {
		t.Errorf("%d spans linked to the stranger's trace, want 3", linked)
	}
}

// TestATrustedProxysTraceIsJoined: with the proxy's trace id, under its span,
// and only if it wants the trace kept.
func TestATrustedProxysTraceIsJoined(t *testing.T) {
	t.Parallel()
	collector := otlptest.Start(t, nil)
	h := program(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL, "TRUSTED_PROXIES=127.0.0.0/8")
	a := h.do(http.MethodGet, "/api/v1/stacks", nil, "traceparent", traceparent)
	if timing := a.header.Get("Server-Timing"); !strings.Contains(timing, callersTrace) {
		t.Errorf("Server-Timing %q, want the caller's trace", timing)
	}
	const unsampled = "1af7651916cd43dd8448eb211c80319c"
	a = h.do(http.MethodGet, "/api/v1/stacks", nil, "traceparent", "00-"+unsampled+"-"+callersSpan+"-00")
	if timing := a.header.Get("Server-Timing"); !strings.Contains(timing, unsampled) || !strings.HasSuffix(timing, `-00"`) {
		t.Errorf("Server-Timing %q, want the caller's trace, unsampled", timing)
	}
	if code := h.stop(); code != exitOK {
		t.Errorf("exit code %d\n%s", code, h.out)
	}
	joined := 0
	for _, s := range received(collector) {
		if s.trace == unsampled {
			t.Errorf("span %s of a trace that is not kept", s.name)
		}
		if s.trace == callersTrace && s.parent == callersSpan && s.name == "GET /api/v1/stacks" && len(s.links) == 0 {
			joined++
		}
	}
	if joined != 1 {
		t.Errorf("%d spans under the caller's, want 1, in %+v", joined, received(collector))
	}
}
