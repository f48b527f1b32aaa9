package terraform

import (
	"errors"
	"hash/maphash"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/jsontree"
	"github.com/driftsentry/driftsentry/internal/spool"
)

// Some settings are shown by two resources: a bucket's policy by the bucket, and
// by the aws_s3_bucket_policy that manages it. The bucket, which was created
// first, finds it at the next refresh, as if somebody had set it behind the
// code's back. Such an echo is noise: the other resource tells of every change
// that is one.

// echo is a setting of one resource that another manages.
type echo struct {
	parent    string // type
	attribute string // of the parent
	sibling   string // type of the resource that manages it
	reference string // the sibling's attribute that holds the parent's id
	initial   string // what the cloud sets first, if that is not nothing
}

var echoes = []echo{
	{"aws_s3_bucket", "acceleration_status", "aws_s3_bucket_accelerate_configuration", "bucket", ""},
	{"aws_s3_bucket", "acl", "aws_s3_bucket_acl", "bucket", ""},
	{"aws_s3_bucket", "cors_rule", "aws_s3_bucket_cors_configuration", "bucket", ""},
	{"aws_s3_bucket", "grant", "aws_s3_bucket_acl", "bucket", ""},
	{"aws_s3_bucket", "lifecycle_rule", "aws_s3_bucket_lifecycle_configuration", "bucket", ""},
	{"aws_s3_bucket", "logging", "aws_s3_bucket_logging", "bucket", ""},
	{"aws_s3_bucket", "object_lock_configuration", "aws_s3_bucket_object_lock_configuration", "bucket", ""},
	{"aws_s3_bucket", "policy", "aws_s3_bucket_policy", "bucket", ""},
	{"aws_s3_bucket", "replication_configuration", "aws_s3_bucket_replication_configuration", "bucket", ""},
	{"aws_s3_bucket", "request_payer", "aws_s3_bucket_request_payment_configuration", "bucket", "BucketOwner"},
	{"aws_s3_bucket", "server_side_encryption_configuration", "aws_s3_bucket_server_side_encryption_configuration", "bucket", "AES256"},
	{"aws_s3_bucket", "versioning", "aws_s3_bucket_versioning", "bucket", ""},
	{"aws_s3_bucket", "website", "aws_s3_bucket_website_configuration", "bucket", ""},

	{"aws_iam_role", "inline_policy", "aws_iam_role_policy", "role", ""},
	{"aws_iam_role", "managed_policy_arns", "aws_iam_role_policy_attachment", "role", ""},

	{"aws_security_group", "ingress", "aws_security_group_rule", "security_group_id", ""},
	{"aws_security_group", "ingress", "aws_vpc_security_group_ingress_rule", "security_group_id", ""},
	{"aws_security_group", "egress", "aws_security_group_rule", "security_group_id", ""},
	{"aws_security_group", "egress", "aws_vpc_security_group_egress_rule", "security_group_id", ""},
}

// siblingReference is the attribute by which a type of the table refers to its
// parent.
var siblingReference = func() map[string]string {
	references := map[string]string{}
	for _, e := range echoes {
		references[e.sibling] = e.reference
	}
	return references
}()

// maxTokens bounds what is remembered of siblings to about 16 MB. What a plan
// with more says of the rest is news.
const maxTokens = 2_000_000

// echoer holds the parents back until all siblings are known, which a plan lists
// after them, and knows what the siblings say.
type echoer struct {
	held     *spool.Spool // entries of resource_drift
	deciding bool         // they are being examined for the second time

	seed    maphash.Seed
	tokens  map[uint64][]uint64 // what the siblings say, by sibling's type and parent's id
	count   int
	drifted map[uint64]struct{} // siblings with news, likewise
}

func newEchoer(dir string) *echoer {
	return &echoer{
		held: spool.New(dir), seed: maphash.MakeSeed(),
		tokens: map[uint64][]uint64{}, drifted: map[uint64]struct{}{},
	}
}

func (e *echoer) key(sibling, parentID string) uint64 {
	return maphash.Comparable(e.seed, [2]string{sibling, parentID})
}

