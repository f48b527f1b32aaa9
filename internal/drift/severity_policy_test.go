package drift

import (
	"strconv"
	"strings"
	"testing"
)

func TestPolicyWidening(t *testing.T) {
	allow := func(rest string) string { return `{"Effect":"Allow",` + rest + `}` }
	deny := func(rest string) string { return `{"Effect":"Deny",` + rest + `}` }
	tests := []struct {
		name          string
		before, after string
		want          string // the reason; "" for neither widened nor narrowed
	}{
		{
			"the same in other words",
			policy(allow(`"Action":["S3:GetObject"],"Resource":["a"]`)), policy(allow(`"Resource":"a","Action":"s3:getobject"`)), "",
		},
		{
			"split in two",
			policy(allow(`"Action":["s3:GetObject","s3:PutObject"],"Resource":["a","b"]`)),
			policy(allow(`"Action":"s3:GetObject","Resource":["a","b"]`), allow(`"Action":"s3:PutObject","Resource":["b","a"]`)), "",
		},
		{
			"account written as its root",
			policy(allow(`"Action":"sts:AssumeRole","Principal":{"AWS":"123456789012"}`)),
			policy(allow(`"Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::123456789012:root"}`)), "",
		},
		{
			"within a wildcard",
			policy(allow(`"Action":"s3:*","Resource":"*"`)), policy(allow(`"Action":"s3:Get*","Resource":"arn:aws:s3:::a/*"`)), "policy narrowed",
		},
		{
			"across statements, not within one",
			policy(allow(`"Action":"s3:GetObject","Resource":"a"`), allow(`"Action":"s3:PutObject","Resource":"b"`)),
			policy(allow(`"Action":["s3:GetObject","s3:PutObject"],"Resource":["a","b"]`)), "policy widened to more actions",
		},
		{
			"everybody", policy(allow(`"Action":"sqs:SendMessage","Resource":"q","Principal":{"AWS":"1"}`)),
			policy(allow(`"Action":"sqs:SendMessage","Resource":"q","Principal":"*"`)), `policy widened to principal "*"`,
		},
		{
			"everybody under a condition", policy(allow(`"Action":"sqs:SendMessage","Resource":"q","Principal":{"AWS":"1"}`)),
			policy(allow(`"Action":"sqs:SendMessage","Resource":"q","Principal":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o"}}`)),
			"policy widened to more principals",
		},
		{
			"everybody but", policy(readOne), policy(readOne, allow(`"Action":"s3:GetObject","Resource":"a","NotPrincipal":{"AWS":"1"}`)),
			"policy widened to all but some principals",
		},
		{"all actions", policy(readOne), policy(allow(`"Action":"*","Resource":"a"`)), "policy widened to all actions"},
		{"all actions but", policy(readOne), policy(allow(`"NotAction":"iam:*","Resource":"*"`)), "policy widened to all but some actions"},
		{
			"fewer exceptions", policy(allow(`"NotAction":["iam:*","kms:*"],"Resource":"*"`)),
			policy(allow(`"NotAction":["iam:*"],"Resource":"*"`)), "policy widened to all but some actions",
		},
		{
			"more exceptions", policy(allow(`"NotAction":["iam:*"],"Resource":"*"`)),
			policy(allow(`"NotAction":["iam:*","kms:*"],"Resource":"*"`)), "policy narrowed",
		},
		{
			"outside the exceptions", policy(allow(`"NotAction":["iam:*"],"Resource":"*"`)),
			policy(allow(`"Action":["s3:GetObject"],"Resource":"*"`)), "policy narrowed",
		},
		{
			"within the exceptions", policy(allow(`"NotAction":["iam:*"],"Resource":"*"`)),
			policy(allow(`"Action":["iam:PassRole"],"Resource":"a"`)), "policy widened to more actions",
		},
		{"all of a service", policy(readOne), policy(allow(`"Action":"s3:*","Resource":"arn:aws:s3:::a/*"`)), "policy widened to all actions of a service"},
		{"writing everywhere", policy(writeOne), policy(allow(`"Action":"s3:PutObject","Resource":"*"`)), "policy widened to all resources"},
		{"reading everywhere", policy(readOne), policy(allow(`"Action":"s3:GetObject","Resource":"*"`)), "policy widened to more resources"},
		{
			"condition removed", policy(allow(`"Action":"s3:GetObject","Resource":"a","Condition":{"IpAddress":{"aws:SourceIp":"198.51.100.0/24"}}`)),
			policy(allow(`"Action":"s3:GetObject","Resource":"a"`)), "policy widened by removing a condition",
		},
		{
			"condition with another value", policy(allow(`"Action":"s3:GetObject","Resource":"a","Condition":{"IpAddress":{"aws:SourceIp":["198.51.100.0/24"]}}`)),
			policy(allow(`"Action":"s3:GetObject","Resource":"a","Condition":{"IpAddress":{"aws:SourceIp":["198.51.100.0/24","0.0.0.0/0"]}}`)),
			"policy widened by loosening a condition",
		},
		{
			"condition tightened", policy(allow(`"Action":"s3:GetObject","Resource":"a","Condition":{"IpAddress":{"aws:SourceIp":["b","a"]}}`)),
			policy(allow(`"Action":"s3:GetObject","Resource":"a","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"IpAddress":{"aws:SourceIp":"a"}}`)),
			"policy narrowed",
		},
		{
			"condition that forbids fewer values", policy(allow(`"Action":"s3:GetObject","Resource":"a","Condition":{"StringNotEquals":{"k":["a","b"]}}`)),
			policy(allow(`"Action":"s3:GetObject","Resource":"a","Condition":{"StringNotEquals":{"k":["a"]}}`)), "policy widened by loosening a condition",
		},
		{
			"condition written with a true", policy(allow(`"Action":"a:B","Resource":"a","Condition":{"Bool":{"k":true}}`)),
			policy(allow(`"Action":"a:B","Resource":"a","Condition":{"bool":{"K":["true"]}}`)), "",
		},
		{"a deny gone", policy(readOne, deny(`"Action":"*","Resource":"b"`)), policy(readOne), "policy widened by loosening a deny"},
		{"a deny added", policy(readOne), policy(readOne, deny(`"Action":"*","Resource":"b"`)), "policy narrowed"},
		{
			"a deny with a condition", policy(readOne, deny(`"Action":"*","Resource":"b"`)),
			policy(readOne, deny(`"Action":"*","Resource":"b","Condition":{"Bool":{"k":"true"}}`)), "policy widened by loosening a deny",
		},
		{"no statements before", quote(`{"Version":"2012-10-17"}`), policy(readOne), "policy widened by a new statement"},
		{"an unknown effect", policy(readOne), policy(readOne, `{"Effect":"Maybe","Action":"*","Resource":"*"}`), ""},
		{"statements that are null", quote(`{"Statement":null}`), quote(`{"Statement":null,"Version":"2012-10-17"}`), ""},
		{"no document before", quote("not JSON"), policy(readOne), ""},
		{"an action that is a number", policy(readOne), policy(allow(`"Action":7,"Resource":"*"`)), ""},
		{
			"a condition that is none", policy(allow(`"Action":"a:B","Resource":"a","Condition":[]`)),
			policy(allow(`"Action":"a:B","Resource":"a","Condition":"x"`)), "policy condition changed",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := test.want
			if want == "" {
				want = "policy changed"
			}
			if _, reason := Classify(update("aws_iam_policy", "policy", test.before, test.after)); reason != want {
				t.Errorf("Classify(%s to %s) = %q, want %q", test.before, test.after, reason, want)
			}
		})
	}
}

