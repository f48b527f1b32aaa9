package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/driftsentry/driftsentry/internal/telemetry/otlptest"
)

// TestTheProcessStopsUnderLoadAndTellsAll hammers the program from kept and
// from ever new connections while it is told to stop: nobody is let down but
// by a closed port, and whatever was answered is in the collector, trace and
// log line alike.
func TestTheProcessStopsUnderLoadAndTellsAll(t *testing.T) {
	t.Parallel()
	collector := otlptest.Start(t, nil)
	h := program(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL, "SHUTDOWN_DELAY=500ms", "SHUTDOWN_TIMEOUT=20s",
		"RATE_LIMIT_PER_MINUTE=0",
		// A full queue drops spans whether or not anybody stops; here it is told apart.
		"OTEL_BSP_MAX_QUEUE_SIZE=50000", "OTEL_BLRP_MAX_QUEUE_SIZE=50000")
	load := &load{t: t, url: h.url + "/api/v1/stacks", key: h.key}
	for range 16 {
		load.client(&http.Transport{})
	}
	for range 4 {
		load.client(&http.Transport{DisableKeepAlives: true})
	}
	load.until(400)
	code := h.stop()
	load.clients.Wait()

	traces, after := load.traces, load.afterSignal
	if code != exitOK || load.lost != 0 {
		log := h.out.String()
		t.Errorf("exit code %d, %d requests lost of %d, want 0 and 0\n%s", code, load.lost, len(traces), log[max(0, len(log)-1000):])
	}
	if after == 0 {
		t.Error("nothing was answered between the signal and the end")
	}
	spans, lines := map[string]bool{}, map[string]bool{}
	for _, s := range received(collector) {
		if s.name == "GET /api/v1/stacks" {
			spans[s.trace] = true
		}
	}
	for _, record := range collector.Logs() {
		if record.GetBody().GetStringValue() == "Request completed" {
			lines[string(record.GetTraceId())] = true
		}
	}
	for _, trace := range traces {
		if !spans[trace] {
			t.Errorf("the span of an answered request, in trace %s, never arrived", trace)
		}
	}
	if len(lines) < len(traces) {
		t.Errorf("%d requests have a log record at the collector, want all %d", len(lines), len(traces))
	}
	if !strings.Contains(h.out.String(), "Shutdown complete") {
		t.Error("the log does not say that the shutdown is complete")
	}
	t.Logf("%d requests answered, %d of them after the signal; %d traces arrived", len(traces), after, len(spans))
}

// load is clients that ask for one thing without a pause, until nobody listens.
type load struct {
	t       *testing.T
	url     string
	key     string
	clients sync.WaitGroup

	mu          sync.Mutex
	more        sync.Cond
	signalled   bool
	lost        int
	afterSignal int
	traces      []string // of the requests that were answered
}

// client starts one. It ends when the port is closed, or with its first failure.
func (l *load) client(transport *http.Transport) {
	l.more.L = &l.mu
	l.clients.Go(func() {
		defer transport.CloseIdleConnections()
		for l.ask(&http.Client{Transport: transport}) {
		}
	})
}

// ask sends one request and reports whether to go on.
func (l *load) ask(client *http.Client) bool {
	l.mu.Lock()
	signalled := l.signalled
	l.mu.Unlock()
	trace, err := l.answered(client)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.signalled && refused(err):
		return false
	case err != nil:
		l.lost++
		l.t.Logf("lost: %v", err)
		l.more.Broadcast()
		return false
	}
	l.traces = append(l.traces, trace)
	if signalled {
		l.afterSignal++
	}
	l.more.Broadcast()
	return true
}

// refused reports whether err is that nobody listens any more. A port that is
// closed in the middle of a handshake resets it.
func refused(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial" && (errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET))
}

// answered is the trace of a request that got its whole answer.
func (l *load) answered(client *http.Client) (trace string, err error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, l.url, http.NoBody)
	if err != nil {
		return "", err
	}
	req.Header.Set("X-API-Key", l.key)
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", errors.New(resp.Status)
	}
	_, timing, ok := strings.Cut(resp.Header.Get("Server-Timing"), `"00-`)
	if !ok || !strings.HasSuffix(timing, `-01"`) {
		return "", errors.New("answered without a sampled trace: " + resp.Header.Get("Server-Timing"))
	}
	return timing[:32], nil
}

// until returns when n requests were answered, and counts those after it apart.
func (l *load) until(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.traces) < n && l.lost == 0 {
		l.more.Wait()
	}
	l.signalled = true
}