// mayEcho reports whether an attribute of a drift went from nothing to
// something that another resource may manage.
func (x *examiner) mayEcho(a *attribute) bool {
	if x.record.Origin != drift.Outside || x.record.Action != drift.Update {
		return false
	}
	for i := range echoes {
		if e := &echoes[i]; e.parent == x.record.Type && e.attribute == string(a.name) && e.isInitial(a.treeBefore) {
			return true
		}
	}
	return false
}

// isInitial reports whether v is what a setting is before anybody sets it.
func (e *echo) isInitial(v *jsontree.Value) bool {
	switch v.Kind() {
	case jsontree.String:
		return len(v.Text()) == 0 || e.initial != "" && string(v.Text()) == e.initial
	case jsontree.Array, jsontree.Object:
		for i := range v.Kids {
			if !e.isInitial(&v.Kids[i]) {
				return false
			}
		}
		return true
	}
	return drift.IsZero(v)
}

// isEcho reports whether all that an attribute says is said by siblings that
// have not changed either.
func (x *examiner) isEcho(a *attribute) bool {
	if !x.echoer.deciding || !x.mayEcho(a) {
		return false
	}
	id := contents(stringMember(x.entry.after.members, "id"))
	said := map[uint64]struct{}{}
	for _, e := range echoes {
		if e.parent != x.record.Type || e.attribute != string(a.name) {
			continue
		}
		key := x.echoer.key(e.sibling, id)
		if _, drifted := x.echoer.drifted[key]; drifted {
			return false
		}
		for _, token := range x.echoer.tokens[key] {
			said[token] = struct{}{}
		}
	}
	if len(said) == 0 {
		return false
	}
	t := tokenizer{seed: x.echoer.seed, parser: &x.parser}
	if x.record.Type == "aws_security_group" {
		t.rules(string(a.name), a.treeAfter)
	} else {
		t.leaves("", a.treeAfter, false)
	}
	for _, token := range t.tokens {
		if _, ok := said[token]; !ok {
			return false
		}
	}
	return len(t.tokens) > 0
}

// siblingDrifted takes note that a sibling is itself a drift.
func (x *examiner) siblingDrifted() {
	reference, isSibling := siblingReference[x.record.Type]
	if !isSibling || x.record.Origin != drift.Outside {
		return
	}
	for _, members := range [...][]member{x.entry.before.members, x.entry.after.members} {
		if id := stringMember(members, reference); id != nil {
			x.echoer.drifted[x.echoer.key(x.record.Type, contents(id))] = struct{}{}
		}
	}
}

// siblingState takes note of what a sibling says in the refreshed state.
func (x *examiner) siblingState(kind string, members []member) error {
	reference, isSibling := siblingReference[kind]
	if !isSibling || x.echoer.count >= maxTokens {
		return nil
	}
	id := stringMember(members, reference)
	if id == nil {
		return nil
	}
	defer x.parser.Reset()
	t := tokenizer{seed: x.echoer.seed, parser: &x.parser}
	attributes := map[string]*jsontree.Value{}
	for _, m := range members {
		v, err := x.parse(&x.parser, m.value)
		if err != nil {
			return err
		}
		attributes[string(m.name)] = v
		t.leaves("", v, false)
	}
	if reference == "security_group_id" {
		t.tokens = t.tokens[:0]
		t.separateRule(kind, attributes)
	}
	key := x.echoer.key(kind, contents(id))
	x.echoer.tokens[key] = append(x.echoer.tokens[key], t.tokens...)
	x.echoer.count += len(t.tokens)
	return nil
}

// decideEchoes examines the entries that were held back.
func (x *examiner) decideEchoes() (err error) {
	e := x.echoer
	defer func() { err = errors.Join(err, e.held.Close()) }()
	if err := e.held.Flush(); err != nil {
		return err
	}
	e.deciding = true
	for text, err := range e.held.Records(func(byte) bool { return true }) {
		if err != nil {
			return err
		}
		if err := x.entry.parse(text); err != nil {
			return err
		}
		action, err := x.entry.action()
		if err != nil {
			return err
		}
		if err := x.begin(drift.Outside, action); err != nil {
			return err
		}
		if err := x.compare(); err != nil {
			return err
		}
		if err := x.keep(); err != nil {
			return err
		}
	}
	return nil
}

// stringMember is the text of a member that is a string, nil for none.
func stringMember(members []member, name string) []byte {
	for _, m := range members {
		if string(m.name) == name {
			return quoteOrNil(m.value)
		}
	}
	return nil
}
