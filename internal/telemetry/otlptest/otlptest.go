// Package otlptest is a collector for tests: it takes OTLP over HTTP and keeps
// what came, for the test to read. It forwards nothing and speaks no gRPC.
package otlptest

import (
	"compress/gzip"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	logscol "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	tracecol "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Receiver keeps what came to it.
type Receiver struct {
	// URL is what OTEL_EXPORTER_OTLP_ENDPOINT is set to.
	URL string

	mu    sync.Mutex
	raw   map[string][]byte // by path: what came, as it came once unpacked
	spans []*tracepb.Span
	logs  []*logspb.LogRecord
}

// Start starts a collector that ends with the test. before sees every request
// and answers it itself if it returns true; nil lets all in.
func Start(tb testing.TB, before func(http.ResponseWriter, *http.Request) bool) *Receiver {
	tb.Helper()
	r := &Receiver{raw: map[string][]byte{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if before != nil && before(w, q) {
			return
		}
		// Who hangs up half way has given up, as an export that shuts down does.
		if err := r.take(q); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			tb.Errorf("receive %s: %v", q.URL.Path, err)
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	tb.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

func (r *Receiver) take(q *http.Request) error {
	body := io.Reader(q.Body)
	if q.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return err
		}
		body = unpacked
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	var traces tracecol.ExportTraceServiceRequest
	var logs logscol.ExportLogsServiceRequest
	switch q.URL.Path {
	case "/v1/traces":
		err = proto.Unmarshal(raw, &traces)
	case "/v1/logs":
		err = proto.Unmarshal(raw, &logs)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.raw[q.URL.Path] = append(r.raw[q.URL.Path], raw...)
	for _, resource := range traces.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			r.spans = append(r.spans, scope.GetSpans()...)
		}
	}
	for _, resource := range logs.GetResourceLogs() {
		for _, scope := range resource.GetScopeLogs() {
			r.logs = append(r.logs, scope.GetLogRecords()...)
		}
	}
	return err
}

// Spans are all spans so far.
func (r *Receiver) Spans() []*tracepb.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.spans)
}

// Logs are all log records so far.
func (r *Receiver) Logs() []*logspb.LogRecord {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.logs)
}

// Text is all that came to these paths, to every path if none is named.
func (r *Receiver) Text(paths ...string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(paths) == 0 {
		paths = slices.Sorted(maps.Keys(r.raw))
	}
	var all strings.Builder
	for _, path := range paths {
		all.Write(r.raw[path])
	}
	return all.String()
}

// Attributes are plain values by name.
func Attributes(kvs []*commonpb.KeyValue) map[string]any {
	all := map[string]any{}
	for _, kv := range kvs {
		switch v := kv.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			all[kv.GetKey()] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			all[kv.GetKey()] = v.IntValue
		case *commonpb.AnyValue_DoubleValue:
			all[kv.GetKey()] = v.DoubleValue
		case *commonpb.AnyValue_BoolValue:
			all[kv.GetKey()] = v.BoolValue
		default:
			all[kv.GetKey()] = kv.GetValue().String()
		}
	}
	return all
}
