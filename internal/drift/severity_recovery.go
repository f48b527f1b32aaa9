package drift

// recoveryRules are about what can no longer be brought back. Without backups
// or versions whatever is lost from now on is lost for good: critical. Without
// a guard against deletion nothing is lost yet, and the deletion itself would
// be critical: warning.
var recoveryRules = []rule{
	{
		name: "backups off", severity: Critical,
		attributes: []string{
			"backup_retention_period", "automated_snapshot_retention_period", "automatic_backup_retention_days",
			"backup_retention_enabled", "snapshot_retention_limit", "backup_policy.status",
			"settings.backup_configuration.enabled", "automated_backup_policy.enabled", "continuous_backup_config.enabled",
			"backups", // of servers at Hetzner and DigitalOcean
		},
		find: turnedOff(finding{"backups", turned, " off"}),
	},
	{
		name: "point-in-time recovery off", severity: Critical,
		attributes: []string{
			"point_in_time_recovery.enabled", "point_in_time_recovery.status",
			"settings.backup_configuration.point_in_time_recovery_enabled",
		},
		find: turnedOff(finding{"point-in-time recovery", turned, " off"}),
	},
	{
		name: "versioning off", severity: Critical,
		attributes: []string{
			"versioning.enabled", "versioning_configuration.status", "blob_properties.versioning_enabled",
		},
		find: turnedOff(finding{"versioning", turned, " off"}),
	},
	{
		name: "versioning deleted", severity: Critical, // which suspends it
		types: []string{"aws_s3_bucket_versioning"}, actions: []Action{Delete},
		find: whenever(finding{"versioning", deleted, ""}),
	},
	{
		name: "backup plan deleted", severity: Critical,
		types: []string{
			"aws_backup_plan", "aws_backup_selection", "aws_dlm_lifecycle_policy", "aws_efs_backup_policy",
			"aws_db_instance_automated_backups_replication", "aws_redshift_snapshot_schedule*",
			"azurerm_backup_policy_*", "azurerm_backup_protected_*", "azurerm_data_protection_backup_*",
			"google_compute_disk_resource_policy_attachment", "google_gke_backup_backup_plan", "google_backup_dr_backup_plan*",
		},
		actions: []Action{Delete},
		find:    whenever(finding{"backup plan", deleted, ""}),
	},
	{
		// What is deleted is then gone at once, not after days.
		name: "soft delete off", severity: Critical,
		attributes: []string{
			"purge_protection_enabled", "soft_delete_enabled", "soft_delete_policy", "blob_properties.delete_retention_policy",
			"blob_properties.container_delete_retention_policy", "soft_delete_policy.retention_duration_seconds",
		},
		find: turnedOff(finding{"soft delete", turned, " off"}),
	},
	{
		// Locks are there so that not even we can delete what must be kept.
		name: "object lock off", severity: Critical,
		attributes: []string{"object_lock_enabled", "object_lock_configuration", "immutability_policy", "retention_policy.is_locked"},
		find:       turnedOff(finding{"object lock", removed, ""}),
	},
	{
		name: "deletion protection off", severity: Warning,
		attributes: []string{
			"deletion_protection", "deletion_protection_enabled", "enable_deletion_protection", "delete_protection",
			"disable_api_termination", "termination_protection", "termination_protection_enabled",
			"settings.deletion_protection_enabled", "versioning.mfa_delete", "versioning_configuration.mfa_delete",
		},
		find: turnedOff(finding{"deletion protection", turned, " off"}),
	},
	{
		name: "deletion lock deleted", severity: Warning,
		types: []string{"azurerm_management_lock", "google_resource_manager_lien"}, actions: []Action{Delete},
		find: whenever(finding{"deletion lock", deleted, ""}),
	},
	{
		// The next deletion would leave nothing, or take what is inside along.
		name: "deletion made final", severity: Warning,
		attributes: []string{"skip_final_snapshot", "skip_final_backup", "force_destroy", "force_delete"},
		find:       turnedOn(finding{"deletion", made, " final"}),
	},
	{
		name: "backup retention lowered", severity: Warning,
		attributes: []string{
			"backup_retention_period", "automated_snapshot_retention_period", "automatic_backup_retention_days",
			"snapshot_retention_limit", "backup_retention_days", "soft_delete_retention_days",
			"settings.backup_configuration.transaction_log_retention_days",
			"settings.backup_configuration.backup_retention_settings.retained_backups",
		},
		find: loweredNumber(finding{"backup retention", lowered, ""}),
	},
}
