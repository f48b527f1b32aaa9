package drift

import (
	"math"
	"net/netip"
	"slices"
	"strings"
)

// The share of an address family from which on something counts as open to the
// world: two halves written as 0.0.0.0/1 and 128.0.0.0/1 are the Internet, and
// so is all of it but one corner.
const (
	worldShare = 0.5
	wholeShare = 1.0
)

// everyone are the words for every address, in small letters.
var everyone = map[string]bool{"*": true, "any": true, "internet": true, "0.0.0.0": true}

// mappedIPv4 is how IPv6 writes the addresses of IPv4.
const mappedIPv4 = "::ffff:"

// privateBits is the length of the widest private network, 10.0.0.0/8.
const privateBits = 8

// source is a set of addresses of one family.
type source struct {
	v6     bool
	prefix netip.Prefix // of length 0 for the whole family
}

// appendSources appends what text stands for; nothing if it is no address, such
// as the name of a group, or of the own network, or one of hundreds that would
// be needed to make a world.
func appendSources(sources []source, text string) []source {
	slash := strings.LastIndexByte(text, '/')
	if slash >= 0 && len(text)-slash > len("/9") && !strings.HasPrefix(text, mappedIPv4) {
		return sources
	}
	if slash < 0 && everyone[strings.ToLower(text)] {
		return append(sources,
			source{prefix: netip.PrefixFrom(netip.IPv4Unspecified(), 0)},
			source{v6: true, prefix: netip.PrefixFrom(netip.IPv6Unspecified(), 0)})
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return sources
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p.Bits() >= privateBits && p.Addr().IsPrivate() {
		return sources
	}
	return append(sources, source{v6: p.Addr().Is6(), prefix: p.Masked()})
}

// publicIPv6 is all that is in use of IPv6; whoever may reach it all may reach
// everybody.
var publicIPv6 = netip.MustParsePrefix("2000::/3")

// share is how much of its family a source is, from 0 to 1.
func (s source) share() float64 {
	bits := s.prefix.Bits()
	if s.v6 {
		switch {
		case bits <= publicIPv6.Bits() && s.prefix.Overlaps(publicIPv6):
			return 1
		case !s.prefix.Overlaps(publicIPv6):
			return 0
		}
		bits -= publicIPv6.Bits()
	}
	return math.Ldexp(1, -bits)
}

// compare sorts by address, the wider first.
func (s source) compare(other source) int {
	if c := s.prefix.Addr().Compare(other.prefix.Addr()); c != 0 {
		return c
	}
	return s.prefix.Bits() - other.prefix.Bits()
}

// sharedBy is how much of the family sources of one family are together.
func sharedBy(sources []source) float64 {
	slices.SortFunc(sources, source.compare)
	sum, last := 0.0, source{}
	for _, s := range sources {
		// Two prefixes are disjoint or one holds the other, which then sorts first.
		if last.prefix.IsValid() && last.prefix.Overlaps(s.prefix) {
			continue
		}
		sum += s.share()
		last = s
	}
	return sum
}

// worldIn names the world as far as texts, which may hold addresses, are open to
// it: "0.0.0.0/0", "::/0" or most of either. It is empty when they are not.
func worldIn(texts []string) string {
	var families [2][]source
	for _, t := range texts {
		for _, s := range appendSources(nil, t) {
			if s.v6 {
				families[1] = append(families[1], s)
			} else {
				families[0] = append(families[0], s)
			}
		}
	}
	for i, sources := range families {
		if share := sharedBy(sources); share >= worldShare {
			return worldName(i == 1, share >= wholeShare)
		}
	}
	return ""
}

func worldName(v6, whole bool) string {
	switch {
	case v6 && whole:
		return "::/0"
	case v6:
		return "at least half of IPv6"
	case whole:
		return "0.0.0.0/0"
	default:
		return "at least half of IPv4"
	}
}

// addressRangeShare is how much of IPv4 lies between two addresses, both
// included; 0 when they are none or the wrong way round.
func addressRangeShare(from, to string) float64 {
	a, errA := netip.ParseAddr(from)
	b, errB := netip.ParseAddr(to)
	if errA != nil || errB != nil || !a.Is4() || !b.Is4() || b.Less(a) {
		return 0
	}
	number := func(ip netip.Addr) float64 {
		n := 0.0
		for _, octet := range ip.As4() {
			n = n*256 + float64(octet)
		}
		return n
	}
	return (number(b) - number(a) + 1) / (1 << 32)
}
