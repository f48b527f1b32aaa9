package drift

import (
	"slices"
	"strings"
)

// firewall says where a resource type keeps what it lets in. Fields name
// members of a rule.
type firewall struct {
	// blocks is the attribute whose blocks are the rules; empty when the whole
	// resource is one rule.
	blocks     string
	sources    []string
	from, to   string   // numbers
	ports      []string // or texts like "1000-2000"
	protocol   string
	services   string // or blocks of protocol and ports, as Google has them
	direction  string
	inbound    string // the direction's value for what comes in
	verdict    string
	allow      string // the verdict's value for what may pass
	disabled   string
	allTraffic bool // without a protocol, ports are ignored
}

// firewalls are the types whose rules Classify reads. What they refuse is not
// weighed against what they allow: an allow that a refusal shadows today is one
// deleted line away.
var firewalls = map[string]firewall{
	"aws_security_group":         awsGroup,
	"aws_default_security_group": awsGroup,
	"aws_security_group_rule": {
		sources: []string{"cidr_blocks", "ipv6_cidr_blocks"}, from: "from_port", to: "to_port",
		protocol: "protocol", direction: "type", inbound: "ingress", allTraffic: true,
	},
	"aws_vpc_security_group_ingress_rule": {
		sources: []string{"cidr_ipv4", "cidr_ipv6"}, from: "from_port", to: "to_port",
		protocol: "ip_protocol", allTraffic: true,
	},
	"aws_network_acl":         awsACL,
	"aws_default_network_acl": awsACL,
	"aws_network_acl_rule": {
		sources: []string{"cidr_block", "ipv6_cidr_block"}, from: "from_port", to: "to_port", protocol: "protocol",
		direction: "egress", inbound: "false", verdict: "rule_action", allow: "allow", allTraffic: true,
	},
	"google_compute_firewall": {
		sources: []string{"source_ranges"}, services: "allow", disabled: "disabled", // sources are for ingress only
	},
	"azurerm_network_security_group": azureGroup,
	"azurerm_network_security_rule":  azureRule,
	"openstack_networking_secgroup_rule_v2": {
		sources: []string{"remote_ip_prefix"}, from: "port_range_min", to: "port_range_max",
		protocol: "protocol", direction: "direction", inbound: "ingress", allTraffic: true,
	},
	"openstack_compute_secgroup_v2": {
		blocks: "rule", sources: []string{"cidr"}, from: "from_port", to: "to_port", protocol: "ip_protocol",
	},
	"digitalocean_firewall": {
		blocks: "inbound_rule", sources: []string{"source_addresses"}, ports: []string{"port_range"}, protocol: "protocol",
	},
	"hcloud_firewall": {
		blocks: "rule", sources: []string{"source_ips"}, ports: []string{"port"}, protocol: "protocol",
		direction: "direction", inbound: "in",
	},
}

var (
	awsGroup = firewall{
		blocks: "ingress", sources: []string{"cidr_blocks", "ipv6_cidr_blocks"},
		from: "from_port", to: "to_port", protocol: "protocol", allTraffic: true,
	}
	awsACL = firewall{
		blocks: "ingress", sources: []string{"cidr_block", "ipv6_cidr_block"},
		from: "from_port", to: "to_port", protocol: "protocol", verdict: "action", allow: "allow", allTraffic: true,
	}
	azureRule = firewall{
		sources:  []string{"source_address_prefix", "source_address_prefixes"},
		ports:    []string{"destination_port_range", "destination_port_ranges"},
		protocol: "protocol", direction: "direction", inbound: "Inbound", verdict: "access", allow: "Allow",
	}
	azureGroup = firewall{
		blocks: "security_rule", sources: azureRule.sources, ports: azureRule.ports,
		protocol: azureRule.protocol, direction: azureRule.direction, inbound: azureRule.inbound,
		verdict: azureRule.verdict, allow: azureRule.allow,
	}
)

// firewallTypes are the keys of firewalls.
func firewallTypes() []string {
	var types []string
	for t := range firewalls {
		types = append(types, t)
	}
	slices.Sort(types)
	return types
}

