//go:build e2e

package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// sent is a trace of one span.
type sent struct {
	id, name, method string
	took             time.Duration
	failed           bool
}

// id is a trace id, the same one in every run: which of the fast ones are kept is
// then no chance.
func id(kind string, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", kind, n))
	return hex.EncodeToString(sum[:16])
}

// spans is the body of an OTLP export in JSON.
func spans(t *testing.T, service string, all []sent) map[string]any {
	t.Helper()
	var list []any
	for _, s := range all {
		span := map[string]any{
			"traceId": s.id, "spanId": s.id[:16], "name": s.name, "kind": 2, "startTimeUnixNano": nano(time.Now().Add(-s.took)),
			"endTimeUnixNano": nano(time.Now()),
		}
		if s.method != "" {
			span["attributes"] = []any{attribute("http.request.method", s.method)}
		} else {
			span["parentSpanId"], span["kind"] = id("parent", 0)[:16], 1
		}
		if s.failed {
			span["status"] = map[string]any{"code": 2}
		}
		list = append(list, span)
	}
	return map[string]any{"resourceSpans": []any{map[string]any{
		"resource":   map[string]any{"attributes": []any{attribute("service.name", service)}},
		"scopeSpans": []any{map[string]any{"spans": list}},
	}}}
}

func attribute(key, value string) map[string]any {
	return map[string]any{"key": key, "value": map[string]any{"stringValue": value}}
}

func nano(at time.Time) string { return strconv.FormatInt(at.UnixNano(), 10) }

// send exports to the collector, which must take it.
func (c *collector) send(t *testing.T, signal string, body any) {
	t.Helper()
	if status, said := c.export(t, signal, body); status != http.StatusOK {
		t.Fatalf("export of %s = %d %s", signal, status, said)
	}
}

// export hands it to the collector, which may refuse it.
func (c *collector) export(t *testing.T, signal string, body any) (int, []byte) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.otlp+"/v1/"+signal, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := outside.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, said
}