func TestPolicyConditions(t *testing.T) {
	const looser, narrower, other = "policy widened by loosening a condition", "policy narrowed", "policy condition changed"
	tests := []struct{ before, after, want string }{
		{`{"StringEquals":{"k":"a"}}`, `{"StringEquals":{"k":"b"}}`, other},
		{`{"StringEquals":{"k":["a","b"]}}`, `{"StringEquals":{"k":["b","c"]}}`, other},
		{`{"StringEquals":{"k":"a"}}`, `{"StringEquals":{"k":["a","b"]}}`, looser},
		{`{"StringEquals":{"k":"a","l":"b"}}`, `{"StringEquals":{"k":"a"}}`, looser},
		{`{"StringEquals":{"k":"a","l":"b"}}`, `{"StringEquals":{"k":"b"}}`, looser},
		{`{"StringEquals":{"k":"a"}}`, `{"StringEquals":{"l":"a"}}`, looser},
		{`{"StringEquals":{"k":"a"}}`, `{"StringLike":{"k":"*"}}`, looser},
		{`{"StringEquals":{"k":"a"}}`, `{"StringEquals":{"k":"b","l":"c"}}`, other},
		{`{"StringLike":{"k":"a"}}`, `{"StringLike":{"k":"*"}}`, looser},
		{`{"StringLike":{"k":"a*"}}`, `{"StringLike":{"k":"ab*"}}`, narrower},
		{`{"StringLike":{"k":["a","b"]}}`, `{"StringLike":{"k":["a*","c"]}}`, looser},
		{`{"ArnLike":{"k":"arn:a"}}`, `{"ArnLike":{"k":"arn:b"}}`, other},
		{`{"StringEqualsIgnoreCase":{"k":"a"}}`, `{"StringEqualsIgnoreCase":{"k":"A"}}`, "policy changed"},
		{`{"StringNotEquals":{"k":["a"]}}`, `{"StringNotEquals":{"k":["a","b"]}}`, narrower},
		{`{"StringNotEquals":{"k":["a"]}}`, `{"StringNotEquals":{"k":["b"]}}`, other},
		{`{"IpAddress":{"k":"198.51.100.0/24"}}`, `{"IpAddress":{"k":"203.0.113.0/24"}}`, other},
		{`{"IpAddress":{"k":"198.51.100.7"}}`, `{"IpAddress":{"k":"198.51.100.0/24"}}`, looser},
		{`{"IpAddress":{"k":"198.51.100.0/24"}}`, `{"IpAddress":{"k":"0.0.0.0/0"}}`, looser},
		{`{"IpAddress":{"k":"198.51.100.0/24"}}`, `{"IpAddress":{"k":["0.0.0.0/1"]}}`, looser},
		{`{"IpAddress":{"k":"198.51.100.0/24"}}`, `{"IpAddress":{"k":"198.51.100.128/25"}}`, narrower},
		{`{"NotIpAddress":{"k":"198.51.100.0/24"}}`, `{"NotIpAddress":{"k":"198.51.100.128/25"}}`, looser},
		{`{"IpAddress":{"k":"x"}}`, `{"IpAddress":{"k":"y"}}`, other},
		{`{"Bool":{"k":"true"}}`, `{"Bool":{"k":"false"}}`, looser},
		{`{"Null":{"k":"false"}}`, `{"Null":{"k":"true"}}`, looser},
		{`{"NumericLessThan":{"k":"3600"}}`, `{"NumericLessThan":{"k":"86400"}}`, looser},
		{`{"NumericLessThan":{"k":"86400"}}`, `{"NumericLessThan":{"k":"3600"}}`, narrower},
		{`{"NumericGreaterThan":{"k":"5"}}`, `{"NumericGreaterThan":{"k":"3"}}`, looser},
		{`{"DateLessThan":{"k":"2026-01-01T00:00:00Z"}}`, `{"DateLessThan":{"k":"2027-01-01T00:00:00Z"}}`, looser},
		{`{"DateLessThan":{"k":"soon"}}`, `{"DateLessThan":{"k":"later"}}`, other},
		{`{"BinaryEquals":{"k":"YQ=="}}`, `{"BinaryEquals":{"k":"Yg=="}}`, other},
	}
	for _, names := range []string{`"Action":"s3:GetObject","Resource":"a"`, `"Action":"*","Resource":"*","Principal":"*"`, `"NotAction":"iam:*","Resource":"*"`} {
		allow := func(c string) string { return policy(`{"Effect":"Allow",` + names + `,"Condition":` + c + `}`) }
		for _, test := range tests {
			s := update("aws_iam_policy", "policy", allow(test.before), allow(test.after))
			severity, reason := Classify(s)
			if test.want == looser && severity != Critical || test.want != looser && (reason != test.want || severity != Warning) {
				t.Errorf("Classify(%s) = %s, %q, want %q", show(s), severity, reason, test.want)
			}
		}
	}
	deny := func(value string) string {
		return policy(readOne, `{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringLike":{"k":"`+value+`"}}}`)
	}
	for _, test := range []struct{ before, after, want string }{
		{"*", "a", "policy widened by loosening a deny"},
		{"a", "*", "policy narrowed"},
		{"a", "b", "policy condition changed"},
	} {
		s := update("aws_iam_policy", "policy", deny(test.before), deny(test.after))
		if _, reason := Classify(s); reason != test.want {
			t.Errorf("Classify(%s) = %q, want %q", show(s), reason, test.want)
		}
	}
}

// TestPolicyOfManyCombinations compares what would be 130³ single permissions.
func TestPolicyOfManyCombinations(t *testing.T) {
	list := func(n int) string {
		var names []string
		for i := range n {
			names = append(names, `"s3:`+strings.Repeat("a", i%7)+strconv.Itoa(i)+`"`)
		}
		return "[" + strings.Join(names, ",") + "]"
	}
	statement := func(n int) string {
		return `{"Effect":"Allow","Principal":{"AWS":` + list(n) + `},"Action":` + list(n) + `,"Resource":` + list(n) + `}`
	}
	s := update("aws_s3_bucket_policy", "policy", policy(statement(130)), policy(statement(131)))
	if severity, reason := Classify(s); severity != Critical {
		t.Errorf("Classify(131³ permissions over 130³) = %s, %q, want critical", severity, reason)
	}
}