// firewallAttributes are the attributes that any of firewalls reads.
func firewallAttributes() []string {
	var names []string
	for _, fw := range firewalls {
		if fw.blocks != "" {
			names = append(names, fw.blocks)
			continue
		}
		names = append(names, fw.sources...)
		names = append(names, fw.ports...)
		names = append(names, fw.from, fw.to, fw.protocol, fw.services, fw.direction, fw.verdict, fw.disabled)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(n string) bool { return n == "" })
}

// grant is one thing a firewall lets in.
type grant struct {
	source
	protocol string // as protocols spells it
	span     span
}

// Bounds on what is read of one resource, above what the clouds accept.
const (
	maxRules  = 4096
	maxGrants = 1024 // to wide sources
)

// grants are what the firewall lets wide sources do, read from the values that
// get yields.
func (fw *firewall) grants(get func(string) any) []grant {
	if fw.blocks == "" {
		return fw.appendRule(nil, get)
	}
	list, ok := get(fw.blocks).([]any)
	if !ok {
		return nil
	}
	var grants []grant
	for _, block := range list[:min(len(list), maxRules)] {
		if m, ok := block.(map[string]any); ok {
			grants = fw.appendRule(grants, func(name string) any { return m[name] })
		}
	}
	return grants
}

func (fw *firewall) appendRule(grants []grant, get func(string) any) []grant {
	differs := func(member, want string) bool {
		is := ""
		if member != "" {
			is = text(get(member))
		}
		return is != "" && !strings.EqualFold(is, want)
	}
	if differs(fw.direction, fw.inbound) || differs(fw.verdict, fw.allow) || differs(fw.disabled, "false") {
		return grants
	}
	var sources []source
	for _, member := range fw.sources {
		for _, t := range appendTexts(nil, get(member)) {
			sources = appendSources(sources, t)
		}
	}
	if len(sources) == 0 {
		return grants
	}
	slices.SortFunc(sources, source.compare)
	sources = slices.Compact(sources)
	for _, service := range fw.servicesOf(get) {
		for _, s := range sources {
			if len(grants) >= maxGrants {
				return grants
			}
			grants = append(grants, grant{source: s, protocol: service.protocol, span: service.span})
		}
	}
	return grants
}

// servicesOf are the protocols and ports of one rule, as grants without source.
func (fw *firewall) servicesOf(get func(string) any) []grant {
	if fw.services == "" {
		return fw.appendServices(nil, text(get(fw.protocol)), fw.portsOf(get))
	}
	list, ok := get(fw.services).([]any)
	if !ok {
		return nil // a rule that only refuses
	}
	var services []grant
	for _, block := range list[:min(len(list), maxRules)] {
		if m, ok := block.(map[string]any); ok {
			var spans []span
			for _, t := range appendTexts(nil, m["ports"]) {
				spans = append(spans, parseSpans(t)...)
			}
			services = fw.appendServices(services, text(m["protocol"]), spans)
		}
	}
	return services
}

func (fw *firewall) appendServices(services []grant, protocol string, spans []span) []grant {
	name := protocolName(protocol)
	ported := name == "tcp" || name == "udp" || name == "sctp" || name == "all" && (!fw.allTraffic || protocol == "")
	if len(spans) == 0 || !ported {
		spans = []span{{0, lastPort}}
	}
	for _, s := range spans {
		if s.full() {
			s = span{0, lastPort}
		}
		services = append(services, grant{protocol: name, span: s})
	}
	return services
}

// portsOf are the ports of one rule; none where it does not tell.
func (fw *firewall) portsOf(get func(string) any) []span {
	if fw.from != "" {
		from, ok := number(get(fw.from))
		if !ok || from < 0 || from > lastPort {
			return nil
		}
		to, ok := number(get(fw.to))
		if !ok || to < from || to > lastPort {
			to = from
		}
		return []span{{int(from), int(to)}}
	}
	var spans []span
	for _, member := range fw.ports {
		for _, t := range appendTexts(nil, get(member)) {
			spans = append(spans, parseSpans(t)...)
		}
	}
	return spans
}
