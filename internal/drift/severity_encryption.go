package drift

// encryptionRules are about data that anybody on the way, or with the disk, can
// read.
var encryptionRules = []rule{
	{
		// What is written from now on lies in clear on somebody else's disk.
		name: "encryption off", severity: Critical,
		attributes: []string{
			"storage_encrypted", "encrypted", "kms_encrypted", "at_rest_encryption_enabled",
			"encrypt_at_rest.enabled", "server_side_encryption.enabled", "server_side_encryption_configuration",
			"root_block_device.encrypted", "sqs_managed_sse_enabled", "encryption_type", "encryption_config",
			"encryption_at_host_enabled", "infrastructure_encryption_enabled", "transparent_data_encryption_enabled",
			"root_volume_encryption_enabled", "user_volume_encryption_enabled", "database_encryption.state",
		},
		find: turnedOff(finding{"encryption", turned, " off"}),
	},
	{
		// The resource that is the encryption of another one.
		name: "encryption deleted", severity: Critical,
		types: []string{
			"aws_s3_bucket_server_side_encryption_configuration", "aws_ebs_encryption_by_default",
			"azurerm_mssql_server_transparent_data_encryption",
		},
		actions: []Action{Delete},
		find:    whenever(finding{"encryption", deleted, ""}),
	},
	{
		name: "default encryption off", severity: Critical, // of all new volumes of the account
		types: []string{"aws_ebs_encryption_by_default"}, attributes: []string{"enabled"},
		find: turnedOff(finding{"default encryption", turned, " off"}),
	},
	{
		// Without our own key we can no longer say who may decrypt, nor take it
		// away; queues and topics are then not encrypted at all.
		name: "encryption key removed", severity: Critical,
		attributes: []string{
			"kms_key_id", "kms_key_arn", "kms_master_key_id", "kms_key_name", "encryption_key_name",
			"customer_managed_key", "disk_encryption_set_id", "disk_encryption_key",
			"encrypt_at_rest.kms_key_id", "root_block_device.kms_key_id", "encryption.default_kms_key_name",
			"encryption_info.encryption_at_rest_kms_key_arn",
		},
		find: turnedOff(finding{"encryption key", removed, ""}),
	},
	{
		// All that is encrypted with it cannot be read by anybody, us included.
		name: "encryption key off", severity: Critical,
		types: []string{"aws_kms_key", "aws_kms_external_key", "aws_kms_replica_key"}, attributes: []string{"is_enabled", "enabled"},
		find: turnedOff(finding{"encryption key", turned, " off"}),
	},
	{
		// Passwords and data cross the network in clear from now on.
		name: "encryption in transit off", severity: Critical,
		attributes: []string{
			"transit_encryption_enabled", "in_transit_encryption", "node_to_node_encryption.enabled", "require_tls", "tls_enabled",
			"domain_endpoint_options.enforce_https", "https_only", "enable_https_traffic_only", "https_traffic_only_enabled",
			"ssl_enforcement_enabled", "transit_encryption_mode", "settings.ip_configuration.require_ssl",
		},
		find: turnedOff(finding{"encryption in transit", turned, " off"}),
	},
	{
		name: "plain text allowed", severity: Critical, // the same where a word says it
		types: []string{"google_sql_database_instance", "aws_cloudfront_distribution"},
		attributes: []string{
			"settings.ip_configuration.ssl_mode",
			"default_cache_behavior.viewer_protocol_policy", "ordered_cache_behavior.viewer_protocol_policy",
		},
		find: turnsTo(finding{"plain text", allowed, " in transit"}, "ALLOW_UNENCRYPTED_AND_ENCRYPTED", "allow-all"),
	},
	{
		name: "TLS no longer required", severity: Critical, // or where another word said so
		types:      []string{"aws_lb_listener", "aws_alb_listener", "aws_lb_target_group", "aws_alb_target_group", "aws_msk_cluster"},
		attributes: []string{"protocol", "encryption_info.encryption_in_transit.client_broker"},
		find:       turnsFrom(finding{"plain text", allowed, " in transit"}, "HTTPS", "TLS"),
	},
	{
		name: "plain port opened", severity: Critical, // the same at Azure's Redis
		types: []string{"azurerm_redis_cache"}, attributes: []string{"enable_non_ssl_port", "non_ssl_port_enabled"},
		find: turnedOn(finding{"plain text", allowed, " in transit"}),
	},
	{
		// Old versions can be broken by whoever sits on the way.
		name: "TLS version lowered", severity: Critical,
		attributes: []string{
			"min_tls_version", "minimum_tls_version", "security_policy", "minimal_tls_version",
			"domain_endpoint_options.tls_security_policy", "viewer_certificate.minimum_protocol_version",
			"site_config.minimum_tls_version", "site_config.min_tls_version", "ssl_minimal_tls_version_enforced",
			"domain_name_configuration.security_policy",
		},
		find: loweredTLS(finding{"minimum TLS version", lowered, ""}),
	},
	{
		// A key that is never changed grows more valuable; nothing is open yet.
		name: "key rotation off", severity: Warning,
		attributes: []string{"enable_key_rotation", "key_rotation_enabled", "rotation_period"},
		find:       turnedOff(finding{"key rotation", turned, " off"}),
	},
}
