package drift

// exposureRules are about who can read stored data.
var exposureRules = []rule{
	{
		// The classic leak: a canned list that lets everybody, or everybody with
		// any account at the cloud, read or even write.
		name: "bucket made public", severity: Critical,
		types: []string{
			"aws_s3_bucket", "aws_s3_bucket_acl", "aws_s3_object", "aws_s3_bucket_object",
			"digitalocean_spaces_bucket", "digitalocean_spaces_bucket_object",
			"google_storage_bucket_acl", "google_storage_default_object_acl", "google_storage_object_acl",
		},
		attributes: []string{"acl", "predefined_acl"},
		find: becomes(finding{"access list", made, " public"},
			"authenticatedRead", "publicRead", "publicReadWrite",
			"authenticated-read", "public-read", "public-read-write"),
	},
	{
		// The same written out as grants to the groups of everybody.
		name: "bucket granted to everybody", severity: Critical,
		types: []string{
			"aws_s3_bucket", "aws_s3_bucket_acl", "google_storage_*_access_control",
			"google_storage_*_acl", "google_bigquery_dataset", "google_bigquery_dataset_access",
		},
		attributes: []string{
			"grant.uri", "access_control_policy.grant.grantee.uri", "entity", "role_entity",
			"special_group", "iam_member", "access.special_group", "access.iam_member",
		},
		find: becomes(finding{"data", made, " public"},
			"*/groups/global/AuthenticatedUsers", "*/groups/global/AllUsers", "*allAuthenticatedUsers", "*allUsers"),
	},
	{
		// The guard that keeps any later mistake with a policy from being a leak.
		name: "public access block off", severity: Critical,
		types: []string{"aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block", "aws_s3_access_point", "aws_s3control_bucket"},
		attributes: []string{
			"block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets",
			"public_access_block_configuration.block_public_acls",
			"public_access_block_configuration.block_public_policy",
			"public_access_block_configuration.ignore_public_acls",
			"public_access_block_configuration.restrict_public_buckets",
			"public_access_block_enabled",
		},
		find: turnedOff(finding{"public access block", turned, " off"}),
	},
	{
		name: "public access block deleted", severity: Critical, // the same, all at once
		types:   []string{"aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block", "aws_ebs_snapshot_block_public_access"},
		actions: []Action{Delete},
		find:    whenever(finding{"public access block", deleted, ""}),
	},
	{
		// Google's and EBS's guards of the same kind.
		name: "public access prevention off", severity: Critical,
		types:      []string{"google_storage_bucket", "aws_ebs_snapshot_block_public_access"},
		attributes: []string{"public_access_prevention", "state"},
		find: turnsFrom(finding{"public access prevention", turned, " off"},
			"enforced", "block-all-sharing", "block-new-sharing"),
	},
	{
		// Azure's levels at which no key is asked for.
		name: "container made public", severity: Critical,
		types: []string{"azurerm_storage_container"}, attributes: []string{"container_access_type"},
		find: becomes(finding{"container", made, " public"}, "blob", "container"),
	},
	{
		// Without it no container can be made public. On by default for a new
		// account, so only the change is news.
		name: "public containers allowed", severity: Critical,
		types:      []string{"azurerm_storage_account"},
		attributes: []string{"allow_nested_items_to_be_public", "allow_blob_public_access"},
		find:       turnedOn(finding{"public containers", allowed, ""}),
	},
	{
		// Images and backups hold whatever the machine held.
		name: "image or snapshot shared with everybody", severity: Critical,
		types: []string{
			"aws_ami_launch_permission", "aws_db_snapshot", "aws_db_cluster_snapshot",
			"aws_db_snapshot_copy", "aws_rds_cluster_snapshot_copy",
		},
		attributes: []string{"group", "shared_accounts"},
		find:       becomes(finding{"image or snapshot", made, " public"}, "all"),
	},
	{
		// Anybody can then pull the images, and what was baked into them.
		name: "anonymous pull on", severity: Critical,
		types: []string{"azurerm_container_registry"}, attributes: []string{"anonymous_pull_enabled"},
		find: turnedOn(finding{"anonymous pull", turned, " on"}),
	},
	{
		// Access lists on single objects come back, which nobody reviews. It opens
		// nothing by itself.
		name: "uniform access off", severity: Warning,
		types: []string{"google_storage_bucket"}, attributes: []string{"uniform_bucket_level_access"},
		find: turnedOff(finding{"uniform bucket access", turned, " off"}),
	},
}
