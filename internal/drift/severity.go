package drift

import "slices"

// Subject is what Classify looks at: one drifted resource, its values in clear.
// It lives only while a report is read; nothing keeps it.
type Subject struct {
	Type   string
	Origin Origin
	Action Action
	// Attributes are the top-level attributes with news, in an order that the next
	// report repeats. A created resource has all that are not null, with nothing
	// before; a deleted one has none.
	Attributes []Attribute
	// News are the full paths of the changes that are news, as in Change.Path.
	News []string
	// Values are all top-level attributes after the change, where the report has
	// them. Rules read the unchanged ones here: the direction of a firewall rule
	// of which only the sources changed. Nil is fine and makes reasons vaguer.
	Values map[string]any
}

// Attribute is one top-level attribute with news, decoded: nil, bool,
// json.Number, string, []any or map[string]any.
type Attribute struct {
	Name          string
	Before, After any
	// Unknown is set when After, or a part of it, is known only after the apply.
	// What is missing there is then not taken for removed.
	Unknown bool
}

// Classify says how fast somebody should look at a drift and, in one short
// plain phrase below 120 characters, why. The phrase quotes no value but ports,
// protocols, the principal "*" and addresses that mean everybody, because any
// other value may be a secret.
func Classify(s Subject) (Severity, string) {
	r, f := ruled.first(&s)
	return r.severity, f.say(s.Origin)
}

// rule is one line of the table: what it looks at, and how bad it is when
// find agrees. The tables are in the severity_*.go files, by family.
type rule struct {
	name     string
	severity Severity
	// attributes are the paths that must have news, "block.member" for a member
	// of a nested block. A rule without any looks at the resource as a whole.
	attributes []string
	types      []string // exact or with "*" for any run of characters; none: every type
	actions    []Action // none: every action
	find       func(*evidence) (finding, bool)
}

// evidence is what a rule's find judges: for a rule with attributes, the values
// at the path that has news; otherwise the subject alone.
type evidence struct {
	*Subject
	attribute     string
	before, after []any
	unknown       bool      // part of after is not known yet
	ingress       []opening // nil until a rule asks
}

// ruled is the table, ready for use. Within a severity the families come in
// the order in which their reasons matter: who can get in, who may do what,
// what can be read, what is no longer seen, what can no longer be restored.
// The ordinary rules are for what none of the others matches.
var ruled = newRulebook(slices.Concat(
	networkRules,
	exposureRules,
	identityRules,
	encryptionRules,
	auditRules,
	recoveryRules,
	deletionRules,
), ordinaryRules)
