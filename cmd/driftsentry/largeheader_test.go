package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/telemetry/otlptest"
)

// TestLargeHeadersAreAnsweredAndCounted like everything else, and neither the
// log nor the traces swell with them.
func TestLargeHeadersAreAnsweredAndCounted(t *testing.T) {
	t.Parallel()
	collector := otlptest.Start(t, nil)
	h := program(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL)
	address, err := url.Parse(h.url)
	if err != nil {
		t.Fatal(err)
	}
	logged := len(h.out.String())
	big := strings.Repeat("ab1-", 1<<18)
	requests := map[string]string{
		"Authorization":    "/api/v1/me HTTP/1.1\r\nAuthorization: Bearer " + big,
		"X-API-Key":        "/api/v1/me HTTP/1.1\r\nX-API-Key: " + big,
		"User-Agent":       "/api/v1/me HTTP/1.1\r\nUser-Agent: " + big,
		"Cookie":           "/api/v1/me HTTP/1.1\r\nCookie: a=" + big,
		"baggage":          "/api/v1/me HTTP/1.1\r\nbaggage: a=" + big,
		"X-Correlation-ID": "/api/v1/me HTTP/1.1\r\nX-Correlation-ID: " + big,
		"X-Forwarded-For":  "/api/v1/me HTTP/1.1\r\nX-Forwarded-For: " + big,
		"the path":         "/" + big + " HTTP/1.1",
		"the query":        "/api/v1/drifts?q=" + big + " HTTP/1.1",
		"many headers":     "/api/v1/me HTTP/1.1" + strings.Repeat("\r\nX-Pad: "+strings.Repeat("a", 90), 10_000),
	}
	for name, request := range requests {
		status, code := askRaw(t, address.Host, request)
		if status != http.StatusRequestEntityTooLarge || code != "PAYLOAD_TOO_LARGE" {
			t.Errorf("1 MB of %s = %d %s, want 413 PAYLOAD_TOO_LARGE", name, status, code)
		}
	}
	metrics := string(h.do(http.MethodGet, "/metrics", nil).body)
	if want := fmt.Sprintf(`errors_total{code="PAYLOAD_TOO_LARGE",path="unmatched"} %d`, len(requests)); !strings.Contains(metrics, want) {
		t.Errorf("no %s in the metrics", want)
	}
	if code := h.stop(); code != exitOK {
		t.Errorf("exit code %d\n%s", code, h.errs)
	}
	const enough = 10_000 // bytes for each request
	if grown := len(h.out.String()) - logged; grown > enough*len(requests) {
		t.Errorf("the log grew by %d bytes for %d requests", grown, len(requests))
	}
	for _, path := range []string{"/v1/traces", "/v1/logs"} {
		if n := len(collector.Text(path)); n == 0 || n > 2*enough*len(requests) {
			t.Errorf("%d bytes were sent to %s for %d requests", n, path, len(requests))
		}
	}
}

// askRaw sends a request as it is, with no client's opinion about it.
func askRaw(t *testing.T, address, request string) (status int, code string) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET "+request+"\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer resp.Body.Close()
	var problem struct{ Code string }
	if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil {
		t.Errorf("%s %s: no problem document: %v", resp.Status, resp.Header.Get("Content-Type"), err)
	}
	return resp.StatusCode, problem.Code
}
