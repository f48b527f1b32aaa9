package telemetry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/correlation"
)

func TestBackgroundWork(t *testing.T) {
	t.Parallel()
	tel, spans, out := recording(t)
	inner := ""
	if err := tel.Run(t.Context(), "retention", func(ctx context.Context) error {
		inner = correlation.From(ctx).Correlation
		return nil
	}); err != nil || !correlation.Valid(inner) {
		t.Errorf("Run = %v with correlation id %q", err, inner)
	}
	if out.String() != "" {
		t.Errorf("work that went well was logged: %s", out)
	}
	if err := tel.Run(t.Context(), "retention", func(context.Context) error { return fmt.Errorf("sweep: %w", errTest) }); !errors.Is(err, errTest) {
		t.Errorf("Run = %v, want %v", err, errTest)
	}
	line := out.one(t, "Background error")
	if line["level"] != "error" || line["work"] != "retention" || line["error"] != "sweep: the test's error" || line["code"] != codeInternal {
		t.Errorf("Background error = %v", line)
	}
	out.one(t, "Error tracked")
	<-tel.Go(correlation.With(t.Context(), correlation.IDs{Correlation: "abc123"}), "deliver", func(context.Context) error {
		panic("boom password=planted")
	})
	line = out.named(t, "Background error")[1]
	if stack, _ := line["stackTrace"].(string); line["error"] != "panic: boom password=***" || line["correlationId"] != "abc123" || !strings.Contains(stack, "TestBackgroundWork") {
		t.Errorf("Background error = %v", line)
	}
	if got := scrape(t, tel, ""); !strings.Contains(got, `errors_total{code="INTERNAL_ERROR",path="deliver"} 1`) {
		t.Error("the panic was not counted")
	}
	for i, want := range []string{"Unset", "Error", "Error"} {
		if s := spans.Ended()[i]; s.Status().Code.String() != want || plainAttributes(s.Attributes())["correlation_id"] == nil {
			t.Errorf("span %d: %v %v, want %s", i, s.Status(), s.Attributes(), want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tel.Run(ctx, "retention", func(ctx context.Context) error { return ctx.Err() }); !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v", err)
	}
	if n := len(out.named(t, "Background error")); n != 2 {
		t.Errorf("work that was told to stop was logged as an error")
	}
}
