package drift

var encryptionCases = []ruleCases{
	{
		rule: "encryption off",
		hits: []hit{
			{doing(Replace, pending(update("aws_ebs_volume", "encrypted", `true`, `false`))), "would turn encryption off"},
			{update("aws_s3_bucket", "server_side_encryption_configuration", `[{"rule":[]}]`, `[]`), "encryption turned off"},
			{update("aws_opensearch_domain", "encrypt_at_rest", `[{"enabled":true}]`, `[{"enabled":false}]`), "encryption turned off"},
			{update("aws_kinesis_stream", "encryption_type", `"KMS"`, `"NONE"`), "encryption turned off"},
		},
		miss: []Subject{
			update("aws_db_instance", "storage_encrypted", `false`, `true`),
			create("aws_db_instance", "storage_encrypted", `false`),
			unknown(update("aws_s3_bucket", "server_side_encryption_configuration", `[{"rule":[]}]`, ``)),
			update("aws_kinesis_stream", "encryption_type", `"NONE"`, `"KMS"`),
		},
		stale: []Subject{update("aws_db_instance", "storage_encrypted", `false`, ``)},
	},
	{
		rule: "encryption deleted",
		hits: []hit{{destroy("aws_s3_bucket_server_side_encryption_configuration"), "encryption deleted"}},
		miss: []Subject{destroy("aws_s3_bucket_versioning")},
	},
	{
		rule:  "default encryption off",
		hits:  []hit{{update("aws_ebs_encryption_by_default", "enabled", `true`, `false`), "default encryption turned off"}},
		miss:  []Subject{update("aws_api_gateway_api_key", "enabled", `true`, `false`)},
		stale: []Subject{update("aws_ebs_encryption_by_default", "enabled", `false`, `false`)},
	},
	{
		rule: "encryption key removed",
		hits: []hit{
			{update("aws_sns_topic", "kms_master_key_id", `"alias/a"`, `""`), "encryption key removed"},
			{update("google_storage_bucket", "encryption", `[{"default_kms_key_name":"k"}]`, `[]`), "encryption key removed"},
		},
		miss: []Subject{
			update("aws_sns_topic", "kms_master_key_id", `"alias/a"`, `"alias/b"`),
			unknown(update("aws_ebs_volume", "kms_key_id", `"arn"`, ``)),
		},
		stale: []Subject{update("aws_sns_topic", "kms_master_key_id", `""`, ``)},
	},
	{
		rule:  "encryption key off",
		hits:  []hit{{update("aws_kms_key", "is_enabled", `true`, `false`), "encryption key turned off"}},
		miss:  []Subject{update("aws_cloudwatch_event_rule", "is_enabled", `true`, `false`)},
		stale: []Subject{update("aws_kms_key", "is_enabled", `false`, `false`)},
	},
	{
		rule: "encryption in transit off",
		hits: []hit{
			{update("aws_elasticache_replication_group", "transit_encryption_enabled", `true`, `false`), "encryption in transit turned off"},
			{update("azurerm_storage_account", "https_traffic_only_enabled", `true`, `false`), "encryption in transit turned off"},
			{update("google_redis_instance", "transit_encryption_mode", `"SERVER_AUTHENTICATION"`, `"DISABLED"`), "encryption in transit turned off"},
		},
		miss:  []Subject{update("aws_db_proxy", "require_tls", `false`, `true`)},
		stale: []Subject{update("azurerm_linux_web_app", "https_only", `false`, ``)},
	},
	{
		rule: "plain text allowed",
		hits: []hit{
			{update("google_sql_database_instance", "settings", `[{"ip_configuration":[{"ssl_mode":"ENCRYPTED_ONLY"}]}]`,
				`[{"ip_configuration":[{"ssl_mode":"ALLOW_UNENCRYPTED_AND_ENCRYPTED"}]}]`), "plain text allowed in transit"},
			{update("aws_cloudfront_distribution", "default_cache_behavior", `[{"viewer_protocol_policy":"https-only"}]`,
				`[{"viewer_protocol_policy":"allow-all"}]`), "plain text allowed in transit"},
		},
		miss: []Subject{
			update("aws_cloudfront_distribution", "default_cache_behavior", `[{"viewer_protocol_policy":"https-only"}]`,
				`[{"viewer_protocol_policy":"redirect-to-https"}]`),
			create("aws_cloudfront_distribution", "default_cache_behavior", `[{"viewer_protocol_policy":"allow-all"}]`),
		},
		stale: []Subject{update("aws_cloudfront_distribution", "default_cache_behavior",
			`[{"viewer_protocol_policy":"allow-all","compress":true}]`, `[{"viewer_protocol_policy":"allow-all","compress":false}]`)},
	},
	{
		rule: "TLS no longer required",
		hits: []hit{
			{pending(update("aws_lb_listener", "protocol", `"HTTPS"`, `"HTTP"`)), "would allow plain text in transit"},
			{update("aws_msk_cluster", "encryption_info", `[{"encryption_in_transit":[{"client_broker":"TLS"}]}]`,
				`[{"encryption_in_transit":[{"client_broker":"TLS_PLAINTEXT"}]}]`), "plain text allowed in transit"},
		},
		miss: []Subject{
			update("aws_lb_listener", "protocol", `"TCP"`, `"UDP"`),
			update("aws_lb_listener", "protocol", `"TLS"`, `"HTTPS"`),
			create("aws_lb_listener", "protocol", `"HTTP"`),
		},
		stale: []Subject{update("aws_lb_listener", "protocol", `"HTTP"`, `"HTTP"`)},
	},
	{
		rule:  "plain port opened",
		hits:  []hit{{update("azurerm_redis_cache", "non_ssl_port_enabled", `false`, `true`), "plain text allowed in transit"}},
		miss:  []Subject{update("azurerm_redis_cache", "non_ssl_port_enabled", `true`, `false`)},
		stale: []Subject{update("azurerm_redis_cache", "non_ssl_port_enabled", `true`, `true`)},
	},
	{
		rule: "TLS version lowered",
		hits: []hit{
			{update("azurerm_storage_account", "min_tls_version", `"TLS1_2"`, `"TLS1_0"`), "minimum TLS version lowered"},
			{update("azurerm_mssql_server", "minimum_tls_version", `"1.2"`, `"Disabled"`), "minimum TLS version lowered"},
			{update("azurerm_cosmosdb_account", "minimal_tls_version", `"Tls12"`, `"Tls"`), "minimum TLS version lowered"},
			{update("aws_cloudfront_distribution", "viewer_certificate", `[{"minimum_protocol_version":"TLSv1.2_2021"}]`,
				`[{"minimum_protocol_version":"TLSv1_2016"}]`), "minimum TLS version lowered"},
			{update("aws_opensearch_domain", "domain_endpoint_options", `[{"tls_security_policy":"Policy-Min-TLS-1-2-2019-07"}]`,
				`[{"tls_security_policy":"Policy-Min-TLS-1-0-2019-07"}]`), "minimum TLS version lowered"},
		},
		miss: []Subject{
			update("azurerm_storage_account", "min_tls_version", `"TLS1_0"`, `"TLS1_2"`),
			update("google_compute_backend_service", "security_policy", `"projects/a/policy-1-2"`, `"projects/a/policy-1-1"`),
		},
		stale: []Subject{update("aws_cloudfront_distribution", "viewer_certificate",
			`[{"minimum_protocol_version":"TLSv1.2_2021"}]`, `[{"minimum_protocol_version":"TLSv1.2_2019"}]`)},
	},
	{
		rule:  "key rotation off",
		hits:  []hit{{update("aws_kms_key", "enable_key_rotation", `true`, `false`), "key rotation turned off"}},
		miss:  []Subject{update("aws_kms_key", "enable_key_rotation", `false`, `true`)},
		stale: []Subject{update("aws_kms_key", "enable_key_rotation", `false`, ``)},
	},
}

