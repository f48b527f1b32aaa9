package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// canaries are distinct secrets, by the way each comes in.
var canaries = map[string]string{
	// What requests carry.
	"bearer token":     "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.Y2FuYXJ5LXNpZ25hdHVyZQ",
	"basic password":   "correct canary battery",
	"proxy credential": "canary of the proxy",
	"API key":          "shapeless canary key",
	"cookie":           "canary-in-a-cookie",
	"referer":          "canary-in-the-referer",
	"tracestate":       "canary0in0tracestate",
	"query token":      "canary-by-its-name",
	"query URL":        "canary-inside-a-url",
	"query shape":      "glpat-canaryCANARY0123456789",
	"query name":       "ghp_canaryNAMEcanaryNAMEcanaryNAMEcanary",
	"path":             "ghp_canaryPATHcanaryPATHcanaryPATHcanary",
	"method":           "AKIACANARYMETHOD0123",
	"user agent":       "xoxb-canary-of-a-user-agent",
	"correlation id":   "canary correlation, not an id",
	"login password":   "canary at the door",
	"login e-mail":     "canary typed into the wrong field",
	"refresh token":    "dsr_canaryCANARYcanaryCANARYcanaryCANARYcanary000000",
	"new password":     "a canary sings at seven lanterns",
	"wrong role":       "canary in place of a role",
	"reason":           "ghp_canaryREASONcanaryREASONcanaryREASONcana",
	"no plan":          "canary-of-a-tfvars-file",
	"cut plan":         "canary-at-the-end-of-half-a-plan",
	"state":            "canary-of-a-state-file",

	// What the service is started with.
	"database password": "c4n@ry/data:base",
	"JWT secret":        "uQ7/canary+jwt+Zk2mW9xT4bV6nR1sL8pD3fG5h",
	"fingerprint key":   "Hn3/canary+fpk+Pz8vK2wQ6rT9yM4cX1jB7dL5s",
	"Sentry key":        "5ca1ab1ecab1e5facade0123456789ab",
	"OTLP token":        "canary-for-the-collector",
	"OTLP key":          "canary key for the collector",

	// What surfaces inside.
	"panic":       "canary2in2panic",
	"SQL message": "canary-quoted-by-a-cast",
	"SQL row":     "canary-in-a-failing-row",
	"SQL key":     "canary-in-a-duplicate-key",

	// Plan values marked sensitive, with a copy of each where nothing is marked.
	"marked before":      "canary-marked-in-before",
	"marked after":       "canary-marked-in-after",
	"marked deep":        "canary-marked-in-a-list",
	"sensitive variable": "canary-of-a-variable",
	"sensitive output":   "canary-of-an-output",
	"prior state":        "canary-of-the-prior-state",

	// Plan values that only look like credentials.
	"PEM":               "MIIEowIBAAKCAQEAcanaryPrivateKeyMaterial0123456789abcdefghij",
	"AWS secret":        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYcanaryKEY",
	"plan JWT":          "eyJhbGciOiJSUzI1NiJ9.eyJjYW5hcnkiOiJwbGFuIn0.Y2FuYXJ5LWluLXRoZS1wbGFu",
	"GitHub token":      "ghp_c4n4ryPLANc4n4ryPLANc4n4ryPLANc4n4ry",
	"connection string": "canary-in-a-dsn",
	"password by name":  "Canary-No-1-By-Name",
	"nested password":   "Canary-No-2-In-JSON",
	"user data":         "Canary-No-3-In-A-Script",
}

