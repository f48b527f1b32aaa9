package terraform

import (
	"bytes"
	"fmt"
	"hash/maphash"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/jsontree"
	"github.com/driftsentry/driftsentry/internal/redact"
	"github.com/driftsentry/driftsentry/internal/spool"
)

// Limits that no real plan comes near. They bound the memory for a plan made to
// take too much.
const (
	maxValues     = 200_000  // JSON values in one attribute
	maxDepth      = 200      // of nesting in one attribute
	maxAttributes = 20_000   // of one resource
	maxHeld       = 16 << 20 // bytes of variables kept until it is known which are sensitive
)

// examiner understands the parts of one plan: it collects the secrets in them
// and finds the drifts. It is for one goroutine.
type examiner struct {
	tally

	parser       jsontree.Parser
	markParser   jsontree.Parser
	secrets      *redact.Secrets
	inspector    *redact.Inspector
	comparer     drift.Comparer
	fingerprints *drift.Fingerprinter

	// Input variables wait until the code has told which are sensitive.
	variables []variable
	held      int
	sensitive map[string]bool

	spool     *spool.Spool
	echoer    *echoer
	addresses addressMask
	drifts    []drift.Sighting
	noise     []drift.Sighting
	listed    map[uint64]int32 // index in its section of every drift, by hash of its key
	seed      maphash.Seed

	// What is at hand of the resource being examined.
	entry   entry
	others  []member
	scalar  jsontree.Value
	subject subject
	record  record
	encoded []byte
}

// tally is what the examiner counts and notices on its way.
type tally struct {
	prior     int // managed resources in the state before
	planned   int // and in the state there would be
	code      int // resources in the code
	changed   int // managed resources among the changes
	destroyed int // those of them that would be deleted without a reason given
	drifted   int // managed resources among the drift
	gone      int // those of them that were deleted

	openTofu  bool // a provider comes from OpenTofu's registry
	terraform bool // a provider comes from Terraform's registry
}

type variable struct {
	name  string
	value []byte
}

func newExaminer(o Options) *examiner {
	x := &examiner{
		secrets: redact.NewSecrets(), sensitive: map[string]bool{}, spool: spool.New(o.SpoolDir), echoer: newEchoer(o.SpoolDir),
		listed: map[uint64]int32{}, seed: maphash.MakeSeed(),
	}
	x.addresses = addressMask{secrets: x.secrets, key: o.Key}
	x.inspector = redact.NewInspector(x.secrets, &x.parser)
	x.fingerprints = drift.NewFingerprinter(o.Key, &x.parser)
	x.comparer.Parser = &x.parser
	return x
}

// finish examines what had to wait for the end.
func (x *examiner) finish() error {
	for _, v := range x.variables {
		var marks []byte
		if x.sensitive[v.name] {
			marks = markedWhole
		}
		if err := x.value([]byte(v.name), v.value, marks); err != nil {
			return err
		}
	}
	x.variables = nil
	if err := x.decideEchoes(); err != nil {
		return err
	}
	if x.secrets.Full() {
		return fault.New(fault.TooLarge, fmt.Sprintf("the plan has more than %d different sensitive values", redact.MaxSecrets))
	}
	return x.spool.Flush()
}

// markedWhole are the marks of a value that is sensitive as a whole.
var markedWhole = []byte("true")

// value collects the secrets in a single value. marks is what Terraform says is
// sensitive in it; both are JSON text, nil for nothing.
func (x *examiner) value(name, value, marks []byte) error {
	if saysNothing(value) {
		return nil
	}
	x.markParser.Reset()
	tree, err := x.marks(marks)
	if err != nil {
		return err
	}
	return x.collect(name, value, tree, redact.Ordinary)
}

// attributes collects the secrets among the attributes of a resource.
func (x *examiner) attributes(members []member, marks []byte) error {
	x.markParser.Reset()
	tree, err := x.marks(marks)
	if err != nil {
		return err
	}
	named := x.namedBy(members)
	for _, m := range members {
		if saysNothing(m.value) {
			continue
		}
		if err := x.collect(m.name, m.value, markOf(tree, m.name), named); err != nil {
			return err
		}
	}
	return nil
}

// namedBy is what the attributes of a resource say that its value is.
func (x *examiner) namedBy(members []member) redact.Meaning {
	named := redact.Ordinary
	for _, m := range members {
		named = max(named, x.inspector.NamedBy(m.name, m.value))
	}
	return named
}

// collect collects the secrets in one attribute.
func (x *examiner) collect(name, value []byte, marks *jsontree.Value, named redact.Meaning) error {
	if marks == nil && named == redact.Ordinary && x.inspector.Clean(name, value) {
		return nil
	}
	tree := &x.scalar
	if value[0] == '{' || value[0] == '[' {
		var err error
		if tree, err = x.parse(&x.parser, value); err != nil {
			return err
		}
	} else {
		*tree = jsontree.Value{Raw: value}
	}
	x.inspector.Attribute(name, tree, marks, named)
	x.parser.Reset()
	return nil
}

// saysNothing reports whether no secret can be in a value: it is absent, null,
// true, false, "", {} or [].
func saysNothing(value []byte) bool {
	return len(value) <= 2 && (len(value) == 0 || value[0] == '"' || value[0] == '{' || value[0] == '[') ||
		value[0] == 'n' || value[0] == 't' || value[0] == 'f'
}

// marks is the tree of what is sensitive or unknown, nil when nothing is. It is
// good until the marks' parser is reset.
func (x *examiner) marks(text []byte) (*jsontree.Value, error) {
	if !bytes.Contains(text, []byte("true")) {
		return nil, nil //nolint:nilnil // no tree is what nothing being marked looks like
	}
	return x.parse(&x.markParser, text)
}

// markOf is the mark of one attribute, nil when nothing in it is marked.
func markOf(marks *jsontree.Value, name []byte) *jsontree.Value {
	if marks == nil || marks.Kind() == jsontree.True {
		return marks
	}
	mark := marks.Member(string(name))
	if mark == nil || !bytes.Contains(mark.Raw, []byte("true")) {
		return nil
	}
	return mark
}

// parse builds the tree of a value, within the limits.
func (x *examiner) parse(parser *jsontree.Parser, text []byte) (*jsontree.Value, error) {
	if len(text) > 2*maxDepth && (text[0] == '{' || text[0] == '[') {
		switch values, depth := jsontree.Measure(text); {
		case depth > maxDepth:
			return nil, flaw{"is nested too deep", fault.Invalid}
		case values > maxValues:
			return nil, flaw{"has too many values in one attribute", fault.TooLarge}
		}
	}
	return parser.Parse(text), nil
}
