package drift

// deletionRules are about what is lost with a resource.
var deletionRules = []rule{
	{
		// The data is gone, or will be: a backup is the only way back.
		name: "data deleted", severity: Critical,
		actions: []Action{Delete},
		find:    losesData(deleted),
	},
	{
		// A replacement comes up empty; the plan's "must be replaced" is easily
		// overlooked in a long list.
		name: "data replaced", severity: Critical,
		actions: []Action{Replace},
		find:    losesData(replaced),
	},
}

func losesData(how verb) func(*evidence) (finding, bool) {
	return func(e *evidence) (finding, bool) {
		thing := storedBy(e.Type)
		return finding{thing, how, ""}, thing != ""
	}
}

// storedBy names what a type of resource stores that its code cannot bring
// back; empty if it stores nothing of the kind.
func storedBy(resourceType string) string {
	if thing, ok := stores[resourceType]; ok {
		return thing
	}
	for _, s := range storeEndings {
		if globCovers(s.types, resourceType) {
			return s.thing
		}
	}
	return ""
}

// storeEndings are the names that providers give to such resources.
var storeEndings = []struct{ types, thing string }{
	{"*_database", "database"},
	{"*_bucket", "bucket"},
	{"*_volume", "volume"},
	{"*_file_system", "file system"},
	{"*_filesystem", "file system"},
	{"azurerm_*_flexible_server", "database"},
	{"*_database_cluster", "database"},
	{"oci_database_*", "database"},
	{"linode_database_*", "database"},
}

