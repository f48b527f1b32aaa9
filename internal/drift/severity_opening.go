package drift

import "slices"

// newlyOpen are the ports of one address family, by protocol, that after opens
// to at least the share of it and before did not.
func newlyOpen(before, after []grant, v6 bool, share float64) map[string][]span {
	protocols := []string{"all"} // it covers the others
	for _, g := range after {
		if g.v6 == v6 && !slices.Contains(protocols, g.protocol) {
			protocols = append(protocols, g.protocol)
		}
	}
	open := map[string][]span{}
	for _, p := range protocols {
		spans := without(openSpans(after, v6, p, share), openSpans(before, v6, p, share))
		if p != "all" {
			spans = without(spans, open["all"])
		}
		if len(spans) > 0 {
			open[p] = spans
		}
	}
	if every := open["all"]; len(every) == 1 && every[0].full() {
		return map[string][]span{"all": every}
	}
	return open
}

// maxParts bounds the partial sources that are put together to see whether they
// make a world. Ranges beyond it are not looked at.
const maxParts = 256

// openSpans are the ports of a protocol that grants open to at least the share
// of an address family, merged.
func openSpans(grants []grant, v6 bool, protocol string, share float64) []span {
	var open []span
	var parts []grant
	sum := 0.0
	for _, g := range grants {
		switch {
		case g.v6 != v6 || g.protocol != protocol && g.protocol != "all":
		case g.share() >= share:
			open = append(open, g.span)
		case len(parts) < maxParts:
			parts = append(parts, g)
			sum += g.share()
		}
	}
	if sum >= share {
		open = append(open, together(parts, share)...)
	}
	return merged(open)
}

// together are the ports that no part opens wide enough alone, but all that
// open it do.
func together(parts []grant, share float64) []span {
	var edges []int
	for _, g := range parts {
		edges = append(edges, g.span.lo, g.span.hi+1)
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	var open []span
	for i := 1; i < len(edges); i++ {
		between := span{edges[i-1], edges[i] - 1}
		var sources []source
		for _, g := range parts {
			if g.span.lo <= between.lo && between.hi <= g.span.hi {
				sources = append(sources, g.source)
			}
		}
		if sharedBy(sources) >= share {
			open = append(open, between)
		}
	}
	return open
}

// opensToWorld matches a list of addresses that now holds everybody's.
func opensToWorld(thing string) func(*evidence) (finding, bool) {
	return func(e *evidence) (finding, bool) {
		world := worldIn(appendTexts(nil, e.after))
		return finding{thing, opened, " to " + world},
			world != "" && worldIn(appendTexts(nil, e.before)) != world
	}
}

// opensControlPlane matches a cluster whose API everybody can now reach.
func opensControlPlane(e *evidence) (finding, bool) {
	was, is := e.controlPlane(e.before, true), e.controlPlane(e.after, !e.unknown)
	if e.Action == Create {
		was = ""
	}
	return finding{"control plane", opened, " to " + is}, is != "" && was != is
}

// controlPlane names the world as far as a cluster's API is open to it. Only
// where values are told in full does a missing restriction mean that.
func (e *evidence) controlPlane(values []any, told bool) string {
	value := any(values)
	find := func(path ...string) []string { return appendTexts(nil, appendLeaves(nil, value, path)) }
	var ranges []string
	switch e.Type {
	case "aws_eks_cluster":
		if !slices.Contains(find("endpoint_public_access"), "true") {
			return ""
		}
		ranges = find("public_access_cidrs")
	case "google_container_cluster":
		ranges = find("cidr_blocks", "cidr_block")
	default:
		// A list of addresses in older versions, a block around it in newer ones.
		ranges = slices.Concat(appendTexts(nil, values), find("authorized_ip_ranges"))
	}
	if len(ranges) == 0 && told { // no restriction is the clouds' default
		return worldName(false, true)
	}
	return worldIn(ranges)
}

// opensAddressRange matches a range of addresses that now is at least half of IPv4.
func opensAddressRange(e *evidence) (finding, bool) {
	wide := func(after bool) bool {
		first, last := e.value("start_ip_address", after), e.value("end_ip_address", after)
		if first == nil && last == nil { // as Redis spells them
			first, last = e.value("start_ip", after), e.value("end_ip", after)
		}
		return addressRangeShare(text(first), text(last)) >= worldShare
	}
	return finding{"firewall rule", opened, " to at least half of IPv4"}, wide(true) && (e.Action == Create || !wide(false))
}
