package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// messages are the log's messages in the order they were written.
func (h *house) messages() []string {
	h.t.Helper()
	var all []string
	for line := range strings.Lines(h.out.String()) {
		var entry struct{ Msg string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			h.t.Fatalf("log line %q: %v", line, err)
		}
		all = append(all, entry.Msg)
	}
	return all
}

// inOrder reports whether want is a subsequence of got.
func inOrder(got, want []string) bool {
	for _, g := range got {
		if len(want) > 0 && g == want[0] {
			want = want[1:]
		}
	}
	return len(want) == 0
}

func TestShutdownUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	h := serve(t, "SHUTDOWN_DELAY=500ms", "SHUTDOWN_TIMEOUT=20s")
	var served, lost, afterSignal atomic.Int64
	var signalled atomic.Bool
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			transport := &http.Transport{} // connections of its own, kept alive
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			for ctx.Err() == nil {
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url+"/api/v1/drifts", http.NoBody)
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("X-API-Key", h.key)
				resp, err := client.Do(req)
				if err != nil {
					// Nobody listens any more: that is how it should end.
					if errors.Is(err, syscall.ECONNREFUSED) && signalled.Load() {
						return
					}
					lost.Add(1)
					t.Logf("lost: %v", err)
					return
				}
				_, err = io.Copy(io.Discard, resp.Body)
				if cerr := resp.Body.Close(); err != nil || cerr != nil || resp.StatusCode != http.StatusOK {
					lost.Add(1)
					t.Logf("lost: %s %v %v", resp.Status, err, cerr)
				}
				served.Add(1)
				if signalled.Load() {
					afterSignal.Add(1)
				}
			}
		})
	}
	for served.Load() < 200 && ctx.Err() == nil {
		get[json.RawMessage](h, "/health/ready")
	}
	signalled.Store(true)
	code := h.stop()
	clients.Wait()
	if code != exitOK || lost.Load() != 0 {
		t.Errorf("exit code %d, %d requests lost of %d, want 0 and 0\n%s", code, lost.Load(), served.Load(), h.errs)
	}
	if afterSignal.Load() == 0 {
		t.Error("nothing was served between the signal and the end of SHUTDOWN_DELAY")
	}
	want := []string{"Shutting down gracefully", "HTTP server closed", "Database disconnected", "Shutdown complete"}
	if got := h.messages(); !inOrder(got, want) {
		t.Errorf("the log ends %q, want %q in order", got[max(0, len(got)-8):], want)
	}
}

func TestReadinessFailsFromTheSignalOn(t *testing.T) {
	t.Parallel()
	h := serve(t, "SHUTDOWN_DELAY=2s", "SHUTDOWN_TIMEOUT=20s")
	get[json.RawMessage](h, "/health/ready")
	h.stopped = true
	h.signals <- syscall.SIGTERM
	for { // the signal is handled on another goroutine
		a := h.do(http.MethodGet, "/health/ready", nil)
		if a.status == http.StatusServiceUnavailable {
			if !strings.Contains(string(a.body), `"error":"shutting down"`) || !a.closes {
				t.Errorf("readiness while shutting down = %s, Connection: close %v", a.body, a.closes)
			}
			break
		}
	}
	if a := h.do(http.MethodGet, "/api/v1/drifts", nil); a.status != http.StatusOK {
		t.Errorf("a request during SHUTDOWN_DELAY = %d %s, want 200", a.status, a.body)
	}
	if code := <-h.exit; code != exitOK {
		t.Errorf("exit code %d, want 0", code)
	}
}

// stuckUpload begins an upload that never ends and returns when the service
// has taken it in.
func stuckUpload(t *testing.T, h *house) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	_, err = io.WriteString(conn, "POST /api/v1/scans?stack=prod/edge HTTP/1.1\r\nHost: test\r\nX-Correlation-ID: stuck-1\r\nX-API-Key: "+h.key+"\r\n"+
		"Content-Length: 1000000\r\n\r\n{\"format_version\":")
	if err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(h.out.String(), `"correlationId":"stuck-1"`) {
		if t.Context().Err() != nil {
			t.Fatal("the upload never started")
		}
		get[json.RawMessage](h, "/health/live")
	}
}