// stores are the resources whose names do not tell, by provider, and with an
// empty name those whose names mislead.
var stores = map[string]string{
	// AWS
	"aws_db_instance":                    "database",
	"aws_rds_cluster":                    "database",
	"aws_rds_global_cluster":             "database",
	"aws_docdb_cluster":                  "database",
	"aws_docdbelastic_cluster":           "database",
	"aws_docdb_global_cluster":           "database",
	"aws_neptune_cluster":                "database",
	"aws_neptune_global_cluster":         "database",
	"aws_dsql_cluster":                   "database",
	"aws_qldb_ledger":                    "database",
	"aws_redshift_cluster":               "database",
	"aws_redshiftserverless_namespace":   "database",
	"aws_keyspaces_keyspace":             "database",
	"aws_timestreaminfluxdb_db_instance": "database",
	"aws_dynamodb_table":                 "table",
	"aws_dynamodb_global_table":          "table",
	"aws_keyspaces_table":                "table",
	"aws_timestreamwrite_table":          "table",
	"aws_s3tables_table":                 "table",
	"aws_elasticache_cluster":            "cache",
	"aws_elasticache_replication_group":  "cache",
	"aws_elasticache_serverless_cache":   "cache",
	"aws_memorydb_cluster":               "database",
	"aws_opensearch_domain":              "search domain",
	"aws_elasticsearch_domain":           "search domain",
	"aws_ebs_snapshot":                   "snapshot",
	"aws_db_snapshot":                    "snapshot",
	"aws_db_cluster_snapshot":            "snapshot",
	"aws_backup_vault":                   "backup vault",
	"aws_glacier_vault":                  "archive",
	"aws_kms_key":                        "encryption key",
	"aws_kms_external_key":               "encryption key",
	"aws_kms_replica_key":                "encryption key",
	"aws_secretsmanager_secret":          "secret",
	"aws_sqs_queue":                      "queue",
	"aws_kinesis_stream":                 "stream",
	"aws_msk_cluster":                    "cluster",
	"aws_msk_serverless_cluster":         "cluster",
	"aws_mq_broker":                      "message broker",
	"aws_eks_cluster":                    "cluster",
	"aws_route53_zone":                   "dns zone",
	"aws_ecr_repository":                 "image repository",
	"aws_codecommit_repository":          "repository",
	"aws_cloudwatch_log_group":           "log group",
	"aws_cognito_user_pool":              "user pool",
	"aws_directory_service_directory":    "directory",
	"aws_athena_database":                "", // names for files elsewhere
	"aws_glue_catalog_database":          "",

	// Google
	"google_sql_database_instance":        "database",
	"google_spanner_instance":             "database",
	"google_bigtable_instance":            "database",
	"google_alloydb_cluster":              "database",
	"google_redis_instance":               "cache",
	"google_redis_cluster":                "cache",
	"google_memorystore_instance":         "cache",
	"google_bigtable_table":               "table",
	"google_bigquery_dataset":             "dataset",
	"google_bigquery_table":               "table",
	"google_compute_disk":                 "disk",
	"google_compute_region_disk":          "disk",
	"google_compute_snapshot":             "snapshot",
	"google_filestore_instance":           "file system",
	"google_kms_crypto_key":               "encryption key",
	"google_secret_manager_secret":        "secret",
	"google_pubsub_subscription":          "queue",
	"google_container_cluster":            "cluster",
	"google_dns_managed_zone":             "dns zone",
	"google_artifact_registry_repository": "image repository",
	"google_project":                      "project",

	// Azure
	"azurerm_mssql_server":                               "database",
	"azurerm_mssql_managed_instance":                     "database",
	"azurerm_mysql_server":                               "database",
	"azurerm_mariadb_server":                             "database",
	"azurerm_postgresql_server":                          "database",
	"azurerm_cosmosdb_account":                           "database",
	"azurerm_cosmosdb_sql_container":                     "table",
	"azurerm_cosmosdb_mongo_collection":                  "table",
	"azurerm_cosmosdb_cassandra_keyspace":                "database",
	"azurerm_cosmosdb_cassandra_table":                   "table",
	"azurerm_cosmosdb_gremlin_graph":                     "table",
	"azurerm_cosmosdb_table":                             "table",
	"azurerm_redis_cache":                                "cache",
	"azurerm_redis_enterprise_cluster":                   "cache",
	"azurerm_storage_account":                            "storage account",
	"azurerm_storage_container":                          "container",
	"azurerm_storage_share":                              "file system",
	"azurerm_storage_queue":                              "queue",
	"azurerm_storage_table":                              "table",
	"azurerm_managed_disk":                               "disk",
	"azurerm_snapshot":                                   "snapshot",
	"azurerm_key_vault":                                  "key vault",
	"azurerm_key_vault_key":                              "encryption key",
	"azurerm_key_vault_secret":                           "secret",
	"azurerm_key_vault_certificate":                      "certificate",
	"azurerm_key_vault_managed_hardware_security_module": "key vault",
	"azurerm_servicebus_namespace":                       "message broker",
	"azurerm_servicebus_queue":                           "queue",
	"azurerm_eventhub_namespace":                         "message broker",
	"azurerm_eventhub":                                   "stream",
	"azurerm_kubernetes_cluster":                         "cluster",
	"azurerm_dns_zone":                                   "dns zone",
	"azurerm_private_dns_zone":                           "dns zone",
	"azurerm_container_registry":                         "image repository",
	"azurerm_recovery_services_vault":                    "backup vault",
	"azurerm_data_protection_backup_vault":               "backup vault",
	"azurerm_log_analytics_workspace":                    "log workspace",
	"azurerm_resource_group":                             "resource group",

	// Kubernetes
	"kubernetes_namespace":                  "namespace",
	"kubernetes_namespace_v1":               "namespace",
	"kubernetes_persistent_volume_claim":    "volume claim",
	"kubernetes_persistent_volume_claim_v1": "volume claim",
	"kubernetes_persistent_volume_v1":       "volume",
	"kubernetes_secret":                     "secret",
	"kubernetes_secret_v1":                  "secret",

	// Others
	"digitalocean_database_db":             "database",
	"digitalocean_kubernetes_cluster":      "cluster",
	"digitalocean_domain":                  "dns zone",
	"digitalocean_volume_snapshot":         "snapshot",
	"hcloud_zone":                          "dns zone",
	"hcloud_storage_box":                   "file system",
	"openstack_blockstorage_volume_v3":     "volume",
	"openstack_objectstorage_container_v1": "bucket",
	"openstack_sharedfilesystem_share_v2":  "file system",
	"openstack_db_instance_v1":             "database",
	"openstack_dns_zone_v2":                "dns zone",
	"openstack_keymanager_secret_v1":       "secret",
	"scaleway_rdb_instance":                "database",
	"cloudflare_zone":                      "dns zone",
	"mongodbatlas_cluster":                 "database",
	"mongodbatlas_advanced_cluster":        "database",
	"confluent_kafka_cluster":              "cluster",
	"confluent_kafka_topic":                "topic",
	"kafka_topic":                          "topic",
	"vault_mount":                          "secret store",
	"github_repository":                    "repository",
}
