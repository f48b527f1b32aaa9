package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// quiet is how long the same trouble is not told again.
const quiet = time.Minute

// databaseTrouble is the one key for all that comes of a database that is away:
// River's many parts each notice it, again and again.
const databaseTrouble = ""

// complaints tells of what keeps the queue from working, and is the handler of
// River's own warnings, which it has no other way to give us. What goes wrong
// inside a run is not among them: River says that at a lower level, and the run
// has been reported.
type complaints struct {
	hear func(ctx context.Context, err error)

	mu   sync.Mutex
	told map[string]*complaint
}

// complaint is one kind of trouble.
type complaint struct {
	at     time.Time // when it was last told
	unsaid int       // how often it came since
}

func newComplaints(hear func(context.Context, error)) *complaints {
	return &complaints{hear: hear, told: make(map[string]*complaint)}
}

// tell passes err on unless one with its key was told within the last minute.
func (c *complaints) tell(ctx context.Context, now time.Time, key string, err error) {
	if c.hear == nil {
		return
	}
	unsaid, due := c.due(now, key)
	if !due {
		return
	}
	if unsaid > 0 {
		err = fmt.Errorf("%w (and %d more since the last such line)", err, unsaid)
	}
	c.hear(ctx, err)
}

func (c *complaints) due(now time.Time, key string) (unsaid int, due bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.told[key]
	if last == nil {
		last = &complaint{}
		c.told[key] = last // keys are River's constant messages
	}
	if !last.at.IsZero() && now.Sub(last.at) < quiet {
		last.unsaid++
		return 0, false
	}
	unsaid, last.at, last.unsaid = last.unsaid, now, 0
	return unsaid, true
}

// Enabled implements slog.Handler.
func (c *complaints) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn
}

// Handle implements slog.Handler.
func (c *complaints) Handle(ctx context.Context, line slog.Record) error {
	text, key := line.Message, line.Message
	line.Attrs(func(a slog.Attr) bool {
		if a.Key == "err" || a.Key == "error" {
			text, key = text+": "+a.Value.String(), databaseTrouble
		}
		return true
	})
	c.tell(ctx, line.Time, key, errors.New(text))
	return nil
}

// WithAttrs and WithGroup implement slog.Handler; River adds nothing that the
// message does not say.
func (c *complaints) WithAttrs([]slog.Attr) slog.Handler { return c }

// WithGroup implements slog.Handler.
func (c *complaints) WithGroup(string) slog.Handler { return c }
