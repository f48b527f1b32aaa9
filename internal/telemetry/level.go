package telemetry

import "log/slog"

// The two levels there are beyond slog's own.
const (
	LevelTrace = slog.Level(-8)
	LevelFatal = slog.Level(12)
)

var levelNames = [...]struct {
	level slog.Level
	name  string
}{
	{LevelTrace, "trace"},
	{slog.LevelDebug, "debug"},
	{slog.LevelInfo, "info"},
	{slog.LevelWarn, "warn"},
	{slog.LevelError, "error"},
	{LevelFatal, "fatal"},
}

// LevelName is the lower-case name of l; a level between two names has the
// lower one's.
func LevelName(l slog.Level) string {
	name := levelNames[0].name
	for _, known := range levelNames {
		if l >= known.level {
			name = known.name
		}
	}
	return name
}
