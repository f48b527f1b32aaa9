package telemetry

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// prettySink writes for a person at a terminal: level, message, method and
// path on the first line, everything else indented below it. Neither devslog
// nor tint can put an attribute on the first line and the rest under it.
type prettySink struct {
	colour bool

	mu  sync.Mutex
	out io.Writer
}

// newPrettySink colours unless NO_COLOR (https://no-color.org) or a terminal
// that cannot is set.
func newPrettySink(out io.Writer) *prettySink {
	return &prettySink{out: out, colour: environment("NO_COLOR") == "" && environment("TERM") != "dumb"}
}

const (
	red     = "\x1b[31m"
	green   = "\x1b[32m"
	yellow  = "\x1b[33m"
	blue    = "\x1b[34m"
	magenta = "\x1b[35m"
	bold    = "\x1b[1m"
	faint   = "\x1b[2m"
	plain   = "\x1b[0m"
)

func (s *prettySink) write(_ context.Context, e *entry) error {
	var b []byte
	b = s.paint(b, levelColour(e.level), strings.ToUpper(LevelName(e.level)))
	b = s.paint(append(b, ' '), bold, printable(e.msg))
	for _, key := range []string{"method", "path"} {
		if v, ok := e.fact(key); ok {
			b = append(append(b, ' '), printable(v.String())...)
		}
	}
	b = s.paint(append(b, ' '), faint, e.time.Local().Format("15:04:05.000"))
	b = append(b, '\n')
	for _, a := range e.facts {
		if a.Key != "method" && a.Key != "path" {
			b = s.fact(b, "  ", a)
		}
	}
	for _, id := range [...]slog.Attr{
		slog.String("correlationId", e.ids.Correlation), slog.String("traceId", e.ids.Trace),
		slog.String("spanId", e.ids.Span), slog.String("userId", e.user),
	} {
		if id.Value.String() != "" {
			b = s.fact(b, "  ", id)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.out.Write(b)
	return err
}

// fact appends one attribute on lines of its own. A text of several lines,
// such as a stack trace, keeps them.
func (s *prettySink) fact(b []byte, indent string, a slog.Attr) []byte {
	b = append(b, indent...)
	b = s.paint(b, magenta, printable(a.Key)+":")
	if a.Value.Kind() == slog.KindGroup {
		b = append(b, '\n')
		for _, m := range a.Value.Group() {
			b = s.fact(b, indent+"  ", m)
		}
		return b
	}
	text := a.Value.String()
	switch a.Value.Kind() {
	case slog.KindAny:
		text = string(appendValue(nil, a.Value))
	case slog.KindTime:
		text = a.Value.Time().UTC().Format(timestampFormat)
	default:
	}
	first := true
	for line := range strings.Lines(text) {
		if !first {
			b = append(append(b, indent...), ' ')
		}
		first = false
		b = append(append(b, ' '), printable(strings.TrimRight(line, "\n"))...)
		b = append(b, '\n')
	}
	if first {
		b = append(b, '\n')
	}
	return b
}

func (s *prettySink) paint(b []byte, colour, text string) []byte {
	if !s.colour {
		return append(b, text...)
	}
	return append(append(append(b, colour...), text...), plain...)
}

func levelColour(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return red
	case l >= slog.LevelWarn:
		return yellow
	case l >= slog.LevelInfo:
		return green
	default:
		return blue
	}
}

// fact finds a fact by its name.
func (e *entry) fact(key string) (slog.Value, bool) {
	for _, a := range e.facts {
		if a.Key == key {
			return a.Value, true
		}
	}
	return slog.Value{}, false
}

// printable keeps what came from outside from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r >= ' ' && r != 0x7f && (r < 0x80 || r > 0x9f) {
			return r
		}
		return '\uFFFD'
	}, s)
}
