package drift

import "slices"

// Statements that the policy tables are made of.
const (
	readOne   = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a/*"}`
	writeOne  = `{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::a/*"}`
	trustEC2  = `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}}`
	trustAll  = `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}`
	denyClear = `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`
)

// readFrom allows reading with one referer.
func readFrom(referer string) string {
	return `{"Effect":"Allow","Action":"s3:GetObject","Resource":"a","Condition":{"StringEquals":{"aws:Referer":"` + referer + `"}}}`
}

// policy is a document of statements, as the JSON of a string attribute.
func policy(statements ...string) string {
	text := `{"Version":"2012-10-17","Statement":[`
	for i, s := range statements {
		if i > 0 {
			text += ","
		}
		text += s
	}
	return quote(text + "]}")
}

var identityCases = slices.Concat(policyCases, roleCases)

var policyCases = []ruleCases{
	{
		rule: "policy widened",
		hits: []hit{
			{update("aws_iam_role", "assume_role_policy", policy(trustEC2), policy(trustAll)), `trust policy widened to principal "*"`},
			{pending(update("aws_iam_role", "assume_role_policy", policy(trustEC2), policy(trustAll))), `would widen trust policy to principal "*"`},
			{update("aws_iam_policy", "policy", policy(readOne), policy(writeOne)), "policy widened to more actions"},
			{update("aws_s3_bucket_policy", "policy", policy(denyClear), policy(denyClear, readOne)), "policy widened by a new statement"},
			{update("aws_sqs_queue", "policy", ``, policy(readOne)), "policy widened by a new statement"},
			{update("aws_iam_role", "inline_policy", `[]`, `[{"name":"a","policy":`+policy(readOne)+`}]`), "policy widened by a new statement"},
			{update("aws_organizations_policy", "content", policy(readOne, denyClear), policy(readOne)), "policy widened by loosening a deny"},
			{create("aws_iam_policy", "policy", policy(`{"Effect":"Allow","Action":"*","Resource":"*"}`)), "would widen policy to all actions"},
			{
				create("aws_sns_topic_policy", "policy", policy(`{"Effect":"Allow","Action":"sns:Publish","Resource":"*","Principal":"*"}`)),
				`would widen policy to principal "*"`,
			},
		},
		miss: []Subject{
			update("aws_iam_policy", "policy", policy(writeOne), policy(readOne)),
			update("aws_ecr_lifecycle_policy", "policy", quote(`{"rules":[]}`), quote(`{"rules":[{"rulePriority":1}]}`)),
			update("aws_iam_policy", "policy", policy(readOne), quote("{garbage")),
			update("local_file", "content", policy(readOne), policy(writeOne)),
			create("aws_iam_policy", "policy", policy(writeOne)),
			unknown(update("aws_iam_policy", "policy", policy(readOne, denyClear), ``)),
		},
		stale: []Subject{
			update("aws_iam_role", "assume_role_policy", policy(trustAll, trustEC2), policy(trustAll)),
			update("aws_iam_policy", "policy", policy(readOne), quote(` {"Statement": `+readOne+`}`)),
		},
	},
	{
		rule: "policy condition changed",
		hits: []hit{
			{update("aws_s3_bucket_policy", "policy", policy(readFrom("a")), policy(readFrom("b"))), "policy condition changed"},
			{pending(update("aws_iam_role", "assume_role_policy", policy(readFrom("a")), policy(readFrom("b")))), "would change trust policy condition"},
		},
		miss: []Subject{
			update("aws_s3_bucket_policy", "policy", policy(readFrom("a")), policy(readOne)),
			update("aws_s3_bucket_policy", "policy", policy(readOne), policy(readFrom("a"))),
			create("aws_s3_bucket_policy", "policy", policy(readFrom("a"))),
		},
		stale: []Subject{update("aws_s3_bucket_policy", "policy", policy(readFrom("a")), policy(readFrom("a"))+` `)},
	},
	{
		rule: "policy narrowed",
		hits: []hit{
			{update("aws_iam_policy", "policy", policy(writeOne), policy(readOne)), "policy narrowed"},
			{pending(update("aws_iam_role", "assume_role_policy", policy(trustAll), policy(trustEC2, denyClear))), "would narrow trust policy"},
		},
		miss: []Subject{
			update("aws_iam_policy", "policy", policy(readOne), policy(writeOne)),
			create("aws_iam_policy", "policy", policy(denyClear)),
			unknown(update("aws_iam_policy", "policy", policy(writeOne), policy(readOne))),
		},
		stale: []Subject{update("aws_iam_policy", "policy", policy(readOne), policy(readOne, readOne))},
	},
	{
		rule: "policy too large",
		hits: []hit{{
			update("aws_iam_policy", "policy", policy(readOne), policy(slices.Repeat([]string{writeOne}, 400)...)),
			"policy changed, too large to compare",
		}},
		miss:  []Subject{update("aws_iam_policy", "policy", policy(readOne), policy(slices.Repeat([]string{writeOne}, 40)...))},
		stale: []Subject{update("aws_iam_policy", "policy", policy(readOne), policy(readOne))},
	},
}

var roleCases = []ruleCases{
	{
		rule: "administrator attached",
		hits: []hit{
			{update("aws_iam_role", "managed_policy_arns", `[]`, `["arn:aws:iam::aws:policy/AdministratorAccess"]`), "administrator policy attached"},
			{update("aws_iam_role", "managed_policy_arns", `["arn:aws:iam::aws:policy/PowerUserAccess"]`,
				`["arn:aws:iam::aws:policy/PowerUserAccess","arn:aws:iam::aws:policy/AdministratorAccess"]`), "administrator policy attached"},
			{create("aws_iam_role_policy_attachment", "policy_arn", `"arn:aws:iam::aws:policy/IAMFullAccess"`), "would attach administrator policy"},
		},
		miss: []Subject{update("aws_iam_role", "managed_policy_arns", `[]`, `["arn:aws:iam::aws:policy/ReadOnlyAccess"]`)},
		stale: []Subject{update("aws_iam_role", "managed_policy_arns", `["arn:aws:iam::aws:policy/AdministratorAccess"]`,
			`["arn:aws:iam::aws:policy/AdministratorAccess","arn:aws:iam::aws:policy/ReadOnlyAccess"]`)},
	},
	{
		rule:  "permissions boundary removed",
		hits:  []hit{{update("aws_iam_user", "permissions_boundary", `"arn:aws:iam::1:policy/b"`, ``), "permissions boundary removed"}},
		miss:  []Subject{update("aws_iam_user", "permissions_boundary", ``, `"arn:aws:iam::1:policy/b"`)},
		stale: []Subject{update("aws_iam_user", "permissions_boundary", `""`, ``)},
	},
	{
		rule: "credentials created",
		hits: []hit{{outside(create("aws_iam_access_key", "user", `"eve"`)), "aws_iam_access_key created outside the code"}},
		miss: []Subject{create("aws_iam_access_key", "user", `"eve"`), outside(create("aws_iam_group", "name", `"a"`))},
	},
	{
		rule:  "access key on",
		hits:  []hit{{update("aws_iam_access_key", "status", `"Inactive"`, `"Active"`), "access key turned on"}},
		miss:  []Subject{update("aws_iam_access_key", "status", `"Active"`, `"Inactive"`), create("aws_iam_access_key", "status", `"Active"`)},
		stale: []Subject{update("aws_iam_access_key", "status", `"Active"`, `"Active"`)},
	},
	{
		rule: "granted to everybody",
		hits: []hit{
			{create("google_storage_bucket_iam_member", "role", `"roles/storage.objectViewer"`, "member", `"allUsers"`), "would grant access to allUsers"},
			{
				update("google_project_iam_binding", "members", `["user:a@example.com"]`, `["user:a@example.com","allAuthenticatedUsers"]`),
				"access granted to allAuthenticatedUsers",
			},
			{update("google_pubsub_topic_iam_policy", "policy_data", quote(`{"bindings":[]}`),
				quote(`{"bindings":[{"role":"roles/pubsub.publisher","members":["allUsers"]}]}`)), "access granted to allUsers"},
		},
		miss: []Subject{
			create("google_storage_bucket_iam_member", "member", `"user:allUsers@example.com"`),
			update("google_pubsub_topic_iam_policy", "policy_data", quote(`{}`), quote("{garbage")),
		},
		stale: []Subject{update("google_project_iam_binding", "members", `["allUsers"]`, `["allUsers","user:a@example.com"]`)},
	},
	{
		rule: "basic role granted",
		hits: []hit{
			{beside(`{"role":"roles/owner"}`, update("google_project_iam_binding", "members", `[]`, `["user:a@example.com"]`)), "owner role granted"},
			{create("google_project_iam_member", "role", `"roles/editor"`, "member", `"user:a@example.com"`), "would grant editor role"},
		},
		miss: []Subject{create("google_project_iam_member", "role", `"roles/viewer"`, "member", `"user:a@example.com"`)},
		stale: []Subject{beside(`{"role":"roles/owner"}`,
			update("google_project_iam_binding", "members", `["user:a@example.com","user:b@example.com"]`, `["user:a@example.com"]`))},
	},
	{
		rule: "Azure role granted",
		hits: []hit{
			{create("azurerm_role_assignment", "role_definition_name", `"Owner"`), "would grant owner or contributor role"},
			{update("azurerm_role_assignment", "role_definition_id", `"/x/acdd72a7-3385-48ef-bd42-f606fba81ae7"`,
				`"/x/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"`), "owner or contributor role granted"},
		},
		miss:  []Subject{create("azurerm_role_assignment", "role_definition_name", `"Storage Blob Data Owner"`)},
		stale: []Subject{update("azurerm_role_assignment", "role_definition_name", `"Owner"`, `"Contributor"`)},
	},
	{
		rule: "role definition widened",
		hits: []hit{{
			update("azurerm_role_definition", "permissions", `[{"actions":["Microsoft.Compute/*/read"]}]`, `[{"actions":["*"]}]`),
			"role definition widened to all actions",
		}},
		miss:  []Subject{update("azurerm_role_definition", "permissions", `[{"actions":[]}]`, `[{"actions":["Microsoft.Compute/*"]}]`)},
		stale: []Subject{update("azurerm_role_definition", "permissions", `[{"actions":["*"]}]`, `[{"actions":["*"],"not_actions":["a"]}]`)},
	},
	{
		rule: "condition removed",
		hits: []hit{{update("google_project_iam_member", "condition", `[{"title":"until May"}]`, `[]`), "condition of the grant removed"}},
		miss: []Subject{
			update("google_project_iam_member", "condition", `[]`, `[{"title":"until May"}]`),
			update("aws_lb_listener_rule", "condition", `[{"host_header":[]}]`, `[]`),
		},
		stale: []Subject{update("google_project_iam_member", "condition", `[]`, ``)},
	},
	{
		rule:  "cluster role widened",
		hits:  []hit{{update("kubernetes_cluster_role", "rule", `[{"verbs":["get"]}]`, `[{"verbs":["*"]}]`), `role widened to "*"`}},
		miss:  []Subject{update("kubernetes_cluster_role", "rule", `[{"verbs":["get"]}]`, `[{"verbs":["get","list"]}]`)},
		stale: []Subject{update("kubernetes_cluster_role", "rule", `[{"verbs":["*"],"resources":["pods"]}]`, `[{"verbs":["*"],"resources":["nodes"]}]`)},
	},
	{
		rule: "cluster admin granted",
		hits: []hit{
			{beside(`{"role_ref":[{"name":"cluster-admin"}]}`, update("kubernetes_cluster_role_binding", "subject",
				`[]`, `[{"kind":"User","name":"eve"}]`)), "cluster-admin granted"},
			{
				create("kubernetes_cluster_role_binding_v1", "role_ref", `[{"name":"cluster-admin"}]`, "subject", `[{"kind":"User","name":"eve"}]`),
				"would grant cluster-admin",
			},
		},
		miss: []Subject{create("kubernetes_cluster_role_binding", "role_ref", `[{"name":"view"}]`, "subject", `[{"kind":"User","name":"eve"}]`)},
		stale: []Subject{beside(`{"role_ref":[{"name":"cluster-admin"}]}`, update("kubernetes_cluster_role_binding", "subject",
			`[{"kind":"User","name":"eve"},{"kind":"User","name":"bob"}]`, `[{"kind":"User","name":"eve"}]`))},
	},
	{
		rule: "granted to anonymous",
		hits: []hit{{
			update("kubernetes_role_binding", "subject", `[]`, `[{"kind":"User","name":"system:anonymous"}]`),
			"access granted to unauthenticated users",
		}},
		miss:  []Subject{update("kubernetes_role_binding", "subject", `[]`, `[{"kind":"Group","name":"system:authenticated"}]`)},
		stale: []Subject{update("kubernetes_role_binding", "subject", `[{"name":"system:anonymous"}]`, `[{"name":"system:anonymous"},{"name":"eve"}]`)},
	},
	{
		rule: "metadata without session",
		hits: []hit{{
			update("aws_instance", "metadata_options", `[{"http_tokens":"required"}]`, `[{"http_tokens":"optional"}]`),
			"metadata access allowed without a session token",
		}},
		miss: []Subject{
			update("aws_instance", "metadata_options", `[{"http_tokens":"optional"}]`, `[{"http_tokens":"required"}]`),
			create("aws_instance", "metadata_options", `[{"http_tokens":"optional"}]`),
		},
		stale: []Subject{update("aws_instance", "metadata_options",
			`[{"http_tokens":"optional","http_put_response_hop_limit":1}]`, `[{"http_tokens":"optional","http_put_response_hop_limit":2}]`)},
	},
	{
		rule: "policy attached",
		hits: []hit{{update("aws_iam_role", "managed_policy_arns", `["a"]`, `["a","b"]`), "managed policy attached"}},
		miss: []Subject{
			update("aws_iam_role", "managed_policy_arns", `["a","b"]`, `["a"]`),
			create("aws_iam_role", "managed_policy_arns", `["a"]`),
		},
		stale: []Subject{update("aws_iam_role", "managed_policy_arns", `["a","b"]`, `["b","a"]`)},
	},
}
