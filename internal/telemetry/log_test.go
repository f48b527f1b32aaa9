package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/driftsentry/driftsentry/internal/correlation"
)

var errTest = errors.New("the test's error")

// at is a fixed moment outside UTC.
var at = time.Date(2026, 1, 2, 4, 4, 5, 678_900_000, time.FixedZone("CET", 3600))

var ids = correlation.IDs{Correlation: "abc123", Trace: "4bf92f3577b34da6a3ce929d0e0e4736", Span: "00f067aa0ba902b7"}

// logOne writes one line through h and returns it.
func logOne(t *testing.T, out *output, h slog.Handler, level slog.Level, msg string, attrs ...slog.Attr) string {
	t.Helper()
	r := slog.NewRecord(at, level, msg, 0)
	r.AddAttrs(attrs...)
	before := len(out.String())
	if err := h.Handle(correlation.With(context.Background(), ids), r); err != nil {
		t.Fatalf("Handle: %v", err)
	}
	return out.String()[before:]
}

// TestProductionLine is the contract with who reads logs: these keys, in this order, then
// the facts.
func TestProductionLine(t *testing.T) {
	t.Parallel()
	tel, out := start(t, Options{})
	got := logOne(t, out, tel.Logger().Handler(), slog.LevelInfo, "delivery done",
		slog.String("module", "notify"), slog.Int("attempt", 2), slog.Duration("took", 1500*time.Microsecond),
		slog.Time("since", at), slog.Bool("ok", true), slog.Float64("share", 0.25), slog.Any("error", errTest),
		slog.Group("db", slog.Int("rows", 3), slog.Group("", slog.Int("inlined", 1)), slog.String("", "dropped")), slog.Any("list", []string{"a", "b"}), slog.Any("nothing", nil),
		slog.Any("map", map[string]any{"b": 1, "a": []any{"x", true}}), slog.String("text", "two\nlines \"quoted\" \x1b[31m \xff"))
	want := `{"level":"info","msg":"delivery done","timestamp":"2026-01-02T03:04:05.678Z","service":"driftsentry","env":"production",` +
		`"correlationId":"abc123","traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7",` +
		`"module":"notify","attempt":2,"took":1.5,"since":"2026-01-02T03:04:05.678Z","ok":true,"share":0.25,"error":"the test's error",` +
		`"db":{"rows":3,"inlined":1},"list":["a","b"],"nothing":null,"map":{"a":["x",true],"b":1},"text":"two\u000alines \"quoted\" \u001b[31m �"}` + "\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
	if !json.Valid([]byte(got)) {
		t.Errorf("line is no JSON: %s", got)
	}
}

func TestLevelNames(t *testing.T) {
	t.Parallel()
	tel, out := start(t, Options{Level: LevelTrace})
	for level, want := range map[slog.Level]string{
		LevelTrace: "trace", slog.LevelDebug: "debug", slog.LevelInfo: "info", slog.LevelInfo + 2: "info",
		slog.LevelWarn: "warn", slog.LevelError: "error", LevelFatal: "fatal", LevelFatal + 4: "fatal", LevelTrace - 4: "trace",
	} {
		if got := logOne(t, out, tel.Logger().Handler(), level, "x"); !strings.HasPrefix(got, `{"level":"`+want+`",`) {
			t.Errorf("level %d begins %.30s, want %s", level, got, want)
		}
	}
}

// TestGroupsKeepIDsAtTheRoot also shows that a child logger's facts nest, that
// the later of two equal names wins, and that empty groups are not shown.
func TestGroupsKeepIDsAtTheRoot(t *testing.T) {
	t.Parallel()
	tel, out := start(t, Options{})
	log := tel.Logger().With("module", "ingest", "stack", "old", "userId", "u1").With("stack", "prod/network")
	tests := []struct {
		name string
		h    slog.Handler
		want string
	}{
		{"group", log.WithGroup("scan").With("id", 7).WithGroup("part").Handler(), `"userId":"u1","module":"ingest","stack":"prod/network","scan":{"id":7,"part":{"a":1}}}`},
		{"plain", log.Handler(), `"userId":"u1","module":"ingest","stack":"prod/network","a":1}`},
	}
	for _, tt := range tests {
		if got := logOne(t, out, tt.h, slog.LevelInfo, "x", slog.Int("a", 1)); !strings.HasSuffix(got, ids.Span+`",`+tt.want+"\n") {
			t.Errorf("%s: line = %s, want it to end in %s", tt.name, got, tt.want)
		}
	}
	if got := logOne(t, out, log.WithGroup("empty").WithGroup("emptier").Handler(), slog.LevelInfo, "x"); strings.Contains(got, "empt") {
		t.Errorf("empty groups are shown: %s", got)
	}
}

