package terraform

import (
	"hash/maphash"
	"strings"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/jsontree"
)

// tokenizer makes of a setting a set of tokens that does not depend on how a
// resource spells it: two resources with the same setting have the same.
type tokenizer struct {
	seed   maphash.Seed
	parser *jsontree.Parser
	tokens []uint64
}

func (t *tokenizer) add(parts ...string) {
	var h maphash.Hash
	h.SetSeed(t.seed)
	for _, part := range parts {
		writePart(&h, part)
	}
	t.tokens = append(t.tokens, h.Sum64())
}

// writePart hashes a part so that no two lists of parts look the same. A Hash
// never fails to write.
func writePart(h *maphash.Hash, part string) {
	_, _ = h.WriteString(part)
	_ = h.WriteByte(0)
}

// leaves adds what a value says: its texts and numbers, wherever they stand,
// since a block of one resource is an attribute of the other. In a document
// within a string names mean the same everywhere, and count.
func (t *tokenizer) leaves(name string, v *jsontree.Value, inDocument bool) {
	switch v.Kind() {
	case jsontree.Object:
		for i := range v.Kids {
			if inDocument {
				name = string(v.Kids[i].Name)
			}
			t.leaves(name, &v.Kids[i], inDocument)
		}
	case jsontree.Array:
		for i := range v.Kids {
			t.leaves(name, &v.Kids[i], inDocument)
		}
	case jsontree.String:
		if document := v.Inner(t.parser); document != nil && !inDocument {
			t.leaves("", document, true)
		} else if len(v.Text()) > 0 {
			t.add(name, string(v.Text()))
		}
	case jsontree.Number, jsontree.True, jsontree.False:
		switch {
		case inDocument:
			t.add(name, string(v.Raw))
		case drift.IsZero(v): // as good as not there
		case v.Kind() == jsontree.True:
			t.add(name, "Enabled") // as the separate resources write it
		default:
			t.add(name, string(jsontree.AppendDecimal(nil, v.Raw)))
		}
	}
}

// A rule of a security group is one source with its ports and protocol. Groups
// list several sources together, separate resources often only one.

// rules adds the rules in a group's ingress or egress.
func (t *tokenizer) rules(direction string, list *jsontree.Value) {
	for i := range list.Kids {
		rule := &list.Kids[i]
		t.rule(direction, rule.Member("protocol"), rule.Member)
	}
}

// separateRule adds the rule that is a resource of its own.
func (t *tokenizer) separateRule(kind string, attributes map[string]*jsontree.Value) {
	member := func(name string) *jsontree.Value { return attributes[name] }
	switch kind {
	case "aws_security_group_rule":
		direction := "ingress"
		if textOf(attributes["type"]) == "egress" {
			direction = "egress"
		}
		t.rule(direction, attributes["protocol"], member)
	case "aws_vpc_security_group_ingress_rule":
		t.rule("ingress", attributes["ip_protocol"], member)
	case "aws_vpc_security_group_egress_rule":
		t.rule("egress", attributes["ip_protocol"], member)
	}
}

// ruleSources are the attributes that name sources, and what they name.
var ruleSources = []struct{ attribute, kind string }{
	{"cidr_blocks", "cidr"},
	{"cidr_ipv4", "cidr"},
	{"ipv6_cidr_blocks", "cidr"},
	{"cidr_ipv6", "cidr"},
	{"prefix_list_ids", "list"},
	{"prefix_list_id", "list"},
	{"security_groups", "group"},
	{"source_security_group_id", "group"},
	{"referenced_security_group_id", "group"},
}

func (t *tokenizer) rule(direction string, protocol *jsontree.Value, member func(name string) *jsontree.Value) {
	proto := textOf(protocol)
	if proto == "all" {
		proto = "-1"
	}
	from, to := portOf(member("from_port"), proto), portOf(member("to_port"), proto)
	told := len(t.tokens)
	for _, source := range ruleSources {
		v := member(source.attribute)
		if v.Kind() == jsontree.String && len(v.Text()) > 0 {
			t.add(direction, proto, from, to, source.kind, textOf(v))
		}
		if v.Kind() != jsontree.Array {
			continue
		}
		for i := range v.Kids {
			t.add(direction, proto, from, to, source.kind, textOf(&v.Kids[i]))
		}
	}
	if self := member("self"); self.Kind() == jsontree.True || told == len(t.tokens) {
		t.add(direction, proto, from, to, "self")
	}
}

func textOf(v *jsontree.Value) string {
	if v.Kind() != jsontree.String {
		return ""
	}
	return strings.Clone(string(v.Text()))
}

// portOf is a port as text. A rule for all protocols has all ports, however that
// is written.
func portOf(v *jsontree.Value, protocol string) string {
	if protocol == "-1" || v.Kind() != jsontree.Number {
		return ""
	}
	return string(jsontree.AppendDecimal(nil, v.Raw))
}
