package drift

import (
	"slices"
	"strings"
)

var auditCases = []ruleCases{
	{
		rule: "logging off",
		hits: []hit{
			{update("aws_cloudtrail", "enable_logging", `true`, `false`), "logging turned off"},
			{update("aws_lb", "access_logs", `[{"bucket":"b","enabled":true}]`, `[{"bucket":"b","enabled":false}]`), "logging turned off"},
			{update("aws_s3_bucket", "logging", `[{"target_bucket":"b"}]`, `[]`), "logging turned off"},
			{pending(update("aws_eks_cluster", "enabled_cluster_log_types", `["api","audit"]`, `[]`)), "would turn logging off"},
			{update("google_container_cluster", "logging_service", `"logging.googleapis.com/kubernetes"`, `"none"`), "logging turned off"},
		},
		miss: []Subject{
			update("aws_cloudtrail", "enable_logging", `false`, `true`),
			update("aws_s3_bucket", "logging", `[{"target_bucket":"b"}]`, `[{"target_bucket":"c"}]`),
			unknown(update("aws_s3_bucket", "logging", `[{"target_bucket":"b"}]`, ``)),
		},
		stale: []Subject{update("aws_lb", "access_logs", `[{"enabled":false}]`, `[]`)},
	},
	{
		rule: "logging deleted",
		hits: []hit{
			{destroy("aws_flow_log"), "logging deleted"},
			{pending(destroy("google_logging_project_sink")), "would delete logging"},
			{destroy("azurerm_monitor_diagnostic_setting"), "logging deleted"},
		},
		miss: []Subject{destroy("aws_cloudwatch_metric_alarm"), doing(Create, destroy("aws_flow_log"))},
	},
	{
		rule:  "recording off",
		hits:  []hit{{update("aws_config_configuration_recorder_status", "is_enabled", `true`, `false`), "recording turned off"}},
		miss:  []Subject{update("azurerm_monitor_metric_alert", "enabled", `true`, `false`)},
		stale: []Subject{update("azurerm_network_watcher_flow_log", "enabled", `false`, `false`)},
	},
	{
		rule:  "log sink off",
		hits:  []hit{{update("google_logging_folder_sink", "disabled", `false`, `true`), "log sink turned off"}},
		miss:  []Subject{update("google_service_account", "disabled", `false`, `true`)},
		stale: []Subject{update("google_logging_folder_sink", "disabled", `true`, `true`)},
	},
	{
		rule: "threat detection off",
		hits: []hit{
			{update("aws_guardduty_detector", "enable", `true`, `false`), "threat detection turned off"},
			{update("azurerm_security_center_subscription_pricing", "tier", `"Standard"`, `"Free"`), "threat detection turned off"},
		},
		miss:  []Subject{update("aws_route53recoveryreadiness_cell", "status", `"ENABLED"`, `"DISABLED"`), create("aws_guardduty_detector", "enable", `false`)},
		stale: []Subject{update("aws_guardduty_detector", "enable", `false`, `false`)},
	},
	{
		rule: "threat detection deleted",
		hits: []hit{{destroy("aws_guardduty_detector"), "threat detection deleted"}},
		miss: []Subject{destroy("aws_guardduty_filter")},
	},
	{
		rule:  "trail narrowed",
		hits:  []hit{{update("aws_cloudtrail", "is_multi_region_trail", `true`, `false`), "audit trail narrowed"}},
		miss:  []Subject{update("aws_cloudtrail", "is_multi_region_trail", `false`, `true`)},
		stale: []Subject{update("aws_cloudtrail", "is_multi_region_trail", `false`, `false`)},
	},
	{
		rule:  "log validation off",
		hits:  []hit{{update("aws_cloudtrail", "enable_log_file_validation", `true`, `false`), "log file validation turned off"}},
		miss:  []Subject{update("aws_cloudtrail", "enable_log_file_validation", `false`, `true`)},
		stale: []Subject{update("aws_cloudtrail", "enable_log_file_validation", `false`, ``)},
	},
	{
		rule:  "logging reduced",
		hits:  []hit{{update("aws_eks_cluster", "enabled_cluster_log_types", `["api","audit"]`, `["api"]`), "logging reduced"}},
		miss:  []Subject{update("aws_eks_cluster", "enabled_cluster_log_types", `["api"]`, `["api","audit"]`)},
		stale: []Subject{update("aws_eks_cluster", "enabled_cluster_log_types", `["api","audit"]`, `["audit","api"]`)},
	},
	{
		rule:  "log retention lowered",
		hits:  []hit{{update("aws_cloudwatch_log_group", "retention_in_days", `365`, `30`), "log retention lowered"}},
		miss:  []Subject{update("aws_cloudwatch_log_group", "retention_in_days", `30`, `0`)},
		stale: []Subject{update("aws_cloudwatch_log_group", "retention_in_days", `30`, `30`)},
	},
}

