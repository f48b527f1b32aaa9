// Package clientip finds the address a request really came from when trusted
// proxies stand in front of us. It believes a header only from such a proxy.
package clientip

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Resolver knows which proxies may speak for their clients. The zero Resolver
// trusts none.
type Resolver struct{ trusted []netip.Prefix }

// Trusting returns a Resolver that believes X-Forwarded-For from these networks.
func Trusting(networks []netip.Prefix) Resolver { return Resolver{trusted: networks} }

// Of is the address of the client behind r: X-Forwarded-For read from the
// right past every trusted proxy, else the peer itself. It is the zero Addr
// when the peer has none, as on a unix socket.
func (v Resolver) Of(r *http.Request) netip.Addr {
	peer := Peer(r)
	if !v.Trusts(peer) {
		return peer
	}
	client := peer
	// Several header lines are one list (RFC 9110 section 5.3).
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, text := range slices.Backward(hops) {
		hop, err := parse(strings.TrimSpace(text))
		if err != nil {
			break // whatever stands further left was written by somebody we can't name
		}
		client = hop.Unmap()
		if !v.Trusts(client) {
			break
		}
	}
	return client
}

// parse reads an address, with a port behind it as some proxies write it.
func parse(text string) (netip.Addr, error) {
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr(), nil
	}
	return netip.ParseAddr(text)
}

// Trusts reports whether addr is one of the trusted proxies.
func (v Resolver) Trusts(addr netip.Addr) bool {
	for _, network := range v.trusted {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// Peer is the address at the other end of r's connection.
func Peer(r *http.Request) netip.Addr {
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return ap.Addr().Unmap()
	}
	return netip.Addr{}
}

// Holder is what whoever has an address is counted by: the address itself, or
// of IPv6 the /64 network, which is the least that anybody is given.
func Holder(addr netip.Addr) string {
	if addr.Is6() && !addr.Is4In6() {
		if network, err := addr.Prefix(64); err == nil {
			return network.String()
		}
	}
	return addr.String()
}
