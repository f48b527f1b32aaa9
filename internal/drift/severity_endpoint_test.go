package drift

var endpointCases = []ruleCases{
	{
		rule: "address range opened",
		hits: []hit{
			{
				create("azurerm_mssql_firewall_rule", "start_ip_address", `"0.0.0.0"`, "end_ip_address", `"255.255.255.255"`),
				"would open firewall rule to at least half of IPv4",
			},
			{
				beside(`{"start_ip":"1.0.0.0"}`, update("azurerm_redis_firewall_rule", "end_ip", `"1.0.0.9"`, `"223.255.255.255"`)),
				"firewall rule opened to at least half of IPv4",
			},
		},
		miss: []Subject{
			create("azurerm_mssql_firewall_rule", "start_ip_address", `"0.0.0.0"`, "end_ip_address", `"0.0.0.0"`),
			create("azurerm_mssql_firewall_rule", "start_ip_address", `"255.255.255.255"`, "end_ip_address", `"0.0.0.0"`),
		},
		stale: []Subject{update("azurerm_mssql_firewall_rule",
			"start_ip_address", `"0.0.0.0"`, `"0.0.0.1"`, "end_ip_address", `"255.255.255.255"`, `"255.255.255.255"`)},
	},
	{
		rule: "default network action allows",
		hits: []hit{
			{
				update("azurerm_storage_account", "network_rules", `[{"default_action":"Deny"}]`, `[{"default_action":"Allow"}]`),
				"network access allowed by default",
			},
			{
				pending(update("azurerm_key_vault", "network_acls", `[{"default_action":"Deny"}]`, `[]`)),
				"would allow network access by default",
			},
		},
		miss: []Subject{
			update("azurerm_storage_account", "network_rules", `[{"default_action":"Allow"}]`, `[{"default_action":"Deny"}]`),
			create("azurerm_storage_account_network_rules", "default_action", `"Allow"`),
			unknown(update("azurerm_key_vault", "network_acls", `[{"default_action":"Deny"}]`, ``)),
		},
		stale: []Subject{update("azurerm_storage_account", "network_rules",
			`[{"default_action":"Allow","ip_rules":[]}]`, `[{"default_action":"Allow","ip_rules":["198.51.100.7"]}]`)},
	},
	{
		rule: "public address given",
		hits: []hit{
			{update("aws_db_instance", "publicly_accessible", `false`, `true`), "public access allowed"},
			{create("aws_mq_broker", "publicly_accessible", `true`), "would allow public access"},
		},
		miss:  []Subject{update("aws_db_instance", "publicly_accessible", `true`, `false`)},
		stale: []Subject{update("aws_db_instance", "publicly_accessible", `true`, `true`)},
	},
	{
		rule: "public network access",
		hits: []hit{
			{update("azurerm_key_vault", "public_network_access_enabled", `false`, `true`), "public network access turned on"},
			{update("azurerm_key_vault", "public_network_access", `"Disabled"`, `"Enabled"`), "public network access turned on"},
		},
		miss: []Subject{
			create("azurerm_key_vault", "public_network_access_enabled", `true`),
			update("azurerm_key_vault", "public_network_access_enabled", `true`, `false`),
		},
		stale: []Subject{update("azurerm_key_vault", "public_network_access_enabled", `true`, `true`)},
	},
	{
		rule: "private access off",
		hits: []hit{
			{update("azurerm_kubernetes_cluster", "private_cluster_enabled", `true`, `false`), "private access turned off"},
			{update("google_container_cluster", "private_cluster_config",
				`[{"enable_private_endpoint":true}]`, `[{"enable_private_endpoint":false}]`), "private access turned off"},
		},
		miss:  []Subject{update("azurerm_kubernetes_cluster", "private_cluster_enabled", `false`, `true`)},
		stale: []Subject{update("azurerm_kubernetes_cluster", "private_cluster_enabled", `false`, `false`)},
	},
	{
		rule: "load balancer made public",
		hits: []hit{{
			doing(Replace, pending(update("aws_lb", "internal", `true`, `false`))),
			"would make load balancer Internet-facing",
		}},
		miss:  []Subject{update("aws_lb", "internal", `false`, `true`), create("aws_lb", "internal", `false`)},
		stale: []Subject{update("aws_lb", "internal", `false`, `false`)},
	},
	{
		rule: "forwarding rule made public",
		hits: []hit{{
			doing(Replace, pending(update("google_compute_global_forwarding_rule", "load_balancing_scheme", `"INTERNAL_MANAGED"`, `"EXTERNAL_MANAGED"`))),
			"would make load balancer Internet-facing",
		}},
		miss: []Subject{
			update("google_compute_forwarding_rule", "load_balancing_scheme", `"INTERNAL"`, `"INTERNAL_MANAGED"`),
			update("google_compute_backend_service", "load_balancing_scheme", `"INTERNAL"`, `"EXTERNAL"`),
		},
		stale: []Subject{update("google_compute_forwarding_rule", "load_balancing_scheme", `"EXTERNAL"`, `"EXTERNAL_MANAGED"`)},
	},
	{
		rule: "function opened",
		hits: []hit{
			{update("aws_lambda_function_url", "authorization_type", `"AWS_IAM"`, `"NONE"`), "function URL opened to anyone"},
			{create("aws_lambda_function_url", "authorization_type", `"NONE"`), "would open function URL to anyone"},
		},
		miss:  []Subject{update("aws_apigatewayv2_route", "authorization_type", `"AWS_IAM"`, `"NONE"`)},
		stale: []Subject{update("aws_lambda_function_url", "authorization_type", `"NONE"`, `"NONE"`)},
	},
	{
		rule: "function granted",
		hits: []hit{{create("aws_lambda_permission", "principal", `"*"`), `would grant function access to principal "*"`}},
		miss: []Subject{
			create("aws_lambda_permission", "principal", `"s3.amazonaws.com"`),
			update("aws_acmpca_permission", "principal", `"a"`, `"*"`),
		},
		stale: []Subject{update("aws_lambda_permission", "principal", `"*"`, `"*"`, "function_name", `"a"`, `"b"`)},
	},
}
