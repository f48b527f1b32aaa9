package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/clientip"
	"github.com/driftsentry/driftsentry/internal/httpapi"
)

// TestLargeHeaders are refused as everything is, by us and not by net/http.
func TestLargeHeaders(t *testing.T) {
	t.Parallel()
	var failures []string
	s := newServer(t, refused(t), func(o *httpapi.Options) {
		o.Report = func(_ *http.Request, f httpapi.Failure) { failures = append(failures, f.Code) }
	})
	h := &house{Server: s, t: t}
	big := strings.Repeat("a", 1<<20)
	for name, a := range map[string]answer{
		"a token of 1 MB": h.do(http.MethodGet, "/api/v1/me", "", "Authorization", "Bearer "+big),
		"a path of 1 MB":  h.do(http.MethodGet, "/"+big, ""),
		"a query of 1 MB": h.do(http.MethodGet, "/api/v1/drifts?q="+big, ""),
		"a probe":         h.do(http.MethodGet, "/health/live", "", "X-Padding", big),
	} {
		a.what = name
		a.refused(413, "PAYLOAD_TOO_LARGE", "headers are larger than 65536 bytes")
		if a.header.Get("Connection") != "close" || len(a.body) > 1000 {
			t.Errorf("%s: Connection %q and %d bytes of an answer, want it closed and short", name, a.header.Get("Connection"), len(a.body))
		}
	}
	if !slices.Equal(failures, []string{"PAYLOAD_TOO_LARGE", "PAYLOAD_TOO_LARGE", "PAYLOAD_TOO_LARGE", "PAYLOAD_TOO_LARGE"}) {
		t.Errorf("reported = %v, want each of them", failures)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/health/live", http.NoBody)
	for range 1000 {
		r.Header.Add("X-Padding", strings.Repeat("a", 100))
	}
	if w := exchange(t, s, r); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("many small headers = %d, want 413", w.Code)
	}
	h.do(http.MethodGet, "/health/live", "", "User-Agent", strings.Repeat("a", 60<<10)).is(http.StatusOK)
}

// TestAProxyThatNobodyTrustsIsToldOfOnce: it is a mistake in the configuration,
// and not news with every request.
func TestAProxyThatNobodyTrustsIsToldOfOnce(t *testing.T) {
	t.Parallel()
	var told []string
	s := newServer(t, refused(t), func(o *httpapi.Options) {
		o.Clients = clientip.Trusting([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
		o.Forwarded = func(_ context.Context, peer string) { told = append(told, peer) }
	})
	for _, tt := range []struct{ peer, forwarded string }{
		{"10.0.0.1:1", "192.0.2.1"}, {"192.0.2.9:1", ""}, {"192.0.2.9:1", "198.51.100.1"}, {"192.0.2.10:1", "198.51.100.1"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/health/live", http.NoBody)
		r.RemoteAddr = tt.peer
		if tt.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tt.forwarded)
		}
		exchange(t, s, r)
	}
	if !slices.Equal(told, []string{"192.0.2.9"}) {
		t.Errorf("told of %v, want of 192.0.2.9 once", told)
	}
}
