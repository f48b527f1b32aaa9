package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// LogLevel reads and changes the level of the log of this process, by name. It
// has no bearing on the audit trail.
type LogLevel struct {
	// Names are the levels there are, from the one that shows most.
	Names []string
	Get   func() string
	Set   func(ctx context.Context, level string)
}

type levelBody struct {
	Level string `json:"level" needed:"true"`
}

// getLogLevel answers GET /api/v1/log-level.
func (s *Server) getLogLevel(w http.ResponseWriter, r *http.Request, _ *caller) error {
	if err := readQuery(r).err(); err != nil {
		return err
	}
	return ok(w, http.StatusOK, levelBody{s.LogLevel.Get()})
}

// putLogLevel answers PUT /api/v1/log-level. Who turned the log down is known
// before it is down.
func (s *Server) putLogLevel(w http.ResponseWriter, r *http.Request, c *caller) error {
	if err := readQuery(r).err(); err != nil {
		return err
	}
	var body levelBody
	if err := readBody(w, r, &body); err != nil {
		return err
	}
	if !slices.Contains(s.LogLevel.Names, body.Level) {
		return fault.BadField("level", "must be one of "+list(s.LogLevel.Names))
	}
	detail, err := json.Marshal(map[string]string{"from": s.LogLevel.Get(), "to": body.Level})
	if err != nil {
		return fmt.Errorf("facts of an event: %w", err)
	}
	err = s.DB.InTx(r.Context(), func(tx *postgres.Tx) error {
		return tx.RecordEvent(r.Context(), audit.Event{
			At: time.Now(), Action: audit.LogLevelChanged, Actor: c.from, Detail: detail, IDs: correlation.From(r.Context()),
		})
	})
	if err != nil {
		return fmt.Errorf("record the change of the log level: %w", err)
	}
	s.LogLevel.Set(r.Context(), body.Level)
	return ok(w, http.StatusOK, body)
}