// TestFixedKeysCannotBeForged: a JSON object with a key twice means something
// else to every reader.
func TestFixedKeysCannotBeForged(t *testing.T) {
	t.Parallel()
	tel, out := start(t, Options{})
	got := logOne(t, out, tel.Logger().Handler(), slog.LevelInfo, "x",
		slog.String("level", "fatal"),                        //nolint:sloglint // that is the test
		slog.String("msg", "y"), slog.String("service", "z"), //nolint:sloglint // see above
		slog.String("correlationId", "mine"))
	for _, key := range []string{"level", "msg", "service", "correlationId"} {
		if n := strings.Count(got, `"`+key+`":`); n != 1 {
			t.Errorf("key %s is there %d times, want once: %s", key, n, got)
		}
	}
	if !strings.Contains(got, `"level_":"fatal"`) || !strings.Contains(got, `"correlationId":"mine"`) {
		t.Errorf("line = %s, want level_ and the given correlationId", got)
	}
}

func TestLevelChangesAtRunTime(t *testing.T) {
	t.Parallel()
	tel, out := start(t, Options{Level: slog.LevelInfo})
	log := tel.Logger().With("module", "x")
	log.DebugContext(t.Context(), "unheard")
	tel.SetLevel(slog.LevelDebug)
	log.DebugContext(t.Context(), "heard")
	tel.SetLevel(LevelFatal)
	log.ErrorContext(t.Context(), "silenced")
	tel.AuditLogger().InfoContext(t.Context(), "drift approved", "action", "approve")
	var got []any
	for _, line := range out.lines(t) {
		got = append(got, line["msg"])
	}
	if diff := cmp.Diff([]any{"heard", "drift approved"}, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

func TestPrettyLines(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	t.Setenv("TERM", "xterm")
	tel, out := start(t, Options{Pretty: true})
	got := logOne(t, out, tel.Logger().Handler(), slog.LevelWarn, "Request completed",
		slog.String("method", "GET"), slog.String("path", "/api/v1/drifts"), slog.Int("status", 404),
		slog.Group("db", slog.Int("rows", 3)), slog.String("stackTrace", "one\ntwo"), slog.String("evil", "\x1b[2J"))
	want := "WARN Request completed GET /api/v1/drifts " + at.Local().Format("15:04:05.000") + `
  status: 404
  db:
    rows: 3
  stackTrace: one
    two
  evil: �[2J
  correlationId: abc123
  traceId: 4bf92f3577b34da6a3ce929d0e0e4736
  spanId: 00f067aa0ba902b7
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	t.Setenv("NO_COLOR", "")
	tel, out = start(t, Options{Pretty: true})
	if got := logOne(t, out, tel.Logger().Handler(), slog.LevelError, "x"); !strings.HasPrefix(got, red+"ERROR"+plain+" ") {
		t.Errorf("coloured line = %q, want red ERROR first", got)
	}
}

// TestLoggingNeverPanics: values that break when printed are named instead.
func TestLoggingNeverPanics(t *testing.T) {
	t.Parallel()
	tel, out := start(t, Options{})
	var nilTime *time.Time
	var nilBuffer *bytes.Buffer
	tel.Logger().InfoContext(t.Context(), "x", "nilTime", nilTime, "nilBuffer", nilBuffer, "channel", make(chan int), "func", func() {},
		"cycle", cycle(), "nilError", error((*brokenError)(nil)), "nan", nan())
	if line := out.one(t, "x"); line["channel"] != "chan int that does not marshal" || line["nilError"] != "*telemetry.brokenError that does not print" {
		t.Errorf("line = %v", line)
	}
}

type brokenError struct{ text string }

func (e *brokenError) Error() string { return e.text }

func cycle() any {
	m := map[string]any{}
	m["self"] = m
	return m
}

func nan() float64 {
	zero := 0.0
	return zero / zero
}

// TestWriterTroubleIsToldToTheCaller: one sink that fails does not keep a line
// from the others.
func TestWriterTroubleIsToldToTheCaller(t *testing.T) {
	t.Parallel()
	good := &output{}
	core := &logCore{level: new(slog.LevelVar), clean: newRedactor(nil, func(string, string) {}), sinks: []sink{
		newJSONSink(brokenWriter{}, "s", "e"), newJSONSink(good, "s", "e"),
	}}
	err := newHandler(core, false).Handle(context.Background(), slog.NewRecord(at, slog.LevelInfo, "x", 0))
	if !errors.Is(err, errTest) {
		t.Errorf("Handle = %v, want %v", err, errTest)
	}
	if good.String() == "" {
		t.Error("the good sink got nothing")
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errTest }
