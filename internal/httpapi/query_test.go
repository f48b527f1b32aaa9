package httpapi

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
)

func TestQueryTellsEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	tests := []struct {
		query string
		want  []string // the wrong fields, in order
	}{
		{"", nil},
		{"limit=1&severity=critical&open=true&q=web", nil},
		{"limit=0", []string{"limit"}},
		{"limit=101", []string{"limit"}},
		{"limit=ten&severity=grave&open=maybe", []string{"limit", "open", "severity"}},
		{"limit=1&limit=2", []string{"limit"}},
		{"q=%00", []string{"q"}},
		{"q=%ff", []string{"q"}},
		{"q=a%0ab", []string{"q"}},
		{"q=" + strings.Repeat("x", maxParameter+1), []string{"q"}},
		{"servity=critical", []string{"servity"}},
		{"q=%zz", []string{"query"}},
		{"q='; DROP TABLE drifts; --", []string{"query"}}, // a raw ; is no query string
		{"q=%27%3B%20DROP%20TABLE%20drifts%3B%20--", nil},
	}
	for _, tt := range tests {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.URL.RawQuery = tt.query
		q := readQuery(r)
		q.limit()
		choice(q, "severity", drift.Severities())
		q.boolean("open", false)
		q.text("q")
		var got []string
		if e, ok := fault.As(q.err()); ok {
			if e.Kind != fault.Invalid {
				t.Errorf("%q: kind %d, want Invalid", tt.query, e.Kind)
			}
			for _, f := range e.Fields {
				got = append(got, f.Field)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q: wrong fields (-want +got):\n%s", tt.query, diff)
		}
	}
}

func TestCursorsAreRefusedWhenTamperedWith(t *testing.T) {
	t.Parallel()
	type place struct{ At string }
	c := cursors{[]byte("0123456789abcdef0123456789abcdef")}
	sealed, err := c.seal("drifts?status=detected", place{"here"})
	if err != nil {
		t.Fatal(err)
	}
	var got place
	if err := c.open("drifts?status=detected", sealed, &got); err != nil || got.At != "here" {
		t.Fatalf("open(seal(here)) = %+v, %v", got, err)
	}
	other, err := cursors{[]byte("another key")}.seal("drifts?status=detected", place{"here"})
	if err != nil {
		t.Fatal(err)
	}
	bad := map[string]string{
		"cut":            sealed[:len(sealed)-4],
		"not base64":     "!" + sealed[1:],
		"longer":         sealed + "AAAA",
		"empty":          "",
		"other key":      other,
		"only a mac":     base64.RawURLEncoding.EncodeToString(make([]byte, cursorMAC)),
		"another filter": sealed,
	}
	for i := range sealed {
		flipped := []byte(sealed)
		flipped[i] ^= 1
		if err := c.open("drifts?status=detected", string(flipped), &place{}); err == nil {
			t.Errorf("a cursor with byte %d flipped is taken", i)
		}
	}
	for name, cursor := range bad {
		scope := "drifts?status=detected"
		if name == "another filter" {
			scope = "drifts?status=resolved"
		}
		if err := c.open(scope, cursor, &place{}); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}
