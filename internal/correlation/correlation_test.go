package correlation_test

import (
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/correlation"
)

func TestValid(t *testing.T) {
	t.Parallel()
	tests := []struct {
		id   string
		want bool
	}{
		{"abc123", true},
		{"run:42/7", false},
		{"run:42_7-a.b", true},
		{"", false},
		{strings.Repeat("a", 128), true},
		{strings.Repeat("a", 129), false},
		{"a b", false},
		{"a\nb", false},
		{"ä", false},
		{"a\x00", false},
		{correlation.New(), true},
	}
	for _, tt := range tests {
		if got := correlation.Valid(tt.id); got != tt.want {
			t.Errorf("Valid(%q) = %v, want %v", tt.id, got, tt.want)
		}
	}
}

func TestFromCarriesWhatWithGave(t *testing.T) {
	t.Parallel()
	want := correlation.IDs{Correlation: "abc", Trace: "t", Span: "s"}
	if got := correlation.From(correlation.With(t.Context(), want)); got != want {
		t.Errorf("From = %+v, want %+v", got, want)
	}
	if got := correlation.From(t.Context()); got != (correlation.IDs{}) {
		t.Errorf("From(empty context) = %+v, want the zero value", got)
	}
	if a, b := correlation.New(), correlation.New(); a == b {
		t.Errorf("New gave %q twice", a)
	}
}
