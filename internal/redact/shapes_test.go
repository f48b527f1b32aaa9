package redact_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/jsontree"
	"github.com/driftsentry/driftsentry/internal/redact"
)

// isHidden reports whether a string value of the attribute called name is hidden.
func isHidden(t *testing.T, name, text string) bool {
	t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	var p jsontree.Parser
	in := redact.NewInspector(redact.NewSecrets(), &p)
	return in.Attribute([]byte(name), p.Parse(quoted), nil, redact.Ordinary)
}

// No line of this file is a credential of anybody: they are made up, and put
// together so that scanners of repositories do not stop at them.
var (
	privateKey  = "-----BEGIN RSA PRIVATE" + " KEY-----\nMIIEpAIBAAKCAQEA7bq\n-----END RSA PRIVATE" + " KEY-----\n"
	certificate = "-----BEGIN CERTIFICATE-----\nMIIDXTCCAkWgAwIBAgIJAJC1HiIAZAiIMA0GCSqGSIb3DQEBBQUAMEUxCzAJBgNV\nBAYTAkFVMRMwEQYDVQQIDApTb21lLVN0YXRlMSEwHwYDVQQKDBhJbnRlcm5ldCBX\n-----END CERTIFICATE-----\n"
	jwt         = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4ifQ" + ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
	awsSecret   = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
)

func TestCredentialsByLook(t *testing.T) {
	for _, text := range []string{
		privateKey,
		"prefix\n" + privateKey,
		"-----BEGIN OPENSSH PRIVATE" + " KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE" + " KEY-----",
		certificate + privateKey,
		base64.StdEncoding.EncodeToString([]byte(privateKey)),
		"AKIA" + "IOSFODNN7EXAMPLE", "ASIA" + "IOSFODNN7EXAMPLE", "key AKIA" + "IOSFODNN7EXAMPLE here",
		awsSecret,
		"ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a", "github_pat_" + "11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz012345",
		"https://ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a@github.com/acme/app.git",
		"glpat-" + "x7Yz1234567890abcdef", "xoxb-" + "123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx",
		"https://hooks.slack.com/services/" + "T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
		"sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc", "AIza" + "SyA1234567890abcdefghijklmnopqrstuv-w", "npm_" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5",
		"SG." + "ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf-09kqeF8tAmbihYzrnopKc-1s5cr", "hvs." + "CAESIJ1nRk9xVGh2Q2x0bW9HZ3hNb2Q",
		jwt, "token is " + jwt,
		"postgres://app:hunter2hunter2@db.internal:5432/prod", "postgres://app:p%40ss@db/prod?sslmode=require",
		"redis://:hunter2@cache:6379/0", "amqp://user:pa/ss@mq:5672", "jdbc:mysql://db/x?user=app&password=hunter2",
		"Server=tcp:x.database.windows.net;Database=db;User ID=app;Password=Hunter2!;Encrypt=true;",
		"DefaultEndpointsProtocol=https;AccountName=x;AccountKey=" + "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
		"Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=abcdefgh",
		"https://x.blob.core.windows.net/c?sv=2020-08-04&sig=" + "abc123%2Fdef",
		"Authorization: Bearer " + "abcdef123456", "Bearer " + "abcdef123456", "Basic dXNlcjpodW50ZXIy",
		"#!/bin/bash\nexport DB_PASSWORD=hunter2\nrun", "#!/bin/sh\nmysql --password hunter2 -u root", "db:\n  password: changeme\n",
		"<config><password>hunter2</password></config>", `{"password":"hunter2", broken`, "password = 'hunter2'",
		"aws_secret_access_key = " + awsSecret,
		`{"a":[{"name":"DB_PASSWORD","value":"hunter2"}]}`, `{"auths":{"x":{"auth":"dXNlcjpodW50ZXIy"}}}`,
		base64.StdEncoding.EncodeToString([]byte("#!/bin/bash\nexport DB_PASSWORD=hunter2\n")),
		base64.StdEncoding.EncodeToString([]byte(`{"db":{"password":"hunter2"}}`)),
		base64.StdEncoding.EncodeToString(gzipped(t, "#cloud-config\npassword: hunter2\n")),
		base64.StdEncoding.EncodeToString([]byte("someuser:hunter2hunter2")),
		"x7Gk29LmQ0vTz81BnRw5", "kX9mQ2vL5nR8wT3yZ6bC1dF4gH7jK0pA", "Xk9#mP2$vL5@nQ8!wR3^tY6&",
	} {
		if !isHidden(t, "something", text) {
			t.Errorf("shown: %s", text)
		}
	}
}