// canaryPlan is a plan with all of its canaries in it.
func canaryPlan(t *testing.T) []byte {
	t.Helper()
	type object = map[string]any
	c := canaries
	copies := object{ // unmarked, whole and inside other texts
		"a": c["marked before"], "b": "x-" + c["marked after"] + "-x", "c": c["marked deep"], "d": c["sensitive variable"],
		"e": c["sensitive output"], "f": c["prior state"], "g": base64.StdEncoding.EncodeToString([]byte(c["prior state"])),
	}
	drift := func(address string, before, after, beforeMarks, afterMarks any) object {
		kind, name, _ := strings.Cut(address, ".")
		return object{
			"address": address, "mode": "managed", "type": kind, "name": name, "provider_name": "registry.terraform.io/hashicorp/aws",
			"change": object{
				"actions": []string{"update"}, "before": before, "after": after, "after_unknown": object{},
				"before_sensitive": beforeMarks, "after_sensitive": afterMarks,
			},
		}
	}
	pem := "-----BEGIN RSA PRIVATE KEY-----\n" + c["PEM"] + "\n-----END RSA PRIVATE KEY-----\n"
	nested, err := json.Marshal(object{"Statement": []any{object{"Secret": c["marked before"], "db_password": c["nested password"]}}})
	if err != nil {
		t.Fatal(err)
	}
	values := object{
		"pem": pem, "access": "AKIACANARYPLAN012345", "secret": c["AWS secret"], "jwt": c["plan JWT"], "gh": c["GitHub token"],
		"dsn":      "postgres://app:" + c["connection string"] + "@db.example:5432/app",
		"password": c["password by name"], "policy": string(nested), "tags": copies,
		"user_data": "#!/bin/sh\nexport DB_PASSWORD='" + c["user data"] + "'\n",
	}
	marked := drift("aws_db_instance.marked",
		object{"pass": c["marked before"], "list": []any{"x", c["marked deep"]}, "tags": object{}},
		object{"pass": c["marked after"], "list": []any{"y", c["marked deep"]}, "tags": copies},
		object{"pass": true, "list": []any{false, true}}, object{"pass": true, "list": []any{false, true}})
	unmarked := drift("aws_instance.unmarked", object{"id": "i-1"}, values, object{}, object{})
	pending := drift("aws_instance.pending", values, object{"id": "i-1"}, object{}, object{})
	plan, err := json.Marshal(object{
		"format_version": "1.2", "terraform_version": "1.11.4", "complete": true, "applyable": true, "errored": false,
		"timestamp":        "2026-01-02T03:04:05Z",
		"variables":        object{"v": object{"value": c["sensitive variable"]}},
		"configuration":    object{"root_module": object{"variables": object{"v": object{"sensitive": true}}}},
		"planned_values":   object{"root_module": object{}, "outputs": object{"o": object{"sensitive": true, "value": c["sensitive output"]}}},
		"output_changes":   object{"o": object{"actions": []string{"create"}, "before": nil, "after": c["sensitive output"], "before_sensitive": true, "after_sensitive": true}},
		"resource_drift":   []any{marked, unmarked},
		"resource_changes": []any{pending},
		"prior_state": object{"format_version": "1.0", "terraform_version": "1.11.4", "values": object{"root_module": object{"resources": []any{object{
			"address": "aws_iam_access_key.k", "mode": "managed", "type": "aws_iam_access_key", "name": "k",
			"values": object{"ses": c["prior state"]}, "sensitive_values": object{"ses": true},
		}}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// madePlans are the plans of the parser's tests which hold secrets, and these.
func madePlans(t *testing.T) (plans [][]byte, secrets []string) {
	t.Helper()
	const dir = "../../internal/terraform/testdata/plans/made"
	list, err := os.ReadFile(filepath.Join(dir, "SECRETS.txt"))
	if err != nil {
		t.Fatal(err)
	}
	secrets = strings.Fields(string(list))
	err = fs.WalkDir(os.DirFS(dir), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" {
			return err
		}
		plan, err := os.ReadFile(filepath.Join(dir, path))
		for _, secret := range secrets {
			if bytes.Contains(plan, []byte(secret)) {
				plans = append(plans, plan)
				break
			}
		}
		return err
	})
	if err != nil || len(plans) == 0 || len(secrets) == 0 {
		t.Fatalf("%d plans with %d secrets: %v", len(plans), len(secrets), err)
	}
	return plans, secrets
}