func TestAStuckRequestIsNamedAndCutOff(t *testing.T) {
	t.Parallel()
	h := serve(t, "SHUTDOWN_TIMEOUT=2s")
	stuckUpload(t, h)
	if code := h.stop(); code != exitFailure {
		t.Errorf("exit code %d, want 1", code)
	}
	log := h.out.String()
	if !strings.Contains(log, "Shutdown incomplete") || !strings.Contains(log, "POST /api/v1/scans (stuck-1)") {
		t.Errorf("the log does not say which request was left:\n%s", log)
	}
}

func TestASecondSignalStopsAtOnce(t *testing.T) {
	t.Parallel()
	h := serve(t, "SHUTDOWN_TIMEOUT=50s")
	stuckUpload(t, h)
	h.signals <- syscall.SIGINT
	if code := h.stop(); code != exitFailure { // well within the minute that stop waits
		t.Errorf("exit code %d, want 1", code)
	}
}

func TestTheServiceStartsBeforeItsDatabase(t *testing.T) {
	t.Parallel()
	h := runHouse(t, []string{"serve"}, []string{"DATABASE_URL=postgres://nobody@127.0.0.1:1/nothing", "LOG_FORMAT=json"})
	if a := h.do(http.MethodGet, "/health/live", nil); a.status != http.StatusOK {
		t.Errorf("live = %d, want 200", a.status)
	}
	if a := h.do(http.MethodGet, "/health/ready", nil); a.status != http.StatusServiceUnavailable {
		t.Errorf("ready = %d %s, want 503", a.status, a.body)
	}
	a := h.do(http.MethodGet, "/api/v1/drifts", nil, "X-API-Key", someKey())
	if a.status != http.StatusServiceUnavailable || !strings.Contains(string(a.body), "DATABASE_UNAVAILABLE") || a.header.Get("Retry-After") == "" {
		t.Errorf("drifts = %d %s, want 503 DATABASE_UNAVAILABLE with Retry-After", a.status, a.body)
	}
	if code := h.stop(); code != exitOK {
		t.Errorf("exit code %d, want 0", code)
	}
}

func TestConfigurationIsRefusedWholeBeforeAnythingListens(t *testing.T) {
	t.Parallel()
	var out, errs lockedBuffer
	code := run(t.Context(), process{
		args: []string{"serve"}, env: []string{"APP_ENV=production", "PORT=x", "JWT_SECRET=short"},
		stdout: &out, stderr: &errs, listening: func(string) { t.Error("it listens") },
	})
	for _, name := range []string{"PORT", "JWT_SECRET", "DATABASE_URL"} {
		if !strings.Contains(errs.String(), name) {
			t.Errorf("stderr does not name %s:\n%s", name, errs.String())
		}
	}
	if code != exitFailure || strings.Contains(errs.String(), "short") && strings.Contains(errs.String(), `"short"`) {
		t.Errorf("exit code %d, stderr %s", code, errs.String())
	}
}

func TestHangupReadsTheLogLevelAgain(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/level"
	write := func(level string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(level), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("error")
	h := serve(t, "LOG_LEVEL_FILE="+file)
	get[json.RawMessage](h, "/api/v1/drifts")
	if strings.Contains(h.out.String(), "Request completed") {
		t.Errorf("an info line at level error:\n%s", h.out)
	}
	write("info")
	h.hangups <- syscall.SIGHUP
	deadline := time.Now().Add(30 * time.Second)
	for !strings.Contains(h.out.String(), "Request completed") {
		if time.Now().After(deadline) {
			t.Fatalf("no info lines after SIGHUP:\n%s", h.out)
		}
		get[json.RawMessage](h, "/api/v1/drifts")
	}
	if !strings.Contains(h.out.String(), "Log level changed") {
		t.Errorf("the change itself is not logged:\n%s", h.out)
	}
}
