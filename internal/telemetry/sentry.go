package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/getsentry/sentry-go"

	"github.com/driftsentry/driftsentry/internal/correlation"
)

// sentrySink sends unexpected errors to Sentry. Everything it sends was put
// together here from cleaned parts: none of the SDK's integrations run.
type sentrySink struct{ client *sentry.Client }

// sentryTimeout bounds one delivery. The SDK delivers in the background and
// drops what its buffer can't hold.
const sentryTimeout = 5 * time.Second

func newSentrySink(o Options) (*sentrySink, error) {
	client, err := sentry.NewClient(sentry.ClientOptions{
		Dsn: o.SentryDSN, Environment: o.Env, Release: o.Version,
		HTTPClient:   &http.Client{Timeout: sentryTimeout},
		Integrations: func([]sentry.Integration) []sentry.Integration { return nil },
	})
	if err != nil {
		return nil, fmt.Errorf("SENTRY_DSN: %w", err)
	}
	return &sentrySink{client: client}, nil
}

// send queues one event. A nil sink sends nothing.
func (s *sentrySink) send(ctx context.Context, f Failure, group ErrorGroup, clean *redactor) {
	if s == nil {
		return
	}
	ids := correlation.From(ctx)
	event := sentry.NewEvent()
	event.Level = sentry.LevelError
	event.Transaction = group.Where
	event.Fingerprint = []string{group.Fingerprint}
	event.Tags = map[string]string{"code": group.Code, "correlation_id": ids.Correlation}
	event.Contexts["trace"] = sentry.Context{"trace_id": ids.Trace, "span_id": ids.Span}
	if f.Stack != nil {
		event.Contexts["panic"] = sentry.Context{"stack": clean.text(sinkSentry, panicStack(f.Stack))}
	}
	chain := causeErrors(f.Err)
	for _, cause := range slices.Backward(chain) { // Sentry wants the innermost first
		event.Exception = append(event.Exception, sentry.Exception{
			Type: typeName(cause), Value: clean.text(sinkSentry, describe(cause)),
		})
	}
	s.client.CaptureEvent(event, nil, nil)
}

var errSentryUnsent = errors.New("sentry: events were left unsent")

// flush delivers what is queued and stops, within ctx.
func (s *sentrySink) flush(ctx context.Context) error {
	if s == nil {
		return nil
	}
	delivered := s.client.FlushWithContext(ctx)
	closed := make(chan struct{})
	go func() { // Close takes its own time, up to 5 s
		defer close(closed)
		s.client.Close()
	}()
	select {
	case <-closed:
	case <-ctx.Done():
	}
	if !delivered {
		return errSentryUnsent
	}
	return nil
}
