package main

import (
	"context"
	"log/slog"

	"github.com/driftsentry/driftsentry/internal/config"
	"github.com/driftsentry/driftsentry/internal/httpapi"
	"github.com/driftsentry/driftsentry/internal/telemetry"
)

// levels are config's level names as slog counts them.
var levels = map[config.Level]slog.Level{
	config.LevelTrace: telemetry.LevelTrace, config.LevelDebug: slog.LevelDebug, config.LevelInfo: slog.LevelInfo,
	config.LevelWarn: slog.LevelWarn, config.LevelError: slog.LevelError, config.LevelFatal: telemetry.LevelFatal,
}

// reloadLevel reads LOG_LEVEL again; one that makes no sense changes nothing.
func (s *service) reloadLevel(ctx context.Context) {
	level, err := config.LoadLevel(s.env)
	if err != nil {
		s.log.WarnContext(ctx, "Log level unchanged", "error", err)
		return
	}
	s.setLevel(ctx, level)
}

// setLevel changes what is logged. The audit log says so at every level.
func (s *service) setLevel(ctx context.Context, level config.Level) {
	before := s.tel.Level()
	s.tel.SetLevel(levels[level])
	s.tel.AuditLogger().InfoContext(ctx, "Log level changed", "module", "service",
		"from", telemetry.LevelName(before), "to", string(level))
}

// logLevel lets admins do the same over the API.
func (s *service) logLevel() httpapi.LogLevel {
	return httpapi.LogLevel{
		Names: config.Levels(),
		Get:   func() string { return telemetry.LevelName(s.tel.Level()) },
		Set:   func(ctx context.Context, level string) { s.setLevel(ctx, config.Level(level)) },
	}
}
