package terraform_test

import (
	"strings"
	"testing"
)

// Parts of the plans below: a parent that goes from before to after, and the
// state in which its siblings stand.

func parentDrift(kind, id, attribute, before, after string) string {
	return `{"address":"` + kind + `.a","mode":"managed","type":"` + kind + `","name":"a","change":{"actions":["update"],` +
		`"before":{"id":"` + id + `","` + attribute + `":` + before + `},"after":{"id":"` + id + `","` + attribute + `":` + after + `}}}`
}

func echoPlan(drifts, siblings, extra string) string {
	return `{"format_version":"1.2","terraform_version":"1.11.4","resource_drift":[` + drifts + `],` +
		`"prior_state":{"format_version":"1.0","values":{"root_module":{"resources":[` + siblings + `]}}}` + extra + `}`
}

func sibling(kind, values string) string {
	return `{"address":"` + kind + `.b","mode":"managed","type":"` + kind + `","name":"b","values":` + values + `}`
}

const (
	somePolicy  = `"{\"Statement\":[{\"Action\":\"s3:GetObject\",\"Effect\":\"Allow\",\"Principal\":\"*\"}]}"`
	otherPolicy = `"{\"Statement\":[{\"Action\":\"s3:*\",\"Effect\":\"Allow\",\"Principal\":\"*\"}]}"`
	oneRule     = `{"protocol":"tcp","from_port":443,"to_port":443,"cidr_blocks":["10.0.0.0/8","10.1.0.0/16"],"self":false,"description":""}`
	openRule    = `{"protocol":"tcp","from_port":22,"to_port":22,"cidr_blocks":["0.0.0.0/0"],"self":false,"description":""}`
)

func TestEcho(t *testing.T) {
	bucketPolicy := func(policy string) string {
		return sibling("aws_s3_bucket_policy", `{"id":"b1","bucket":"b1","policy":`+policy+`}`)
	}
	policyCame := parentDrift("aws_s3_bucket", "b1", "policy", `""`, somePolicy)
	rules := sibling("aws_security_group_rule", `{"type":"ingress","security_group_id":"sg1","protocol":"tcp","from_port":443,"to_port":443,"cidr_blocks":["10.0.0.0/8"]}`) + "," +
		sibling("aws_vpc_security_group_ingress_rule", `{"security_group_id":"sg1","ip_protocol":"tcp","from_port":443,"to_port":443,"cidr_ipv4":"10.1.0.0/16"}`)
	inline := `{"name":"p","policy":` + somePolicy + `}`

	tests := []struct {
		name   string
		plan   string
		drifts int
	}{
		{"the sibling says it", echoPlan(policyCame, bucketPolicy(somePolicy), ``), 0},
		{"there is no sibling", echoPlan(policyCame, ``, ``), 1},
		{"the sibling is another bucket's", echoPlan(policyCame, strings.ReplaceAll(bucketPolicy(somePolicy), "b1", "b2"), ``), 1},
		{"the sibling says something else", echoPlan(policyCame, bucketPolicy(otherPolicy), ``), 1},
		{"the sibling is of another kind", echoPlan(policyCame, sibling("aws_s3_bucket_acl", `{"bucket":"b1","policy":`+somePolicy+`}`), ``), 1},
		{"the sibling drifted, too", echoPlan(policyCame+","+
			strings.Replace(parentDrift("aws_s3_bucket_policy", "b1", "policy", otherPolicy, somePolicy), `"id":"b1"`, `"bucket":"b1"`, 2),
			bucketPolicy(somePolicy), ``), 2},
		{"the parent had another", echoPlan(parentDrift("aws_s3_bucket", "b1", "policy", otherPolicy, somePolicy), bucketPolicy(somePolicy), ``), 1},
		{"the plan failed", echoPlan(policyCame, bucketPolicy(somePolicy), `,"errored":true`), 0},
		{"the state comes first", strings.Replace(echoPlan("", bucketPolicy(somePolicy), `,"resource_drift":[`+policyCame+`]`), `"resource_drift":[],`, ``, 1), 0},
		{"versioning", echoPlan(parentDrift("aws_s3_bucket", "b1", "versioning", `[{"enabled":false}]`, `[{"enabled":true}]`),
			sibling("aws_s3_bucket_versioning", `{"bucket":"b1","versioning_configuration":[{"status":"Enabled"}]}`), ``), 0},
		{"versioning that is suspended", echoPlan(parentDrift("aws_s3_bucket", "b1", "versioning", `[{"enabled":false}]`, `[{"enabled":true}]`),
			sibling("aws_s3_bucket_versioning", `{"bucket":"b1","versioning_configuration":[{"status":"Suspended"}]}`), ``), 1},
		{"encryption that is on from the start", echoPlan(parentDrift("aws_s3_bucket", "b1", "server_side_encryption_configuration",
			`[{"rule":[{"sse_algorithm":"AES256"}]}]`, `[{"rule":[{"sse_algorithm":"aws:kms"}]}]`),
			sibling("aws_s3_bucket_server_side_encryption_configuration", `{"bucket":"b1","rule":[{"sse_algorithm":"aws:kms"}]}`), ``), 0},
		{"encryption that is gone", echoPlan(parentDrift("aws_s3_bucket", "b1", "server_side_encryption_configuration",
			`[{"rule":[{"sse_algorithm":"AES256"}]}]`, `[]`),
			sibling("aws_s3_bucket_server_side_encryption_configuration", `{"bucket":"b1","rule":[{"sse_algorithm":"aws:kms"}]}`), ``), 1},

		{"rules of a security group", echoPlan(parentDrift("aws_security_group", "sg1", "ingress", `[]`, `[`+oneRule+`]`), rules, ``), 0},
		{"and one that nobody manages", echoPlan(parentDrift("aws_security_group", "sg1", "ingress", `[]`, `[`+oneRule+`,`+openRule+`]`), rules, ``), 1},
		{"the other way", echoPlan(parentDrift("aws_security_group", "sg1", "egress", `[]`, `[`+oneRule+`]`), rules, ``), 1},
		{"a role's policy", echoPlan(parentDrift("aws_iam_role", "r1", "inline_policy", `[]`, `[`+inline+`]`),
			sibling("aws_iam_role_policy", `{"id":"r1:p","role":"r1","name":"p","policy":`+somePolicy+`}`), ``), 0},
		{"a policy attached by hand", echoPlan(parentDrift("aws_iam_role", "r1", "managed_policy_arns", `[]`, `["arn:aws:iam::aws:policy/AdministratorAccess"]`),
			sibling("aws_iam_role_policy_attachment", `{"role":"r1","policy_arn":"arn:aws:iam::aws:policy/ReadOnlyAccess"}`), ``), 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if s := read(t, test.plan); len(s.Drifts) != test.drifts {
				t.Errorf("%d drifts and %d noise, want %d drifts:\n%s", len(s.Drifts), len(s.Noise), test.drifts, told(t, s))
			}
		})
	}
}
