package drift

import (
	"strconv"
	"strings"
	"testing"
)

// BenchmarkClassify shows what a resource costs, by what it holds. A scan can
// have a hundred thousand.
func BenchmarkClassify(b *testing.B) {
	var many []string
	for i := range 40 {
		many = append(many, "attribute_"+strconv.Itoa(i), `"value"`)
	}
	var rules []string
	for i := range 40 {
		rules = append(rules, tcp(i, i+10, "10.0.0.0/8", "192.168.0.0/16"))
	}
	before := "[" + strings.Join(rules, ",") + "]"
	after := "[" + strings.Join(append(rules, tcp(22, 22, "0.0.0.0/0")), ",") + "]"
	ordinary := update("aws_instance", "ami", `"a"`, `"b"`, "instance_type", `"a"`, `"b"`, "user_data", `"a"`, `"b"`)

	for _, bench := range []struct {
		name    string
		subject Subject
	}{
		{"ordinary", ordinary},
		{"labels", reading(update("aws_vpc", "tags", `{}`, `{}`, "tags_all", `{}`, `{}`), "tags.Name", "tags_all.Name")},
		{"created", create("aws_instance", many...)},
		{"deleted", destroy("aws_instance")},
		{"switch", update("aws_db_instance", "storage_encrypted", `true`, `false`)},
		{"firewall", update("aws_security_group", "ingress", before, after)},
		{"policy", update("aws_iam_role", "assume_role_policy", policy(trustEC2), policy(trustEC2, trustAll))},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Classify(bench.subject)
			}
		})
	}
}
