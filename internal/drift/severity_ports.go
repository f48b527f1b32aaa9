package drift

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

const lastPort = 65535

// span is a range of ports, both ends included.
type span struct{ lo, hi int }

// full reports whether the span is every port there is; port 0 is none.
func (s span) full() bool { return s.lo <= 1 && s.hi >= lastPort }

// merged is the union of spans, sorted, with no two that touch. It reuses spans.
func merged(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && s.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, s.hi)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// without is what is in spans and not in taken. Both must be merged.
func without(spans, taken []span) []span {
	var out []span
	for _, s := range spans {
		for len(taken) > 0 && taken[0].hi < s.lo {
			taken = taken[1:]
		}
		for _, t := range taken {
			if t.lo > s.hi {
				break
			}
			if t.lo > s.lo {
				out = append(out, span{s.lo, t.lo - 1})
			}
			s.lo = t.hi + 1
		}
		if s.lo <= s.hi {
			out = append(out, s)
		}
	}
	return out
}

// parseSpans reads "22", "1000-2000", "80,443" or a word for every port.
func parseSpans(text string) []span {
	var spans []span
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		switch strings.ToLower(part) {
		case "*", "any", "all", "0":
			spans = append(spans, span{0, lastPort})
			continue
		}
		from, to, isRange := strings.Cut(part, "-")
		lo, errLo := strconv.Atoi(strings.TrimSpace(from))
		hi, errHi := lo, errLo
		if isRange {
			hi, errHi = strconv.Atoi(strings.TrimSpace(to))
		}
		if errLo == nil && errHi == nil && lo >= 0 && lo <= hi && hi <= lastPort {
			spans = append(spans, span{lo, hi})
		}
	}
	return spans
}

// protocols are the spellings of the protocols that firewalls know. The empty
// one is that of a rule which does not say.
var protocols = map[string]string{
	"": "all", "-1": "all", "all": "all", "any": "all", "*": "all",
	"tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp",
	"icmp": "icmp", "1": "icmp", "icmpv6": "icmp", "ipv6-icmp": "icmp", "58": "icmp",
	"esp": "esp", "50": "esp", "ah": "ah", "51": "ah", "gre": "gre", "47": "gre", "sctp": "sctp", "132": "sctp",
}

// protocolName is one of the names that protocols has, or "other".
func protocolName(text string) string {
	if name, ok := protocols[strings.ToLower(text)]; ok {
		return name
	}
	return "other"
}

// sayServices is how a reason names the open ports of up to two protocols.
func sayServices(ports map[string][]span) string {
	var said []string
	for _, p := range []string{"all", "tcp", "udp", "sctp", "icmp", "gre", "esp", "ah", "other"} {
		if spans := ports[p]; len(spans) > 0 {
			said = append(said, sayPorts(p, spans))
		}
	}
	if len(said) > 2 {
		said = append(said[:2:2], "more")
	}
	return strings.Join(said, " and ")
}

// sayPorts is how a reason names the open ports of a protocol: "port 22",
// "udp ports 53, 1000-2000 and 3 more", "all ports".
func sayPorts(protocol string, spans []span) string {
	prefix := ""
	switch protocol {
	case "all", "tcp":
	case "udp", "sctp":
		prefix = protocol + " "
	case "other":
		return "another protocol"
	default:
		return protocol
	}
	if len(spans) == 1 && spans[0].full() {
		if protocol == "tcp" {
			prefix = "tcp "
		}
		return "all " + prefix + "ports"
	}
	if len(spans) == 1 && spans[0].lo == spans[0].hi {
		return prefix + "port " + strconv.Itoa(spans[0].lo)
	}
	const shown = 3
	var list []string
	for _, s := range spans[:min(len(spans), shown)] {
		if s.lo == s.hi {
			list = append(list, strconv.Itoa(s.lo))
		} else {
			list = append(list, strconv.Itoa(s.lo)+"-"+strconv.Itoa(s.hi))
		}
	}
	said := prefix + "ports " + strings.Join(list, ", ")
	if len(spans) > shown {
		said += " and " + strconv.Itoa(len(spans)-shown) + " more"
	}
	return said
}
