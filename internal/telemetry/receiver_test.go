package telemetry

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

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
	raw   []byte // everything that came, as it came once unpacked
	spans []*tracepb.Span
	logs  []*logspb.LogRecord
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if err := r.take(q); err != nil {
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
	r.mu.Lock()
	defer r.mu.Unlock()
	r.raw = append(r.raw, raw...)
	switch q.URL.Path {
	case "/v1/traces":
		var m tracecol.ExportTraceServiceRequest
		if err := proto.Unmarshal(raw, &m); err != nil {
			return err
		}
		for _, resource := range m.GetResourceSpans() {
			for _, s := range resource.GetScopeSpans() {
				r.spans = append(r.spans, s.GetSpans()...)
			}
		}
	case "/v1/logs":
		var m logscol.ExportLogsServiceRequest
		if err := proto.Unmarshal(raw, &m); err != nil {
			return err
		}
		for _, resource := range m.GetResourceLogs() {
			for _, s := range resource.GetScopeLogs() {
				r.logs = append(r.logs, s.GetLogRecords()...)
			}
		}
	}
	return nil
}

// collected starts telemetry that exports to a receiver. stop shuts it down, so
// that everything has arrived.
func collected(t *testing.T, o Options) (tel *Telemetry, out *output, r *receiver, stop func()) {
	t.Helper()
	for _, name := range silence {
		t.Setenv(name, "")
	}
	r = newReceiver(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", r.url)
	tel, out = start(t, o)
	return tel, out, r, func() {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := tel.Shutdown(ctx); err != nil {
			t.Fatalf("Shutdown: %v", err)
		}
	}
}

// span is the only one with this name.
func (r *receiver) span(t *testing.T, name string) *tracepb.Span {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []*tracepb.Span
	var names []string
	for _, s := range r.spans {
		names = append(names, s.GetName())
		if s.GetName() == name {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d spans %q, want 1, among %q", len(found), name, names)
	}
	return found[0]
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