var deletionCases = []ruleCases{
	{
		rule: "data deleted",
		hits: []hit{
			{destroy("aws_db_instance"), "database deleted"},
			{pending(destroy("aws_s3_bucket")), "would delete bucket"},
			{destroy("kubernetes_persistent_volume_claim"), "volume claim deleted"},
			{destroy("someprovider_database"), "database deleted"},
			{destroy("azurerm_mysql_flexible_server"), "database deleted"},
			{destroy("aws_fsx_windows_file_system"), "file system deleted"},
		},
		miss: []Subject{
			destroy("aws_db_subnet_group"), destroy("aws_s3_bucket_policy"), destroy("aws_route_table"),
			destroy("aws_glue_catalog_database"), doing(Forget, destroy("aws_db_instance")),
		},
	},
	{
		rule: "data replaced",
		hits: []hit{{doing(Replace, pending(update("aws_db_instance", "engine", `"mysql"`, `"postgres"`))), "would replace database"}},
		miss: []Subject{doing(Replace, pending(update("aws_instance", "ami", `"a"`, `"b"`)))},
	},
}

var ordinaryCases = []ruleCases{
	{
		rule: "no news",
		hits: []hit{{Subject{Type: "aws_instance", Action: Update}, "nothing changed"}},
		miss: []Subject{{Type: "aws_instance", Action: Delete}, update("aws_instance", "tags", "", "{}")},
	},
	{
		rule: "labels only",
		hits: []hit{
			{reading(update("aws_vpc", "tags", `{}`, `{"Name":"a"}`), "tags.Name"), "tags changed"},
			{reading(update("aws_vpc", "tags", `{}`, `{}`, "tags_all", `{}`, `{}`), "tags.Name", `tags_all["a b"]`), "labels changed"},
			{reading(update("aws_security_group", "ingress", `[]`, `[]`), "ingress[0].description"), "description changed"},
			{reading(update("kubernetes_deployment", "metadata", `[]`, `[]`), "metadata[0].labels.app"), "labels changed"},
			{pending(update("aws_kms_key", "description", `"a"`, `"b"`)), "would change description"},
		},
		miss: []Subject{
			update("aws_vpc", "tags", `{}`, `{}`, "enable_dns_support", `true`, `false`),
			reading(update("kubernetes_config_map", "data", `{}`, `{}`), "data.description"),
			reading(update("aws_lambda_function", "environment", `[]`, `[]`), "environment[0].variables.tags"),
			reading(update("kubernetes_config_map", "data", `{}`, `{}`), `data["x].tags"]`),
			reading(update("kubernetes_service", "metadata", `[]`, `[]`), `metadata[0].annotations["service.beta.kubernetes.io/internal"]`),
			update("google_compute_instance", "tags", `["a"]`, `["b"]`),
			doing(Replace, update("aws_kms_key", "description", `"a"`, `"b"`)),
		},
	},
	{
		rule: "imported",
		hits: []hit{{Subject{Type: "aws_instance", Origin: Pending, Action: Import}, "would import aws_instance"}},
		miss: []Subject{doing(Import, pending(update("aws_instance", "ami", `"a"`, `"b"`)))},
	},
	{
		rule: "forgotten",
		hits: []hit{{Subject{Type: "aws_db_instance", Origin: Pending, Action: Forget}, "would forget aws_db_instance"}},
		miss: []Subject{{Type: "aws_db_instance", Origin: Pending, Action: Import}},
	},
	{
		rule: "created",
		hits: []hit{{create("aws_instance", "ami", `"a"`), "would create aws_instance"}},
		miss: []Subject{update("aws_instance", "ami", ``, `"a"`)},
	},
	{
		rule: "deleted",
		hits: []hit{
			{destroy("aws_instance"), "aws_instance deleted"},
			{pending(destroy("aws_instance")), "would delete aws_instance"},
			{destroy("AKIA Not A Type"), "resource deleted"},
		},
		miss: []Subject{destroy("aws_db_instance")},
	},
	{
		rule: "replaced",
		hits: []hit{{doing(Replace, pending(update("aws_instance", "ami", `"a"`, `"b"`))), "would replace aws_instance"}},
		miss: []Subject{doing(Replace, update("aws_ebs_volume", "size", `1`, `2`))},
	},
	{
		rule: "changed",
		hits: []hit{
			{update("aws_instance", "instance_type", `"a"`, `"b"`), "instance_type changed"},
			{pending(update("aws_instance", "instance_type", `"a"`, `"b"`)), "would change instance_type"},
			{
				update("aws_instance", "ami", `"a"`, `"b"`, "tags", `{}`, `{}`, "user_data", `"a"`, `"b"`),
				"3 attributes changed: ami, user_data, tags",
			},
			{
				update("aws_instance", "ami", `"a"`, `"b"`, "tags", `{}`, `{}`, "user_data", `"a"`, `"b"`, "monitoring", `true`, `false`),
				"4 attributes changed: ami, user_data and 2 more",
			},
			{
				update("x", strings.Repeat("a", 40), `1`, `2`, strings.Repeat("b", 40), `1`, `2`, strings.Repeat("c", 40), `1`, `2`),
				"3 attributes changed: " + strings.Repeat("a", 40) + ", " + strings.Repeat("b", 40) + " and 1 more",
			},
			{ // what is known comes alone
				knownAfterwards(pending(update("aws_ssm_parameter",
					"insecure_value", ``, ``, "tags_all", `{}`, `{"Env":"prod"}`, "value", `"a"`, `"b"`, "version", `2`, ``)), "insecure_value", "version"),
				"would change 2 attributes: value, tags_all",
			},
			{
				knownAfterwards(pending(update("terraform_data", "input", `"a"`, `"b"`, "output", `"a"`, ``)), "output"),
				"would change input",
			},
			{unknown(update("terraform_data", "input", `"a"`, ``, "output", `"a"`, ``)), "would change 2 attributes: input, output"},
			{update("aws_instance", "tags", `{}`, `{}`, "ami", `"a"`, `"b"`), "2 attributes changed: ami, tags"},
			{update("aws_instance", "Not A Name", `1`, `2`), "1 attribute changed"},
			{update("aws_instance", "Not A Name", `1`, `2`, "ami", `1`, `2`), "2 attributes changed: ami and 1 more"},
			{
				reading(Subject{Type: "aws_instance", Action: Update}, "ami", "ebs_block_device[0].size", "ebs_block_device[1].size"),
				"2 attributes changed: ami, ebs_block_device",
			},
			{doing(Import, pending(update("aws_instance", "ami", `"a"`, `"b"`))), "would change ami"},
		},
	},
}

// knownAfterwards is s with the named attributes known only after the apply.
func knownAfterwards(s Subject, names ...string) Subject {
	for i := range s.Attributes {
		s.Attributes[i].Unknown = slices.Contains(names, s.Attributes[i].Name)
	}
	return s
}

// reading is s with news at other paths.
func reading(s Subject, news ...string) Subject {
	s.News = news
	return s
}
