//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSecondNet: what the service's own redaction would have missed, or another
// sender's lack of one, ends in the collector.
func TestSecondNet(t *testing.T) {
	t.Parallel()
	j, l := startJaeger(t), startLoki(t)
	c := startCollector(t, j.otlp, l.url)
	// Made up, each in the shape of its kind.
	secrets := map[string]string{
		"JWT":      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
		"API key":  "dsk_Ab3dEf6h_" + strings.Repeat("Zq9", 14),
		"refresh":  "dsr_" + strings.Repeat("Zq8", 14),
		"cloud":    "AKIA" + "QWERTYUIOPASDFGH",
		"forge":    "ghp_" + strings.Repeat("a1B2", 9),
		"URL":      "postgres://app:swordfish-9@db.internal/app",
		"header":   "Authorization: Bearer abcdef0123456789abcdef",
		"keyValue": "host=db password=swordfish-8 user=app",
		"PEM":      "-----BEGIN RSA PRIVATE KEY-----\nc3dvcmRmaXNoLTc=\n-----END RSA PRIVATE KEY-----",
	}
	core := []string{"dozjgNryP4J3jVmNHl0w5N", "Zq9Zq9", "Zq8Zq8", "QWERTYUIOP", "a1B2a1B2", "swordfish", "0123456789abcdef", "c3dvcmRmaXNoLTc"}
	attributes := []any{
		attribute("db.password", "swordfish-1"), attribute("http.request.header.authorization", "swordfish-2"),
		attribute("client_secret", "swordfish-3"), attribute("harmless", "stays as it is"),
		map[string]any{"key": "nested", "value": map[string]any{"kvlistValue": map[string]any{"values": []any{attribute("password", "swordfish-4")}}}},
	}
	for name, secret := range secrets {
		attributes = append(attributes, attribute("note."+name, "before "+secret+" after"))
	}
	trace := id("leak", 1)
	span := map[string]any{
		"traceId": trace, "spanId": trace[:16], "name": "connect " + secrets["URL"], "kind": 2, "attributes": attributes,
		"startTimeUnixNano": nano(time.Now()), "endTimeUnixNano": nano(time.Now()),
		"status": map[string]any{"code": 2, "message": secrets["keyValue"]},
		"events": []any{map[string]any{"name": "exception", "attributes": []any{attribute("exception.message", secrets["header"])}}},
	}
	c.send(t, "traces", map[string]any{"resourceSpans": []any{map[string]any{
		"resource":   map[string]any{"attributes": []any{attribute("service.name", "leaky")}},
		"scopeSpans": []any{map[string]any{"spans": []any{span}}},
	}}})
	c.send(t, "logs", map[string]any{"resourceLogs": []any{map[string]any{
		"resource": map[string]any{"attributes": []any{attribute("service.name", "leaky")}},
		"scopeLogs": []any{map[string]any{"logRecords": []any{map[string]any{
			"timeUnixNano": nano(time.Now()), "body": map[string]any{"stringValue": secrets["URL"]},
			"attributes": append(slices.Clone(attributes), attribute("correlationId", "leaky")),
		}}}},
	}}})
	await(t, "the span and the line", func() error {
		if !j.has(t, trace) || len(l.of("leaky")) != 1 {
			return fmt.Errorf("span: %v, lines: %d", j.has(t, trace), len(l.of("leaky")))
		}
		return nil
	})
	for place, text := range map[string][]byte{"Jaeger": j.raw(t, "leaky"), "what came for Loki": l.everything()} {
		for _, secret := range core {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s is in %s:\n%q", secret, place, text)
			}
		}
		for _, harmless := range []string{"stays as it is", "redaction.masked.count"} {
			if !bytes.Contains(text, []byte(harmless)) {
				t.Errorf("%q is not in %s:\n%q", harmless, place, text)
			}
		}
	}
}
