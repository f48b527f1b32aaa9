package main

import (
	"compress/gzip"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	logscol "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	tracecol "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// receiver is a collector that takes OTLP over HTTP and keeps what came.
type receiver struct {
	url string

	mu    sync.Mutex
	raw   map[string][]byte // by path: what came, as it came once unpacked
	spans []*tracepb.Span
	logs  []*logspb.LogRecord
}

// newReceiver starts a collector. before sees every request and answers it
// itself if it returns true; nil lets all in.
func newReceiver(t *testing.T, before func(http.ResponseWriter, *http.Request) bool) *receiver {
	t.Helper()
	r := &receiver{raw: map[string][]byte{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if before != nil && before(w, q) {
			return
		}
		// Who hangs up half way has given up, as an export that shuts down does.
		if err := r.take(q); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("receive %s: %v", q.URL.Path, err)
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *receiver) take(q *http.Request) error {
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

// span is a span as a reader of traces sees it.
type span struct {
	name, trace, id, parent string
	kind                    tracepb.Span_SpanKind
	attributes              map[string]any
	links                   []string // the traces it links to
}

// received are all spans so far.
func (r *receiver) received() []span {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]span, len(r.spans))
	for i, s := range r.spans {
		all[i] = span{
			name: s.GetName(), kind: s.GetKind(), trace: hex.EncodeToString(s.GetTraceId()), id: hex.EncodeToString(s.GetSpanId()),
			parent: hex.EncodeToString(s.GetParentSpanId()), attributes: attributes(s.GetAttributes()),
		}
		for _, link := range s.GetLinks() {
			all[i].links = append(all[i].links, hex.EncodeToString(link.GetTraceId()))
		}
	}
	return all
}

// logged are all log records so far.
func (r *receiver) logged() []*logspb.LogRecord {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.logs)
}

// text is all that came to this path.
func (r *receiver) text(path string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(r.raw[path])
}

// attributes are plain values by name.
func attributes(kvs []*commonpb.KeyValue) map[string]any {
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
