package telemetry

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// timestampFormat is RFC 3339 in UTC with milliseconds.
const timestampFormat = "2006-01-02T15:04:05.000Z"

// jsonSink writes the production format: one JSON object a line, its keys in
// a fixed order. It is not slog's own handler because that one writes the
// time first, puts ids into groups and costs twice as much.
type jsonSink struct {
	// same follows the timestamp in every line: service and env.
	same []byte

	lines poolOf[line]
	last  atomic.Pointer[second]

	mu  sync.Mutex
	out io.Writer
}

func newJSONSink(out io.Writer, service, env string) *jsonSink {
	same := drift.AppendString([]byte(`,"service":`), service)
	same = drift.AppendString(append(same, `,"env":`...), env)
	return &jsonSink{out: out, same: same}
}

// line is a buffer for one.
type line struct{ bytes []byte }

// maxPooledLine keeps one long stack trace from staying in memory for ever.
const maxPooledLine = 64 << 10

func (s *jsonSink) write(_ context.Context, e *entry) error {
	l := s.lines.get()
	b := l.bytes[:0]
	b = append(b, `{"level":"`...)
	b = append(append(b, LevelName(e.level)...), `","msg":`...)
	b = append(appendText(b, e.msg), `,"timestamp":"`...)
	b = append(s.appendTime(b, e.time), '"')
	b = append(b, s.same...)
	b = appendID(b, `,"correlationId":`, e.ids.Correlation)
	b = appendID(b, `,"traceId":`, e.ids.Trace)
	b = appendID(b, `,"spanId":`, e.ids.Span)
	b = appendID(b, `,"userId":`, e.user)
	for _, a := range e.facts {
		b = appendText(append(b, ','), a.Key)
		b = appendValue(append(b, ':'), a.Value)
	}
	b = append(b, "}\n"...)

	s.mu.Lock()
	_, err := s.out.Write(b)
	s.mu.Unlock()
	if cap(b) <= maxPooledLine {
		l.bytes = b
		s.lines.put(l)
	}
	return err
}

// second is the beginning of a timestamp, which a thousand milliseconds share:
// formatting it anew was a tenth of a line's cost.
type second struct {
	unix int64
	text [len("2006-01-02T15:04:05.")]byte
}

// appendTime appends t in timestampFormat.
func (s *jsonSink) appendTime(b []byte, t time.Time) []byte {
	unix := t.Unix()
	last := s.last.Load()
	if last == nil || last.unix != unix {
		var text [len(timestampFormat)]byte
		whole := t.UTC().AppendFormat(text[:0], timestampFormat)
		if len(whole) != len(timestampFormat) { // the year 10,000
			return append(b, whole...)
		}
		last = &second{unix: unix}
		copy(last.text[:], whole)
		s.last.Store(last)
	}
	ms := t.Nanosecond() / int(time.Millisecond)
	return append(append(b, last.text[:]...), byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}

// appendText appends s as a JSON string. Nearly every text has nothing to
// escape and is copied whole.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return drift.AppendString(b, s)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

func appendID(b []byte, key, id string) []byte {
	if id == "" {
		return b
	}
	return appendText(append(b, key...), id)
}

// appendValue appends a cleaned value as JSON. Durations are milliseconds, as
// every duration in a log line is.
func appendValue(b []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindString:
		return appendText(b, v.String())
	case slog.KindInt64:
		return strconv.AppendInt(b, v.Int64(), 10)
	case slog.KindUint64:
		return strconv.AppendUint(b, v.Uint64(), 10)
	case slog.KindFloat64:
		return appendFloat(b, v.Float64())
	case slog.KindBool:
		return strconv.AppendBool(b, v.Bool())
	case slog.KindDuration:
		return appendFloat(b, milliseconds(v.Duration()))
	case slog.KindTime:
		return append(v.Time().UTC().AppendFormat(append(b, '"'), timestampFormat), '"')
	case slog.KindGroup:
		return appendGroup(b, v.Group())
	default:
		// The redactor leaves nothing else than lists and maps of plain values.
		return appendPlain(b, v.Any())
	}
}

func appendGroup(b []byte, members []slog.Attr) []byte {
	b = append(b, '{')
	for i, m := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, m.Key)
		b = appendValue(append(b, ':'), m.Value)
	}
	return append(b, '}')
}

// appendPlain appends what encoding/json makes of any value when it decodes
// into an interface, and lists of strings.
func appendPlain(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return appendText(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case float64:
		return appendFloat(b, v)
	case []string:
		return appendList(b, v)
	case []any:
		return appendList(b, v)
	case map[string]any:
		return appendMap(b, v)
	default:
		return appendText(b, slog.AnyValue(v).String())
	}
}

func appendList[E any](b []byte, list []E) []byte {
	b = append(b, '[')
	for i, member := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendPlain(b, member)
	}
	return append(b, ']')
}

// appendMap sorts the keys, so that equal lines look equal.
func appendMap(b []byte, m map[string]any) []byte {
	b = append(b, '{')
	for i, key := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, key)
		b = appendPlain(append(b, ':'), m[key])
	}
	return append(b, '}')
}

// appendFloat appends a JSON number, and a string where JSON has no number.
func appendFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return appendText(b, strconv.FormatFloat(f, 'g', -1, 64))
	}
	if abs := math.Abs(f); abs < 1e15 && (abs >= 1e-6 || f == 0) {
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	return strconv.AppendFloat(b, f, 'e', -1, 64)
}

// milliseconds is d in milliseconds, to the microsecond.
func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}
