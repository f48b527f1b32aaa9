package redact_test

import (
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/redact"
)

func TestMeaningOf(t *testing.T) {
	for meaning, names := range map[redact.Meaning]string{
		redact.Credential: `password passwd db_password DB_PASSWORD dbPassword DB_PASSWORD_2 master_password admin_password
			password_wo password_hash secret client_secret clientSecret secret_string secret_binary secret_key_base64 token auth_token
			AUTH_TOKEN access_token accesstoken api_token private_key private_key_pem private-key ssh_private_key api_key apikey APIKey
			X-Api-Key access_key secret_key secret_access_key AWS_SECRET_ACCESS_KEY connection_string
			primary_connection_string connectionString account_key shared_access_key
			license_key encryption_key signing_key client_key client-key-data STRIPE_KEY credentials google_credentials
			tokens secrets SECRET_KEY_BASE aws_session_token /prod/db/password db.password vault-token pgpassword`,
		redact.Suspicious: `auth pass smtp_pass pw authorization session seed`,
		redact.Public: `id vpc_id arn role_arn secret_arn token_id access_key_id kms_key_id version_id etag source_hash
			content_base64sha256 source_code_hash public_key certificate certificate_body ca_cert fingerprint checksum_crc32c
			allowed_client_ids secret_version`,
		redact.Ordinary: `name key value username secret_name token_type password_policy key_name force_password_reset
			password_length minimum_password_length token_ttl http_tokens token_url secret_path key_usage partition_key
			range_key hash_key sort_key primary_key s3_key routing_key object_key authentication_method author
			allow_credentials creation_token dkim_tokens authorization_type rotate_secret_days tokens_per_minute
			keys secretary tokenizer passenger compass bypass`,
	} {
		for name := range strings.FieldsSeq(names) {
			if got := redact.MeaningOf(name); got != meaning {
				t.Errorf("MeaningOf(%q) = %d, want %d", name, got, meaning)
			}
		}
	}
}

func TestIsDigestOf(t *testing.T) {
	for _, tt := range []struct {
		name, of string
		want     bool
	}{
		{"content_md5", "content", true},
		{"content_base64sha512", "content", true},
		{"content_sha256", "content_base64", true},
		{"content_md5", "sensitive_content", true},
		{"source_hash", "content", true},
		{"etag", "content", true},
		{"source_code_hash", "source", true},
		{"password_md5", "password", true},
		{"user_data_sha1", "user_data", true},
		{"etag", "password", false},
		{"content_md5", "password", false},
		{"content_type", "content", false},
		{"id", "content", false},
	} {
		if got := redact.IsDigestOf(tt.name, tt.of); got != tt.want {
			t.Errorf("IsDigestOf(%q, %q) = %v, want %v", tt.name, tt.of, got, tt.want)
		}
	}
}
