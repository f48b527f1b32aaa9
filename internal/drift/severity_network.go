package drift

import "slices"

// networkRules are about who can get in.
var networkRules = []rule{
	{
		// Scanners find an open port within minutes.
		name: "ingress opened", severity: Critical,
		types: firewallTypes(), attributes: firewallAttributes(),
		find: opensIngress(anyIngress),
	},
	{
		// Answering ping tells that a host is there and lets nobody in.
		name: "ingress opened to ping", severity: Warning,
		types: firewallTypes(), attributes: firewallAttributes(),
		find: opensIngress(pingOnly),
	},
	{
		// A web port in code that somebody reviews is what the Internet is for.
		// The same port opened behind the code's back is not, and is critical.
		name: "web ingress planned", severity: Warning,
		types: firewallTypes(), attributes: firewallAttributes(),
		find: opensIngress(plannedWeb),
	},
	{
		// Whoever reaches a cluster's control plane is one token away from all of it.
		name: "control plane opened", severity: Critical,
		types: []string{"aws_eks_cluster", "google_container_cluster", "azurerm_kubernetes_cluster"},
		attributes: []string{
			"vpc_config", "master_authorized_networks_config",
			"api_server_access_profile", "api_server_authorized_ip_ranges",
		},
		find: opensControlPlane,
	},
	{
		// The password is then all that stands between a database and everybody.
		name: "database opened", severity: Critical,
		types:      []string{"google_sql_database_instance", "google_alloydb_instance"},
		attributes: []string{"settings.ip_configuration.authorized_networks.value", "network_config.authorized_external_networks.cidr_range"},
		find:       opensToWorld("database"),
	},
	{
		// Azure's database firewalls are ranges. 0.0.0.0 to 0.0.0.0 means Azure's
		// own services and is not meant here.
		name: "address range opened", severity: Critical,
		types:      []string{"azurerm_*_firewall_rule"},
		attributes: []string{"start_ip_address", "end_ip_address", "start_ip", "end_ip"},
		find:       opensAddressRange,
	},
	{
		// The lists of allowed networks mean nothing once everything else is allowed.
		name: "default network action allows", severity: Critical,
		types:      []string{"azurerm_*"},
		attributes: []string{"network_rules.default_action", "network_acls.default_action", "network_rule_set.default_action", "default_action"},
		find:       turnsFrom(finding{"network access", allowed, " by default"}, "Deny"),
	},
	{
		// Databases, brokers and replication servers that get a public address.
		name: "public address given", severity: Critical,
		attributes: []string{"publicly_accessible"},
		find:       becomes(finding{"public access", allowed, ""}, "true"),
	},
	{
		// On by default in Azure, so only the change is news, not a new resource.
		name: "public network access", severity: Critical,
		types:      []string{"azurerm_*"},
		attributes: []string{"public_network_access_enabled", "public_network_access"},
		find:       turnedOn(finding{"public network access", turned, " on"}),
	},
	{
		// A control plane, registry or service that only the own network could reach.
		name: "private access off", severity: Critical,
		attributes: []string{"private_cluster_enabled", "private_cluster_config.enable_private_endpoint"},
		find:       turnedOff(finding{"private access", turned, " off"}),
	},
	{
		// What was built to be called from inside rarely asks who is calling.
		name: "load balancer made public", severity: Critical,
		types: []string{"aws_lb", "aws_alb", "aws_elb"}, attributes: []string{"internal"},
		find: turnedOff(finding{"load balancer", made, " Internet-facing"}),
	},
	{
		name: "forwarding rule made public", severity: Critical, // the same at Google
		types: []string{"google_compute_*forwarding_rule"}, attributes: []string{"load_balancing_scheme"},
		find: turnsFrom(finding{"load balancer", made, " Internet-facing"},
			"INTERNAL", "INTERNAL_MANAGED", "INTERNAL_SELF_MANAGED"),
	},
	{
		// Anybody with the address can then run, and make us pay for, the function.
		name: "function opened", severity: Critical,
		types: []string{"aws_lambda_function_url"}, attributes: []string{"authorization_type"},
		find: becomes(finding{"function URL", opened, " to anyone"}, "NONE"),
	},
	{
		name: "function granted", severity: Critical, // the same by a permission
		types: []string{"aws_lambda_permission"}, attributes: []string{"principal"},
		find: becomes(finding{"function access", granted, ` to principal "*"`}, "*"),
	},
}

// opening is what a firewall newly lets everybody do over one address family.
type opening struct {
	world   string
	ports   map[string][]span // by protocol
	anyPort bool              // the report does not tell the ports
	anyWay  bool              // nor whether it is about what comes in
}

// opensIngress matches a firewall that lets everybody do what meant describes
// and did not before. An unchanged open port next to a changed rule is no news.
func opensIngress(meant func(*evidence, *opening) bool) func(*evidence) (finding, bool) {
	return func(e *evidence) (finding, bool) {
		if e.ingress == nil { // several rules ask
			e.ingress = e.opens()
		}
		i := slices.IndexFunc(e.ingress, func(o opening) bool { return meant(e, &o) })
		if i < 0 {
			return finding{}, false
		}
		o := &e.ingress[i]
		thing, rest := "ingress", " to "+o.world
		if o.anyWay {
			thing = "firewall rule"
		}
		if !o.anyPort {
			rest += " on " + sayServices(o.ports)
		}
		return finding{thing, opened, rest}, true
	}
}

func anyIngress(e *evidence, o *opening) bool { return !pingOnly(e, o) && !plannedWeb(e, o) }

func pingOnly(_ *evidence, o *opening) bool { return len(o.ports) == 1 && o.ports["icmp"] != nil }

func plannedWeb(e *evidence, o *opening) bool {
	web := len(o.ports) == 1 && o.ports["tcp"] != nil
	for _, s := range o.ports["tcp"] {
		web = web && (s == span{80, 80} || s == span{443, 443})
	}
	return e.Origin == Pending && web
}

// opens compares what the firewall lets in after the change with what it did. It
// is never nil.
func (e *evidence) opens() []opening {
	fw := firewalls[e.Type]
	// What a new resource does not have it has not; of a changed one it may only
	// be unchanged.
	told := e.Values != nil || e.Action == Create
	if !told && e.value(fw.services, true) == nil {
		fw.services = ""
	}
	get := func(name string) any { return e.value(name, true) }
	after := fw.grants(get)
	openings := []opening{}
	if len(after) == 0 {
		return openings
	}
	var before []grant
	if e.Action != Create {
		before = fw.grants(func(name string) any { return e.value(name, false) })
	}
	single := fw.blocks == "" && !told
	o := opening{
		anyPort: single && fw.services == "" && get(fw.protocol) == nil && len(fw.portsOf(get)) == 0,
		anyWay:  single && fw.direction != "" && get(fw.direction) == nil,
	}
	for _, v6 := range []bool{false, true} {
		o.ports = newlyOpen(before, after, v6, worldShare)
		if len(o.ports) > 0 {
			o.world = worldName(v6, len(newlyOpen(before, after, v6, wholeShare)) > 0)
			openings = append(openings, o)
		}
	}
	return openings
}

// value is a top-level attribute on one side of the change; an unchanged one is
// looked up among Values.
func (e *evidence) value(name string, after bool) any {
	for i := range e.Attributes {
		if a := &e.Attributes[i]; a.Name == name {
			if after {
				return a.After
			}
			return a.Before
		}
	}
	return e.Values[name]
}
