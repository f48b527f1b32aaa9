package drift

// auditRules are about what we will no longer see. Whoever breaks in turns the
// logs off first, so these are as bad as what they would have shown.
var auditRules = []rule{
	{
		name: "logging off", severity: Critical,
		attributes: []string{
			"enable_logging", "logging", "logging.enable", "logging_config", "logging_configuration",
			"access_logs", "access_logs.enabled", "access_log_settings", "audit_log_configuration",
			"enabled_cluster_log_types", "enabled_cloudwatch_logs_exports", "enable_cloudwatch_logs_exports",
			"log_publishing_options", "log_delivery_configuration", "log_exports", "log_config", "log_config.enable",
			"logging_service", "logging_info", "enabled_log",
		},
		find: turnedOff(finding{"logging", turned, " off"}),
	},
	{
		// The resource that is the logging of another one.
		name: "logging deleted", severity: Critical,
		types: []string{
			"aws_cloudtrail", "aws_cloudtrail_event_data_store", "aws_flow_log", "aws_s3_bucket_logging",
			"aws_config_configuration_recorder", "aws_config_delivery_channel", "aws_route53_query_log",
			"aws_route53_resolver_query_log_config*", "aws_redshift_logging", "aws_wafv2_web_acl_logging_configuration",
			"aws_networkfirewall_logging_configuration", "aws_cloudwatch_log_subscription_filter",
			"azurerm_monitor_diagnostic_setting", "azurerm_monitor_aad_diagnostic_setting", "azurerm_network_watcher_flow_log",
			"azurerm_*_auditing_policy",
			"google_logging_*_sink", "google_*_iam_audit_config",
		},
		actions: []Action{Delete},
		find:    whenever(finding{"logging", deleted, ""}),
	},
	{
		name: "recording off", severity: Critical,
		types:      []string{"aws_config_configuration_recorder_status", "azurerm_network_watcher_flow_log", "azurerm_*_auditing_policy"},
		attributes: []string{"is_enabled", "enabled"},
		find:       turnedOff(finding{"recording", turned, " off"}),
	},
	{
		name: "log sink off", severity: Critical,
		types: []string{"google_logging_*_sink"}, attributes: []string{"disabled"},
		find: turnedOn(finding{"log sink", turned, " off"}),
	},
	{
		// The service that would have noticed everything else in this table.
		name: "threat detection off", severity: Critical,
		types: []string{
			"aws_guardduty_detector", "aws_guardduty_detector_feature", "aws_macie2_account",
			"azurerm_mssql_server_security_alert_policy", "azurerm_security_center_subscription_pricing",
		},
		attributes: []string{"enable", "status", "state", "tier"},
		find:       turnsTo(finding{"threat detection", turned, " off"}, "false", "PAUSED", "DISABLED", "Free"),
	},
	{
		name: "threat detection deleted", severity: Critical,
		types: []string{
			"aws_guardduty_detector", "aws_securityhub_account", "aws_macie2_account", "aws_inspector2_enabler",
			"aws_accessanalyzer_analyzer", "aws_detective_graph",
			"azurerm_mssql_server_security_alert_policy", "azurerm_advanced_threat_protection", "azurerm_sentinel_*",
			"google_scc_*",
		},
		actions: []Action{Delete},
		find:    whenever(finding{"threat detection", deleted, ""}),
	},
	{
		// A trail that leaves out the regions nobody uses is blind where it matters.
		name: "trail narrowed", severity: Critical,
		types:      []string{"aws_cloudtrail"},
		attributes: []string{"is_multi_region_trail", "include_global_service_events", "is_organization_trail"},
		find:       turnedOff(finding{"audit trail", narrowed, ""}),
	},
	{
		// Logs that somebody may have edited prove nothing.
		name: "log validation off", severity: Critical,
		types: []string{"aws_cloudtrail"}, attributes: []string{"enable_log_file_validation"},
		find: turnedOff(finding{"log file validation", turned, " off"}),
	},
	{
		// Some logs still come.
		name: "logging reduced", severity: Warning,
		attributes: []string{
			"enabled_cluster_log_types", "enabled_cloudwatch_logs_exports", "enable_cloudwatch_logs_exports",
			"log_exports", "enabled_log.category", "logging_config.enable_components",
		},
		find: lostSome(finding{"logging", reduced, ""}),
	},
	{
		// Old logs are what an inquiry starts from; zero days means for ever.
		name: "log retention lowered", severity: Warning,
		types:      []string{"aws_cloudwatch_log_group", "azurerm_log_analytics_workspace", "google_logging_*_bucket_config"},
		attributes: []string{"retention_in_days", "retention_days"},
		find:       loweredNumber(finding{"log retention", lowered, ""}),
	},
}
