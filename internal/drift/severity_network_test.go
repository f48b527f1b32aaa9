package drift

import (
	"encoding/json"
	"slices"
)

var networkCases = slices.Concat(firewallCases, endpointCases)

var firewallCases = []ruleCases{
	{
		rule: "ingress opened",
		hits: []hit{
			{
				update("aws_security_group", "ingress", "["+tcp(443, 443, "10.0.0.0/8")+"]",
					"["+tcp(22, 22, "0.0.0.0/0")+","+tcp(443, 443, "10.0.0.0/8")+"]"),
				"ingress opened to 0.0.0.0/0 on port 22",
			},
			{
				pending(update("aws_security_group", "ingress", "[]", "["+tcp(22, 22, "0.0.0.0/0")+"]")),
				"would open ingress to 0.0.0.0/0 on port 22",
			},
			{
				update("aws_default_security_group", "ingress", "[]",
					`[{"protocol":"-1","from_port":0,"to_port":0,"ipv6_cidr_blocks":["::/0"]}]`),
				"ingress opened to ::/0 on all ports",
			},
			{
				create("aws_vpc_security_group_ingress_rule", "cidr_ipv4", `"0.0.0.0/0"`, "ip_protocol", `"tcp"`, "from_port", "1000", "to_port", "2000"),
				"would open ingress to 0.0.0.0/0 on ports 1000-2000",
			},
			{
				beside(`{"type":"ingress","protocol":"udp","from_port":53,"to_port":53}`,
					update("aws_security_group_rule", "cidr_blocks", `["10.0.0.0/8"]`, `["0.0.0.0/0"]`)),
				"ingress opened to 0.0.0.0/0 on udp port 53",
			},
			{
				update("aws_security_group_rule", "cidr_blocks", `["10.0.0.0/8"]`, `["0.0.0.0/0"]`),
				"firewall rule opened to 0.0.0.0/0",
			},
			{
				update("aws_network_acl", "ingress", "[]",
					`[{"action":"allow","protocol":"6","from_port":3389,"to_port":3389,"cidr_block":"0.0.0.0/0"}]`),
				"ingress opened to 0.0.0.0/0 on port 3389",
			},
			{
				create("aws_network_acl_rule", "egress", "false", "rule_action", `"allow"`, "protocol", `"-1"`, "cidr_block", `"0.0.0.0/0"`),
				"would open ingress to 0.0.0.0/0 on all ports",
			},
			{
				update("google_compute_firewall", "source_ranges", `["10.0.0.0/8"]`, `["0.0.0.0/0"]`,
					"allow", `[{"protocol":"tcp","ports":["443"]}]`, `[{"protocol":"tcp","ports":["22","8000-8080"]},{"protocol":"udp","ports":[]}]`),
				"ingress opened to 0.0.0.0/0 on ports 22, 8000-8080 and all udp ports",
			},
			{
				beside(`{"allow":[{"protocol":"all","ports":[]}]}`, update("google_compute_firewall", "disabled", "true", "false", "source_ranges", `["0.0.0.0/0"]`, `["0.0.0.0/0"]`)),
				"ingress opened to 0.0.0.0/0 on all ports",
			},
			{
				update("azurerm_network_security_group", "security_rule", "[]",
					`[{"access":"Allow","direction":"Inbound","protocol":"Tcp","destination_port_range":"3389","source_address_prefix":"Internet"}]`),
				"ingress opened to 0.0.0.0/0 on port 3389",
			},
			{
				update("azurerm_network_security_rule", "access", `"Deny"`, `"Allow"`, "direction", `"Inbound"`, `"Inbound"`,
					"protocol", `"*"`, `"*"`, "destination_port_range", `"*"`, `"*"`, "source_address_prefix", `"*"`, `"*"`),
				"ingress opened to 0.0.0.0/0 on all ports",
			},
			{
				update("azurerm_network_security_rule", "source_address_prefixes", `["10.0.0.0/8"]`, `["0.0.0.0/0"]`),
				"firewall rule opened to 0.0.0.0/0",
			},
			{
				create("openstack_networking_secgroup_rule_v2", "direction", `"ingress"`, "protocol", `"tcp"`,
					"port_range_min", "22", "port_range_max", "22", "remote_ip_prefix", `"0.0.0.0/0"`),
				"would open ingress to 0.0.0.0/0 on port 22",
			},
			{
				update("openstack_compute_secgroup_v2", "rule", "[]", `[{"cidr":"0.0.0.0/0","ip_protocol":"tcp","from_port":22,"to_port":22}]`),
				"ingress opened to 0.0.0.0/0 on port 22",
			},
			{
				update("digitalocean_firewall", "inbound_rule", "[]",
					`[{"protocol":"tcp","port_range":"all","source_addresses":["0.0.0.0/0","::/0"]}]`),
				"ingress opened to 0.0.0.0/0 on all tcp ports",
			},
			{
				update("hcloud_firewall", "rule", "[]", `[{"direction":"in","protocol":"tcp","port":"80-85","source_ips":["::/0"]}]`),
				"ingress opened to ::/0 on ports 80-85",
			},
			// Open before, and now on another port as well: only that one is news.
			{
				update("aws_security_group", "ingress", "["+tcp(443, 443, "0.0.0.0/0")+"]", "["+tcp(443, 443, "0.0.0.0/0")+","+tcp(22, 22, "0.0.0.0/0")+"]"),
				"ingress opened to 0.0.0.0/0 on port 22",
			},
			{
				update("aws_security_group", "ingress", "["+tcp(443, 443, "0.0.0.0/0")+"]", "["+tcp(440, 445, "0.0.0.0/0")+"]"),
				"ingress opened to 0.0.0.0/0 on ports 440-442, 444-445",
			},
			// The world in two halves, and all of it but a corner.
			{
				update("aws_security_group", "ingress", "[]", "["+tcp(22, 22, "0.0.0.0/1", "128.0.0.0/1")+"]"),
				"ingress opened to 0.0.0.0/0 on port 22",
			},
			{
				update("aws_security_group", "ingress", "[]", "["+tcp(20, 30, "0.0.0.0/1")+","+tcp(25, 40, "128.0.0.0/2")+"]"),
				"ingress opened to at least half of IPv4 on ports 20-30",
			},
			// Harmless over one family of addresses, and not over the other.
			{
				update("aws_security_group", "ingress", "[]", `[{"protocol":"icmp","cidr_blocks":["0.0.0.0/0"]},
					{"protocol":"tcp","from_port":22,"to_port":22,"ipv6_cidr_blocks":["::/0"]}]`),
				"ingress opened to ::/0 on port 22",
			},
			// A web port opened behind the code's back.
			{
				update("aws_security_group", "ingress", "[]", "["+tcp(443, 443, "0.0.0.0/0")+"]"),
				"ingress opened to 0.0.0.0/0 on port 443",
			},
			{
				unknown(update("aws_security_group", "ingress", "[]", "["+tcp(22, 22, "0.0.0.0/0")+"]")),
				"would open ingress to 0.0.0.0/0 on port 22",
			},
		},
		miss: []Subject{
			update("aws_security_group", "ingress", "[]", "["+tcp(22, 22, "10.0.0.0/8", "192.168.0.0/16")+"]"),
			update("aws_security_group", "egress", "[]", "["+tcp(0, 65535, "0.0.0.0/0")+"]"),
			update("aws_vpc", "cidr_block", `"10.0.0.0/8"`, `"0.0.0.0/0"`),
			beside(`{"type":"egress","protocol":"-1"}`, update("aws_security_group_rule", "cidr_blocks", `[]`, `["0.0.0.0/0"]`)),
			create("aws_network_acl_rule", "egress", "true", "rule_action", `"allow"`, "protocol", `"-1"`, "cidr_block", `"0.0.0.0/0"`),
			create("aws_network_acl_rule", "egress", "false", "rule_action", `"deny"`, "protocol", `"-1"`, "cidr_block", `"0.0.0.0/0"`),
			create("google_compute_firewall", "source_ranges", `["0.0.0.0/0"]`, "deny", `[{"protocol":"all"}]`),
			update("azurerm_network_security_group", "security_rule", "[]",
				`[{"access":"Deny","direction":"Inbound","protocol":"*","destination_port_range":"*","source_address_prefix":"*"},
				  {"access":"Allow","direction":"Outbound","protocol":"*","destination_port_range":"*","source_address_prefix":"*"}]`),
			update("hcloud_firewall", "rule", "[]", `[{"direction":"out","protocol":"tcp","port":"any","destination_ips":["0.0.0.0/0"]}]`),
			pending(update("aws_security_group", "ingress", "["+tcp(22, 22, "0.0.0.0/0")+"]", "[]")),
		},
		stale: []Subject{
			update("aws_security_group", "ingress",
				`[{"protocol":"tcp","from_port":22,"to_port":22,"cidr_blocks":["0.0.0.0/0"],"description":"a"}]`,
				`[{"protocol":"tcp","from_port":22,"to_port":22,"cidr_blocks":["0.0.0.0/0"],"description":"b"}]`),
			update("aws_security_group", "ingress", "["+tcp(0, 65535, "0.0.0.0/0")+"]", "["+tcp(22, 22, "0.0.0.0/1", "128.0.0.0/1")+"]"),
			update("aws_security_group", "ingress", `[{"protocol":"-1","from_port":0,"to_port":0,"cidr_blocks":["0.0.0.0/0"]}]`,
				"["+tcp(22, 22, "0.0.0.0/0")+"]"),
			beside(`{"cidr_ipv4":"0.0.0.0/0","ip_protocol":"tcp","from_port":22,"to_port":22}`,
				update("aws_vpc_security_group_ingress_rule", "description", `"a"`, `"b"`)),
			update("azurerm_network_security_rule", "source_address_prefix", `"*"`, `"Internet"`),
		},
	},
	{
		rule: "ingress opened to ping",
		hits: []hit{
			{
				update("aws_security_group", "ingress", "[]", `[{"protocol":"icmp","from_port":8,"to_port":0,"cidr_blocks":["0.0.0.0/0"]}]`),
				"ingress opened to 0.0.0.0/0 on icmp",
			},
		},
		miss: []Subject{update("aws_security_group", "ingress", "[]",
			`[{"protocol":"icmp","from_port":-1,"to_port":-1,"cidr_blocks":["0.0.0.0/0"]},`+tcp(22, 22, "0.0.0.0/0")+`]`)},
		stale: []Subject{update("aws_security_group", "ingress",
			`[{"protocol":"icmp","from_port":8,"to_port":0,"cidr_blocks":["0.0.0.0/0"]}]`,
			`[{"protocol":"1","from_port":-1,"to_port":-1,"cidr_blocks":["0.0.0.0/0"]}]`)},
	},
	{
		rule: "web ingress planned",
		hits: []hit{
			{
				create("aws_security_group", "ingress", "["+tcp(443, 443, "0.0.0.0/0")+","+tcp(80, 80, "0.0.0.0/0")+"]"),
				"would open ingress to 0.0.0.0/0 on ports 80, 443",
			},
		},
		miss: []Subject{
			outside(create("aws_security_group", "ingress", "["+tcp(443, 443, "0.0.0.0/0")+"]")),
			create("aws_security_group", "ingress", "["+tcp(443, 443, "0.0.0.0/0")+","+tcp(22, 22, "0.0.0.0/0")+"]"),
		},
		stale: []Subject{pending(update("aws_security_group", "ingress", "["+tcp(443, 443, "0.0.0.0/0")+"]", "["+tcp(443, 443, "0.0.0.0/0", "10.0.0.0/8")+"]"))},
	},
	{
		rule: "control plane opened",
		hits: []hit{
			{
				update("aws_eks_cluster", "vpc_config", `[{"endpoint_public_access":false}]`, `[{"endpoint_public_access":true,"public_access_cidrs":["0.0.0.0/0"]}]`),
				"control plane opened to 0.0.0.0/0",
			},
			{
				update("google_container_cluster", "master_authorized_networks_config", `[{"cidr_blocks":[{"cidr_block":"10.0.0.0/8"}]}]`, `[]`),
				"control plane opened to 0.0.0.0/0",
			},
			{
				update("azurerm_kubernetes_cluster", "api_server_access_profile", `[{"authorized_ip_ranges":["198.51.100.0/24"]}]`, `[{"authorized_ip_ranges":["0.0.0.0/0"]}]`),
				"control plane opened to 0.0.0.0/0",
			},
			{
				update("azurerm_kubernetes_cluster", "api_server_authorized_ip_ranges", `["198.51.100.0/24"]`, `[]`),
				"control plane opened to 0.0.0.0/0",
			},
		},
		miss: []Subject{
			update("aws_eks_cluster", "vpc_config", `[{"endpoint_public_access":false}]`, `[{"endpoint_public_access":false,"public_access_cidrs":["0.0.0.0/0"]}]`),
			update("aws_eks_cluster", "vpc_config", `[{"endpoint_public_access":false}]`, `[{"endpoint_public_access":true,"public_access_cidrs":["198.51.100.0/24"]}]`),
			unknown(update("google_container_cluster", "master_authorized_networks_config", `[{"cidr_blocks":[{"cidr_block":"10.0.0.0/8"}]}]`, ``)),
		},
		stale: []Subject{update("aws_eks_cluster", "vpc_config",
			`[{"endpoint_public_access":true,"public_access_cidrs":["0.0.0.0/0"],"security_group_ids":[]}]`,
			`[{"endpoint_public_access":true,"public_access_cidrs":["0.0.0.0/0"],"security_group_ids":["sg-1"]}]`)},
	},
	{
		rule: "database opened",
		hits: []hit{{
			update("google_sql_database_instance", "settings",
				`[{"ip_configuration":[{"authorized_networks":[]}]}]`,
				`[{"ip_configuration":[{"authorized_networks":[{"name":"all","value":"0.0.0.0/0"}]}]}]`),
			"database opened to 0.0.0.0/0",
		}},
		miss: []Subject{update("google_sql_database_instance", "settings", `[]`,
			`[{"ip_configuration":[{"authorized_networks":[{"value":"198.51.100.7/32"}]}]}]`)},
		stale: []Subject{update("google_sql_database_instance", "settings",
			`[{"tier":"a","ip_configuration":[{"authorized_networks":[{"value":"0.0.0.0/0"}]}]}]`,
			`[{"tier":"b","ip_configuration":[{"authorized_networks":[{"value":"0.0.0.0/0"}]}]}]`)},
	},
}

// tcp is a rule of an AWS security group.
func tcp(from, to int, sources ...string) string {
	text, err := json.Marshal(map[string]any{"protocol": "tcp", "from_port": from, "to_port": to, "cidr_blocks": sources})
	if err != nil {
		panic(err)
	}
	return string(text)
}
