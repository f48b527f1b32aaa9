package httpapi

import (
	"context"
	"errors"
	"math"
	"net/http"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// probeTimeout is how long a probe waits for the database. An answer is
// promised within a second whatever the database does.
const probeTimeout = 800 * time.Millisecond

// health answers the probes.
type health struct {
	db       *postgres.DB
	exports  func() any
	version  string
	started  time.Time
	draining atomic.Bool
	asking   singleflight.Group
}

func newHealth(o Options) *health {
	return &health{db: o.DB, exports: o.Exports, version: o.Version, started: time.Now()}
}

type liveness struct {
	Status    string `json:"status"`
	Timestamp string `json:"timestamp"`
}

// live asks nobody: a restart mends no database.
func (h *health) live(w http.ResponseWriter, _ *http.Request) error {
	return probeAnswer(w, http.StatusOK, liveness{"alive", timestamp(time.Now())})
}

type readiness struct {
	Status    string            `json:"status"`
	Checks    map[string]string `json:"checks"`
	Error     string            `json:"error,omitempty"`
	Timestamp string            `json:"timestamp"`
}

func (h *health) ready(w http.ResponseWriter, r *http.Request) error {
	body := readiness{Status: "ready", Checks: map[string]string{"database": "ok"}}
	if h.check(r.Context()).problem != "" {
		// One text whatever the matter is, as probes are written to expect;
		// /health/detailed says which.
		body.Status, body.Checks["database"], body.Error = "not_ready", "error", "Connection failed"
	}
	if h.draining.Load() {
		body.Status, body.Error = "not_ready", "shutting down"
		w.Header().Set("Connection", "close") // also if it began while we looked at the database
	}
	status := http.StatusOK
	if body.Status != "ready" {
		status = http.StatusServiceUnavailable
	}
	body.Timestamp = timestamp(time.Now())
	return probeAnswer(w, status, body)
}

type detail struct {
	Status    string         `json:"status"`
	Uptime    int64          `json:"uptime"` // seconds
	Version   string         `json:"version"`
	Memory    memoryDetail   `json:"memory"`
	Checks    map[string]any `json:"checks"`
	Pool      poolDetail     `json:"pool"`
	Telemetry any            `json:"telemetry,omitempty"`
	Timestamp string         `json:"timestamp"`
}

type memoryDetail struct {
	HeapUsedMB  float64 `json:"heapUsedMB"`
	HeapTotalMB float64 `json:"heapTotalMB"`
}

type databaseDetail struct {
	Status          string  `json:"status"`
	QueryDurationMs float64 `json:"queryDurationMs"`
	Error           string  `json:"error,omitempty"`
}

type poolDetail struct {
	Idle int32 `json:"idle"`
	Used int32 `json:"used"`
	Max  int32 `json:"max"`
}

func (h *health) detailed(w http.ResponseWriter, r *http.Request) error {
	check := h.check(r.Context())
	stat := h.db.Stat()
	body := detail{
		Status: "ok", Uptime: int64(time.Since(h.started).Seconds()), Version: h.version, Memory: readMemory(),
		Checks: map[string]any{"database": databaseDetail{
			Status: "ok", QueryDurationMs: milliseconds(check.took), Error: check.problem,
		}},
		Pool: poolDetail{Idle: stat.Idle, Used: stat.Used, Max: stat.Max},
	}
	if h.exports != nil {
		body.Telemetry = h.exports()
	}
	status := http.StatusOK
	if check.problem != "" {
		status, body.Status = http.StatusServiceUnavailable, "error"
		body.Checks["database"] = databaseDetail{Status: "error", QueryDurationMs: milliseconds(check.took), Error: check.problem}
	}
	body.Timestamp = timestamp(time.Now())
	return probeAnswer(w, status, body)
}

// verdict is what one look at the database found; an empty problem is good news.
type verdict struct {
	problem string
	took    time.Duration
}

// check asks the database, and never waits longer than probeTimeout for it.
// Probes that come while one is under way share its answer, so that a hanging
// database doesn't gather a queue of them.
func (h *health) check(ctx context.Context) verdict {
	started := time.Now()
	answer := h.asking.DoChan("database", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
		defer cancel()
		return nil, h.db.Ready(ctx)
	})
	timeout := time.NewTimer(probeTimeout + 100*time.Millisecond)
	defer timeout.Stop()
	select {
	case got := <-answer:
		return verdict{problem: problemOf(got.Err), took: time.Since(started)}
	case <-timeout.C: // a driver that ignores its context
		return verdict{problem: "Connection timed out", took: time.Since(started)}
	}
}

// problemOf says what is wrong with the database in words that give away
// nothing about where it is.
func problemOf(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, postgres.ErrNotMigrated):
		return "Migrations missing"
	case errors.Is(err, context.DeadlineExceeded), fault.KindOf(err) == fault.Timeout:
		return "Connection timed out"
	default:
		return "Connection failed"
	}
}

// probeAnswer is an answer nobody may keep.
func probeAnswer(w http.ResponseWriter, status int, body any) error {
	w.Header().Set("Cache-Control", "no-store")
	return ok(w, status, body)
}

// readMemory is the heap in MB (10^6 bytes). runtime/metrics doesn't stop the
// world, as runtime.ReadMemStats would at every probe.
func readMemory() memoryDetail {
	const used, unused, free = "/memory/classes/heap/objects:bytes", "/memory/classes/heap/unused:bytes", "/memory/classes/heap/free:bytes"
	samples := []metrics.Sample{{Name: used}, {Name: unused}, {Name: free}}
	metrics.Read(samples)
	inUse := samples[0].Value.Uint64()
	return memoryDetail{
		HeapUsedMB:  round1(float64(inUse) / 1e6),
		HeapTotalMB: round1(float64(inUse+samples[1].Value.Uint64()+samples[2].Value.Uint64()) / 1e6),
	}
}

func milliseconds(d time.Duration) float64 { return round1(float64(d) / float64(time.Millisecond)) }

func round1(f float64) float64 { return math.Round(f*10) / 10 }
