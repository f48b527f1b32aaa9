package clientip_test

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/driftsentry/driftsentry/internal/clientip"
)

func TestOf(t *testing.T) {
	t.Parallel()
	proxies := clientip.Trusting([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")})
	tests := []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"no proxy", "192.0.2.1:4000", nil, "192.0.2.1"},
		{"a stranger cannot claim an address", "192.0.2.1:4000", []string{"198.51.100.7"}, "192.0.2.1"},
		{"one proxy", "10.0.0.1:4000", []string{"198.51.100.7"}, "198.51.100.7"},
		{"the client cannot prepend one", "10.0.0.1:4000", []string{"203.0.113.9, 198.51.100.7"}, "198.51.100.7"},
		{"two proxies", "10.0.0.1:4000", []string{"198.51.100.7, 10.2.3.4"}, "198.51.100.7"},
		{"several header lines", "10.0.0.1:4000", []string{"198.51.100.7", "10.2.3.4"}, "198.51.100.7"},
		{"garbage ends the walk", "10.0.0.1:4000", []string{"198.51.100.7, who knows, 10.2.3.4"}, "10.2.3.4"},
		{"a proxy without a header", "10.0.0.1:4000", nil, "10.0.0.1"},
		{"IPv6 proxy and client", "[fd00::1]:4000", []string{"2001:db8::7"}, "2001:db8::7"},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:4000", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		{"with ports, as Azure writes them", "10.0.0.1:4000", []string{"198.51.100.7:5678, [fd00::2]:443"}, "198.51.100.7"},
		{"a unix socket has no address", "@", nil, "invalid IP"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &http.Request{RemoteAddr: tt.peer, Header: http.Header{}}
			for _, line := range tt.forwarded {
				r.Header.Add("X-Forwarded-For", line)
			}
			if got := proxies.Of(r).String(); got != tt.want {
				t.Errorf("Of(peer %s, X-Forwarded-For %q) = %s, want %s", tt.peer, tt.forwarded, got, tt.want)
			}
		})
	}
}

func TestHolder(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"203.0.113.7": "203.0.113.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::9": "2001:db8:1:2::/64",
		"::ffff:203.0.113.7": "::ffff:203.0.113.7",
	} {
		if got := clientip.Holder(netip.MustParseAddr(address)); got != want {
			t.Errorf("Holder(%s) = %s, want %s", address, got, want)
		}
	}
}
