package drift

var exposureCases = []ruleCases{
	{
		rule: "bucket made public",
		hits: []hit{
			{update("aws_s3_bucket_acl", "acl", `"private"`, `"public-read"`), "access list made public"},
			{update("aws_s3_bucket", "acl", `"public-read"`, `"public-read-write"`), "access list made public"},
			{create("digitalocean_spaces_bucket", "acl", `"public-read"`), "would make access list public"},
		},
		miss: []Subject{
			update("aws_s3_bucket_acl", "acl", `"private"`, `"log-delivery-write"`),
			update("aws_s3_bucket_acl", "acl", `"public-read-write"`, `"public-read"`),
			update("aws_networkmanager_site", "acl", `"private"`, `"public-read"`),
		},
		stale: []Subject{update("aws_s3_bucket_acl", "acl", `"public-read"`, `"public-read"`)},
	},
	{
		rule: "bucket granted to everybody",
		hits: []hit{
			{
				update("aws_s3_bucket", "grant", `[]`, `[{"uri":"http://acs.amazonaws.com/groups/global/AllUsers","permissions":["READ"]}]`),
				"data made public",
			},
			{create("google_storage_bucket_access_control", "entity", `"allUsers"`), "would make data public"},
			{update("google_bigquery_dataset", "access", `[]`, `[{"special_group":"allAuthenticatedUsers"}]`), "data made public"},
		},
		miss:  []Subject{update("aws_s3_bucket", "grant", `[]`, `[{"uri":"http://acs.amazonaws.com/groups/s3/LogDelivery"}]`)},
		stale: []Subject{update("google_storage_bucket_acl", "role_entity", `["READER:allUsers"]`, `["READER:allUsers","OWNER:user-a"]`)},
	},
	{
		rule: "public access block off",
		hits: []hit{
			{update("aws_s3_bucket_public_access_block", "block_public_acls", `true`, `false`), "public access block turned off"},
			{
				pending(update("aws_s3_account_public_access_block", "restrict_public_buckets", `true`, ``)),
				"would turn public access block off",
			},
		},
		miss: []Subject{
			update("aws_s3_bucket_public_access_block", "block_public_acls", `false`, `true`),
			unknown(update("aws_s3_bucket_public_access_block", "block_public_acls", `true`, ``)),
			create("aws_s3_bucket_public_access_block", "block_public_acls", `false`),
			update("aws_secretsmanager_secret_policy", "block_public_policy", `true`, `false`),
		},
		stale: []Subject{update("aws_s3_bucket_public_access_block", "block_public_acls", `false`, `false`, "bucket", `"a"`, `"b"`)},
	},
	{
		rule: "public access block deleted",
		hits: []hit{
			{destroy("aws_s3_bucket_public_access_block"), "public access block deleted"},
			{pending(destroy("aws_s3_account_public_access_block")), "would delete public access block"},
		},
		miss: []Subject{destroy("aws_s3_bucket_policy"), doing(Forget, destroy("aws_s3_bucket_public_access_block"))},
	},
	{
		rule: "public access prevention off",
		hits: []hit{
			{update("google_storage_bucket", "public_access_prevention", `"enforced"`, `"inherited"`), "public access prevention turned off"},
			{update("aws_ebs_snapshot_block_public_access", "state", `"block-all-sharing"`, `"unblocked"`), "public access prevention turned off"},
		},
		miss:  []Subject{update("google_storage_bucket", "public_access_prevention", `"inherited"`, `"enforced"`)},
		stale: []Subject{update("google_storage_bucket", "public_access_prevention", `"inherited"`, `""`)},
	},
	{
		rule: "container made public",
		hits: []hit{
			{update("azurerm_storage_container", "container_access_type", `"private"`, `"blob"`), "container made public"},
			{update("azurerm_storage_container", "container_access_type", `"blob"`, `"container"`), "container made public"},
		},
		miss:  []Subject{update("azurerm_storage_container", "container_access_type", `"blob"`, `"private"`)},
		stale: []Subject{update("azurerm_storage_container", "container_access_type", `"container"`, `"blob"`)},
	},
	{
		rule: "public containers allowed",
		hits: []hit{{update("azurerm_storage_account", "allow_nested_items_to_be_public", `false`, `true`), "public containers allowed"}},
		miss: []Subject{
			create("azurerm_storage_account", "allow_nested_items_to_be_public", `true`),
			update("azurerm_storage_account", "allow_nested_items_to_be_public", `true`, `false`),
		},
		stale: []Subject{update("azurerm_storage_account", "allow_nested_items_to_be_public", `true`, `true`)},
	},
	{
		rule: "image or snapshot shared with everybody",
		hits: []hit{
			{create("aws_ami_launch_permission", "group", `"all"`), "would make image or snapshot public"},
			{update("aws_db_snapshot", "shared_accounts", `["123456789012"]`, `["123456789012","all"]`), "image or snapshot made public"},
		},
		miss: []Subject{
			update("aws_db_snapshot", "shared_accounts", `[]`, `["123456789012"]`),
			update("aws_iam_group_membership", "group", `"a"`, `"all"`),
		},
		stale: []Subject{update("aws_db_snapshot", "shared_accounts", `["all"]`, `["all","123456789012"]`)},
	},
	{
		rule:  "anonymous pull on",
		hits:  []hit{{update("azurerm_container_registry", "anonymous_pull_enabled", `false`, `true`), "anonymous pull turned on"}},
		miss:  []Subject{update("azurerm_container_registry", "anonymous_pull_enabled", `true`, `false`)},
		stale: []Subject{update("azurerm_container_registry", "anonymous_pull_enabled", `true`, `true`)},
	},
	{
		rule:  "uniform access off",
		hits:  []hit{{update("google_storage_bucket", "uniform_bucket_level_access", `true`, `false`), "uniform bucket access turned off"}},
		miss:  []Subject{update("google_storage_bucket", "uniform_bucket_level_access", `false`, `true`)},
		stale: []Subject{update("google_storage_bucket", "uniform_bucket_level_access", `false`, ``)},
	},
}
