//go:build e2e

package e2e

import (
	"compress/gzip"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	logscol "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/proto"
)

// loki stands in for Loki: it takes what the collector sends to /otlp/v1/logs and
// keeps it. That Loki itself takes it is not shown here.
type loki struct {
	url string

	mu    sync.Mutex
	raw   []byte
	lines []line
}

// line is one log record with what it says of itself and of its sender.
type line struct {
	message, severity, trace, span string
	facts, sender                  map[string]string
}

func startLoki(t *testing.T) *loki {
	t.Helper()
	l := &loki{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /otlp/v1/logs", func(w http.ResponseWriter, r *http.Request) {
		if err := l.take(r); err != nil {
			t.Errorf("what came for Loki: %v", err)
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprintln(w, "loki_stand_in 1")
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	l.url = server.URL
	return l
}

func (l *loki) take(r *http.Request) error {
	if r.Header.Get("Content-Type") != "application/x-protobuf" || r.Header.Get("Content-Encoding") != "gzip" {
		return errors.New("neither protobuf nor gzip")
	}
	unpacked, err := gzip.NewReader(r.Body)
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	raw, err := io.ReadAll(unpacked)
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	var logs logscol.ExportLogsServiceRequest
	if err := proto.Unmarshal(raw, &logs); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.raw = append(l.raw, raw...)
	for _, resource := range logs.GetResourceLogs() {
		sender := texts(resource.GetResource().GetAttributes())
		for _, scope := range resource.GetScopeLogs() {
			for _, record := range scope.GetLogRecords() {
				l.lines = append(l.lines, line{
					message: record.GetBody().GetStringValue(), severity: record.GetSeverityText(),
					trace: hex.EncodeToString(record.GetTraceId()), span: hex.EncodeToString(record.GetSpanId()),
					facts: texts(record.GetAttributes()), sender: sender,
				})
			}
		}
	}
	return nil
}

// of are the lines with this correlation id.
func (l *loki) of(correlation string) []line {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []line
	for _, got := range l.lines {
		if got.facts["correlationId"] == correlation {
			found = append(found, got)
		}
	}
	return found
}

// everything that came, as bytes.
func (l *loki) everything() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]byte(nil), l.raw...)
}

// texts are attributes by name, whatever their type.
func texts(kvs []*commonpb.KeyValue) map[string]string {
	all := map[string]string{}
	for _, kv := range kvs {
		if text, ok := kv.GetValue().GetValue().(*commonpb.AnyValue_StringValue); ok {
			all[kv.GetKey()] = text.StringValue
		} else {
			all[kv.GetKey()] = kv.GetValue().String()
		}
	}
	return all
}
