package main

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/telemetry/otlptest"
)

// troubled is the URL of a collector in this kind of trouble, until the test
// ends.
func troubled(t *testing.T, trouble string) string {
	t.Helper()
	if trouble == "refused" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return "http://" + l.Addr().String()
	}
	over := make(chan struct{})
	collector := otlptest.Start(t, func(w http.ResponseWriter, r *http.Request) bool {
		switch trouble {
		case "503":
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		case "hanging":
			select {
			case <-over:
			case <-r.Context().Done():
			}
			return true
		case "slow":
			answer := time.NewTimer(time.Second)
			defer answer.Stop()
			select {
			case <-answer.C:
			case <-over:
			}
		}
		return false
	})
	t.Cleanup(func() { close(over) }) // before the receiver waits for its handlers
	return collector.URL
}

// patient is one program whose collector is in trouble.
type patient struct {
	*house
	trouble string
	started time.Time
	took    []time.Duration // of each request

	scrape   string
	exports  struct{ Traces, Logs export }
	exitCode int
	stopping time.Duration
}

type export struct {
	LastSuccess                       *time.Time
	Exported, Failed, Dropped, Queued int
}

// TestCollectorTroubleIsNobodyElses: whatever the collector does, requests are
// answered as ever, memory stays bounded, what is lost is counted, one line a
// minute says so, and the shutdown keeps to its deadline and says what it lost.
// All programs are asked in turn, so that their times can be compared.
func TestCollectorTroubleIsNobodyElses(t *testing.T) {
	t.Parallel()
	const rounds, timeout = 5, 3 * time.Second
	perRound := 400
	if raceDetector() { // ten times as slow, and no other for that
		perRound = 100
	}
	var patients []*patient
	for _, trouble := range []string{"none", "refused", "hanging", "503", "slow"} {
		env := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + troubled(t, trouble), "RATE_LIMIT_PER_MINUTE=0"}
		if trouble != "none" { // which ends in time by itself, however busy this machine is
			env = append(env, fmt.Sprint("SHUTDOWN_TIMEOUT=", timeout))
		}
		if trouble == "hanging" || trouble == "503" { // our defaults, but ten times as often
			env = append(env, "OTEL_EXPORTER_OTLP_TIMEOUT=300", "OTEL_BSP_EXPORT_TIMEOUT=500", "OTEL_BLRP_EXPORT_TIMEOUT=500")
		}
		if trouble == "slow" { // however slowly we speak ourselves
			env = append(env, "OTEL_BSP_MAX_QUEUE_SIZE=128", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=32")
		}
		patients = append(patients, &patient{trouble: trouble, started: time.Now(), house: program(t, env...)})
	}
	for range rounds {
		for _, p := range patients {
			p.ask(perRound)
		}
	}
	var all sync.WaitGroup
	for _, p := range patients {
		all.Go(p.examine)
	}
	all.Wait()
	for _, p := range patients {
		p.judge(timeout)
	}
}

// ask sends n requests over four connections. All must succeed.
func (p *patient) ask(n int) {
	const clients = 4
	var all sync.WaitGroup
	took := make(chan time.Duration, n)
	for range clients {
		all.Go(func() {
			for range n / clients {
				begun := time.Now()
				if a := p.do(http.MethodGet, "/api/v1/stacks", nil); a.status != http.StatusOK {
					p.t.Errorf("%s: %d %s", p.trouble, a.status, a.body)
				}
				took <- time.Since(begun)
			}
		})
	}
	all.Wait()
	close(took)
	for d := range took {
		p.took = append(p.took, d)
	}
}

// examine notes what the program says of itself, and stops it.
func (p *patient) examine() {
	p.scrape = string(p.do(http.MethodGet, "/metrics", nil).body)
	p.exports = get[struct {
		Telemetry struct{ Traces, Logs export }
	}](p.house, "/health/detailed").Telemetry
	begun := time.Now()
	p.exitCode = p.stop()
	p.stopping = time.Since(begun)
}

// lost counts the spans that a scrape says will never arrive.
func (p *patient) lost() float64 {
	return metric(p.t, p.scrape, "otel_sdk_processor_span_processed_total", "error_type=") +
		metric(p.t, p.scrape, "otel_sdk_exporter_span_exported_total", "error_type=")
}

func (p *patient) judge(timeout time.Duration) {
	p.t.Helper()
	slices.Sort(p.took)
	memory := metric(p.t, p.scrape, "process_resident_memory_bytes") / 1e6
	var complaints, last string
	n := 0
	for line := range strings.Lines(p.out.String()) {
		if strings.Contains(line, `"Telemetry trouble"`) {
			complaints += line
			n++
		}
		last = line
	}
	p.t.Logf("%-8s %d requests, p50 %v, p99 %v · RSS %.0f MB · %.0f spans lost by then, %+v · exit code %d after %v\n%s%s",
		p.trouble, len(p.took), p.took[len(p.took)/2], p.took[len(p.took)*99/100], memory, p.lost(), p.exports, p.exitCode,
		p.stopping.Round(time.Millisecond), complaints, last)

	if most := 100.0; memory > most && !raceDetector() {
		p.t.Errorf("%s: %.0f MB in memory, want at most %.0f", p.trouble, memory, most)
	}
	if slack := 5 * time.Second; p.trouble != "none" && p.stopping > timeout+slack {
		p.t.Errorf("%s: the shutdown took %v of %v", p.trouble, p.stopping, timeout)
	}
	complete, left := strings.Contains(last, "Shutdown complete"), strings.Contains(last, "telemetry left unsent")
	if p.exitCode == exitOK && !complete || p.exitCode != exitOK && !left {
		p.t.Errorf("%s: exit code %d, and the last line is %s", p.trouble, p.exitCode, last)
	}
	if p.trouble == "none" {
		// A machine too busy to receive may lose some, if it says so.
		if p.exitCode != exitOK || n > 1 || n == 0 && p.lost() != 0 {
			p.t.Errorf("without any trouble: exit code %d, %d complaints, %.0f spans lost", p.exitCode, n, p.lost())
		}
		return
	}
	if p.lost() == 0 || p.exports.Traces.Failed+p.exports.Traces.Dropped == 0 {
		p.t.Errorf("%s: the metrics count %.0f lost spans, /health/detailed %+v", p.trouble, p.lost(), p.exports.Traces)
	}
	if most := 1 + int(time.Since(p.started)/time.Minute); n < 1 || n > most {
		p.t.Errorf("%s: %d lines of complaint, want at least 1 and at most %d", p.trouble, n, most)
	}
	if p.trouble != "slow" && (p.exitCode == exitOK || p.exports.Traces.LastSuccess != nil) {
		p.t.Errorf("%s: exit code %d, last success %v, want the loss told", p.trouble, p.exitCode, p.exports.Traces.LastSuccess)
	}
}
