package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// complaintInterval is how often trouble with telemetry itself is logged.
const complaintInterval = time.Minute

// complaints says on stdout that telemetry has trouble, once a minute. It is
// not told through what has the trouble: a failed export of logs must not
// become a log to export.
type complaints struct {
	log *logCore
	// exports tells what was lost so far; nil until there are any.
	exports atomic.Pointer[providers]
	// dropped is how many spans and records had been when that was last told.
	dropped atomic.Uint64
	now     func() time.Time // nil is time.Now

	mu    sync.Mutex
	last  time.Time
	quiet int // complaints since the last line
}

// Handle implements otel.ErrorHandler.
func (c *complaints) Handle(err error) { c.warn("Telemetry trouble", err) }

var errOverflow = errors.New("there is more to say than the collector takes in: the queue was full")

// overflow tells of what a full queue dropped, after an export that went well:
// one that failed is an error, and told with the counts anyway.
func (c *complaints) overflow() {
	p := c.exports.Load()
	if p == nil {
		return
	}
	state := p.exports()
	if n := state.Traces.Dropped + state.Logs.Dropped; c.dropped.Swap(n) < n {
		c.warn("Telemetry trouble", errOverflow)
	}
}

// Println implements promhttp.Logger.
func (c *complaints) Println(v ...any) { c.warn("Scrape trouble", slog.AnyValue(v)) }

func (c *complaints) warn(msg string, what any) {
	now := time.Now
	if c.now != nil {
		now = c.now
	}
	c.mu.Lock()
	at := now()
	if !c.last.IsZero() && at.Sub(c.last) < complaintInterval {
		c.quiet++
		c.mu.Unlock()
		return
	}
	c.last = at
	quiet := c.quiet
	c.quiet = 0
	c.mu.Unlock()

	var state Exports
	if p := c.exports.Load(); p != nil {
		state = p.exports()
	}
	c.log.emit(context.Background(), slog.LevelWarn, msg, slog.Any("error", what), slog.Int("suppressed", quiet),
		slog.Uint64("spansFailed", state.Traces.Failed), slog.Uint64("spansDropped", state.Traces.Dropped),
		slog.Uint64("logsFailed", state.Logs.Failed), slog.Uint64("logsDropped", state.Logs.Dropped))
}