var recoveryCases = []ruleCases{
	{
		rule: "backups off",
		hits: []hit{
			{update("aws_db_instance", "backup_retention_period", `7`, `0`), "backups turned off"},
			{update("google_sql_database_instance", "settings", `[{"backup_configuration":[{"enabled":true}]}]`,
				`[{"backup_configuration":[{"enabled":false}]}]`), "backups turned off"},
			{update("aws_efs_backup_policy", "backup_policy", `[{"status":"ENABLED"}]`, `[{"status":"DISABLED"}]`), "backups turned off"},
		},
		miss: []Subject{
			update("aws_db_instance", "backup_retention_period", `0`, `7`),
			create("aws_db_instance", "backup_retention_period", `0`),
		},
		stale: []Subject{update("aws_db_instance", "backup_retention_period", `0`, ``)},
	},
	{
		rule: "point-in-time recovery off",
		hits: []hit{{
			update("aws_dynamodb_table", "point_in_time_recovery", `[{"enabled":true}]`, `[{"enabled":false}]`),
			"point-in-time recovery turned off",
		}},
		miss:  []Subject{update("aws_dynamodb_table", "point_in_time_recovery", `[{"enabled":false}]`, `[{"enabled":true}]`)},
		stale: []Subject{update("aws_dynamodb_table", "point_in_time_recovery", `[{"enabled":false}]`, `[]`)},
	},
	{
		rule: "versioning off",
		hits: []hit{
			{update("aws_s3_bucket", "versioning", `[{"enabled":true}]`, `[{"enabled":false}]`), "versioning turned off"},
			{update("aws_s3_bucket_versioning", "versioning_configuration", `[{"status":"Enabled"}]`, `[{"status":"Suspended"}]`), "versioning turned off"},
			{pending(update("google_storage_bucket", "versioning", `[{"enabled":true}]`, `[]`)), "would turn versioning off"},
		},
		miss: []Subject{
			update("aws_s3_bucket", "versioning", `[{"enabled":false,"mfa_delete":false}]`, `[{"enabled":true,"mfa_delete":false}]`),
			update("aws_s3_bucket", "versioning", `[{"enabled":true,"mfa_delete":true}]`, `[{"enabled":true,"mfa_delete":false}]`),
		},
		stale: []Subject{update("aws_s3_bucket", "versioning", `[{"enabled":false}]`, `[]`)},
	},
	{
		rule: "versioning deleted",
		hits: []hit{{destroy("aws_s3_bucket_versioning"), "versioning deleted"}},
		miss: []Subject{destroy("aws_s3_bucket_lifecycle_configuration")},
	},
	{
		rule: "backup plan deleted",
		hits: []hit{{pending(destroy("azurerm_backup_policy_vm")), "would delete backup plan"}},
		miss: []Subject{destroy("aws_backup_framework")},
	},
	{
		rule: "soft delete off",
		hits: []hit{
			{update("azurerm_key_vault", "purge_protection_enabled", `true`, `false`), "soft delete turned off"},
			{update("azurerm_storage_account", "blob_properties", `[{"delete_retention_policy":[{"days":7}]}]`,
				`[{"delete_retention_policy":[]}]`), "soft delete turned off"},
		},
		miss: []Subject{update("azurerm_storage_account", "blob_properties", `[{"delete_retention_policy":[{"days":7}]}]`,
			`[{"delete_retention_policy":[{"days":8}]}]`)},
		stale: []Subject{update("azurerm_key_vault", "purge_protection_enabled", `false`, ``)},
	},
	{
		rule:  "object lock off",
		hits:  []hit{{update("aws_s3_bucket", "object_lock_configuration", `[{"object_lock_enabled":"Enabled"}]`, `[]`), "object lock removed"}},
		miss:  []Subject{update("aws_s3_bucket", "object_lock_enabled", `false`, `true`)},
		stale: []Subject{update("aws_s3_bucket", "object_lock_enabled", `false`, `false`)},
	},
	{
		rule: "deletion protection off",
		hits: []hit{
			{update("aws_db_instance", "deletion_protection", `true`, `false`), "deletion protection turned off"},
			{update("google_sql_database_instance", "settings", `[{"deletion_protection_enabled":true}]`,
				`[{"deletion_protection_enabled":false}]`), "deletion protection turned off"},
		},
		miss:  []Subject{update("aws_lb", "enable_deletion_protection", `false`, `true`), create("aws_lb", "enable_deletion_protection", `false`)},
		stale: []Subject{update("aws_instance", "disable_api_termination", `false`, ``)},
	},
	{
		rule: "deletion lock deleted",
		hits: []hit{{destroy("azurerm_management_lock"), "deletion lock deleted"}},
		miss: []Subject{update("azurerm_management_lock", "notes", `"a"`, `"b"`)},
	},
	{
		rule:  "deletion made final",
		hits:  []hit{{update("aws_db_instance", "skip_final_snapshot", `false`, `true`), "deletion made final"}},
		miss:  []Subject{create("aws_db_instance", "skip_final_snapshot", `true`), update("aws_s3_bucket", "force_destroy", `true`, `false`)},
		stale: []Subject{update("aws_s3_bucket", "force_destroy", `true`, `true`)},
	},
	{
		rule:  "backup retention lowered",
		hits:  []hit{{update("aws_db_instance", "backup_retention_period", `30`, `7`), "backup retention lowered"}},
		miss:  []Subject{update("aws_db_instance", "backup_retention_period", `7`, `30`)},
		stale: []Subject{update("aws_db_instance", "backup_retention_period", `7`, `7`)},
	},
}