// Our own credentials are hidden wherever they turn up, each of them.
func TestOwnCredentials(t *testing.T) {
	credentials := []string{ // random ones without a digit, and of few letters
		"dsk_" + "AbcdEfgh_" + strings.Repeat("Ab-_", 12) + "A", "dsr_" + strings.Repeat("Ab-_", 12) + "A",
	}
	for range 200 {
		key, _, _ := auth.NewAPIKey()
		token, _ := auth.NewRefreshToken()
		credentials = append(credentials, key.Reveal(), token.Reveal())
	}
	for _, c := range credentials {
		for _, text := range []string{c, "curl -H 'X-API-Key: " + c + "' https://drift.example.com", "https://drift.example.com/?k=" + c} {
			if !isHidden(t, "something", text) {
				t.Errorf("shown: %s", text)
			}
		}
	}
	for _, text := range []string{
		"dsk_production", "dsr_production_backup_2024_europe_west_1", "dsk-0a1b2c3d-vol-2024",
		"dsr_backups/2024/europe-west-1/production/network.subnets/private-1",
	} {
		if isHidden(t, "something", text) {
			t.Errorf("hidden: %s", text)
		}
	}
}

func TestWhatOnlyLooksSecret(t *testing.T) {
	for _, text := range []string{
		"", "x", "hello world", "eu-west-1", "10.0.0.0/8", "0.0.0.0/0", "::/0", "t3.micro", "2012-10-17", "2026-11-22T21:34:27Z",
		"arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf", "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly",
		"AmazonEC2ContainerRegistryReadOnly", "AWSLambdaVPCAccessExecutionRole", "ELBSecurityPolicy-TLS13-1-2-2021-06", "Managed-CachingOptimized",
		"sg-0a1b2c3d4e5f67890", "i-0abcd1234efgh5678", "vpc-77f2a9dd-db2c-452", "AROAJLMNOPQRSTUVWXYZ1", "Z0123456789ABCDEFGHIJ",
		"123e4567-e89b-12d3-a456-426614174000", "d41d8cd98f00b204e9800998ecf8427e", "0xb9bd7d543685789d57cb918e8bfeff7fddb2ebe8",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"./out/a95c73b1c20c9135be0f184e70f7af36.conf", "registry.example.com/team/app:v1.2.3-rc1", "ghcr.io/acme/token-service:1.0",
		"https://example.com/path/to/Some_File-2020.html?x=1&y=2", "https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com",
		"internal-my-lb-1234567890.eu-west-1.elb.amazonaws.com", "mydb.c9akciq32rgw.us-east-1.rds.amazonaws.com", "d111111abcdef8.cloudfront.net",
		"/subscriptions/123e4567-e89b-12d3-a456-426614174000/resourceGroups/RG-Prod-01/providers/Microsoft.Compute/virtualMachines/VM01",
		"projects/my-project-123/locations/europe-west3/keyRings/Ring1/cryptoKeys/Key1", "ami-0abcdef1234567890", "Standard_D2s_v3", "Ubuntu2204-lts-gen2",
		"secretsmanager:GetSecretValue", "iam:PassRole", "kms:Decrypt", "sts:AssumeRole", "s3:GetObject*", "logs:CreateLogGroup",
		"postgres://db.internal:5432/prod", "postgres://app:${DB_PASSWORD}@db/prod", "postgres://app:***@db/prod", "http://127.0.0.1:14566", "user@example.com",
		"password: must be at least twelve characters", "The token is rotated daily. Secrets: see the wiki for details", "Password policy", "password=$DB_PASSWORD", "token={{ .Values.token }}",
		"rate(1 day)", "cron(0 12 * * ? *)", "^[a-zA-Z0-9_-]{1,64}$", "sum(rate(http_requests_total{code=~\"5..\"}[5m])) > 0.5", "${aws:username}/*",
		certificate, base64.StdEncoding.EncodeToString([]byte(certificate)),
		"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7vbqajDhA5xHqlD0rm0JbnLUN9J2PmdoVY3Hhm8V me@host",
		"-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA7bqajDhA5xHqlD0rm0Jb\n-----END PUBLIC KEY-----",
		"v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwvQxqjDhA5xHqlD0rm0JbnLUN9J2PmdoVY3Hhm8V",
		base64.StdEncoding.EncodeToString([]byte("#!/bin/bash\nyum install -y httpd\nsystemctl start httpd\n")),
		"#!/bin/bash\nset -euo pipefail\nyum install -y httpd\naws s3 cp s3://bucket/key /tmp/key\n",
		"Basic dashboard for the service", "Bearer of bad news", "basic authentication is disabled here",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["secretsmanager:GetSecretValue"],"Resource":"*"}]}`,
		`[{"name":"app","image":"nginx:1.25","secrets":[{"name":"DB_PASSWORD","valueFrom":"arn:aws:ssm:eu-west-1:123456789012:parameter/db"}],"environment":[{"name":"LOG_LEVEL","value":"debug"}]}]`,
		"s-1234567890.server.transfer.eu-west-1.amazonaws.com", "key-pair-production-eu-west-1-2024", "sk-prod-cluster-eu-west-1-blue-green-01",
		"MyCompanyProductionCluster-eu1", "com.amazonaws.eu-west-1.execute-api", "terraform-20210504191919810500000002",
		"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "kubernetes.io/cluster/prod-cluster-2024=owned", "app.kubernetes.io/managed-by=Helm",
		"Standard_D2s_v3_Extra", "Prod:Web-01;Stage:Web-02", "Name=MyApp01&Env=Prod02", "projects/X1/Topics/Y2:publish", "(Group1,Group2)|(Group3)",
		"{Instance1,Instance2}", "Owner:Team42/CostCenter:1234", "@every 1h30m:JobRunner01", "MyStack-MyResource-1ABCDEFGHIJK",
		"EC2ContainerServiceforEC2Role", "x-amz-server-side-encryption-customer-algorithm", "mysql8.0-audit-error-general-slowquery",
	} {
		if isHidden(t, "something", text) {
			t.Errorf("hidden: %s", text)
		}
	}
}

func TestNamesDecide(t *testing.T) {
	random := "kX9mQ2vL5nR8wT3yZ6bC1dF4gH7jK0pA"
	for _, tt := range []struct {
		name, text string
		hidden     bool
	}{
		{"password", "changeme", true},
		{"password", "", false},
		{"password", "arn:aws:secretsmanager:eu-west-1:1:secret:x", false},
		{"credentials", "arn:aws:iam::123456789012:role/x", false},
		{"authorization", "AWS_IAM", false},
		{"authorization", "Bearer abc123def", true},
		{"auth", "dXNlcjpodW50ZXIy", true},
		{"http_tokens", "required", false},
		{"token", "true", false},
		{"version_id", random, false},
		{"client_id", random, false},
		{"source_code_hash", "WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=", false},
		{"note", random, true},
		{"public_key", "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA7bqajDhA5xHqlD0rm0Jb", false},
		{"id", "AKIA" + "IOSFODNN7EXAMPLE", true},
	} {
		if got := isHidden(t, tt.name, tt.text); got != tt.hidden {
			t.Errorf("%s = %s is hidden: %v, want %v", tt.name, tt.text, got, tt.hidden)
		}
	}
}

// TestRandomStrings measures rather than lists: generated secrets must be found
// wherever they are long enough to be told from names.
func TestRandomStrings(t *testing.T) {
	const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	random := rand.New(rand.NewPCG(3, 4))
	for _, tt := range []struct {
		alphabet string
		length   int
		least    int // of 1,000
	}{
		{base64Alphabet[:62], 20, 970},
		{base64Alphabet[:62], 24, 985},
		{base64Alphabet[:62], 40, 999},
		{base64Alphabet, 40, 990},
		{base64Alphabet[:62] + "-_", 43, 990},
		{base64Alphabet[26:62], 32, 990},
		{base64Alphabet[:62] + "!@#$%&*()-_=+[]{}<>:?", 32, 900},
	} {
		found := 0
		for range 1000 {
			text := make([]byte, tt.length)
			for i := range text {
				text[i] = tt.alphabet[random.IntN(len(tt.alphabet))]
			}
			if isHidden(t, "something", string(text)) {
				found++
			}
		}
		if found < tt.least {
			t.Errorf("of 1000 random strings of %d out of %s %d were found, want %d", tt.length, tt.alphabet, found, tt.least)
		}
	}
}

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(strings.Repeat(text, 3))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
