// Package terraform reads what `terraform show -json PLANFILE` and `tofu show
// -json PLANFILE` print: it streams a plan of any size into a drift.Snapshot in
// which every secret is already hidden.
//
// It refuses what is not a plan, saying what it is instead and which command
// makes the right thing, and a plan of a format it does not know. It never
// keeps the document, and puts nothing of it on disk unencrypted.
package terraform

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/jsontree"
	"github.com/driftsentry/driftsentry/internal/redact"
	"github.com/driftsentry/driftsentry/internal/spool"
)

// Format is what reports of this package call themselves.
const Format = "terraform-plan"

// Options say how to read a plan.
type Options struct {
	// Key makes the fingerprints of values, so that nobody without it can try
	// out what a hidden one might be. The same key must be used every time.
	Key []byte
	// MaxBytes is how large the plan may be once unpacked; zero means any size.
	MaxBytes int64
	// SpoolDir is where a plan with many drifts keeps them, encrypted, until the
	// snapshot is closed. Empty means the system's directory for such files.
	SpoolDir string
	// NotRefreshed says that the plan was made with -refresh=false, which it
	// does not say itself: then it knows nothing of changes outside.
	NotRefreshed bool
}

// Read reads a plan to its end. What is wrong with the plan is a fault.Invalid
// or fault.TooLarge whose message says what and where; an error of r comes back
// wrapped. The caller closes the snapshot.
func Read(r io.Reader, o Options) (*drift.Snapshot, error) {
	src, err := openSource(r, o.MaxBytes)
	if err != nil {
		return nil, err
	}
	p := newReader(src, o)
	if err := p.read(); err != nil {
		return nil, errors.Join(err, p.spool.Close())
	}
	return p.snapshot(), nil
}

// Limits that no real plan comes near. They bound the memory for a plan made to
// take too much.
const (
	maxValue      = 32 << 20 // bytes of one resource, variable or output
	maxValues     = 200_000  // JSON values in one attribute
	maxDepth      = 200      // of nesting in one attribute
	maxAttributes = 20_000   // of one resource
	maxHeld       = 16 << 20 // bytes of variables kept until it is known which are sensitive
)

// reader reads one plan.
type reader struct {
	src *source
	dec *jsontext.Decoder
	header
	secretSources

	parser       jsontree.Parser
	markParser   jsontree.Parser
	secrets      *redact.Secrets
	inspector    *redact.Inspector
	comparer     drift.Comparer
	fingerprints *drift.Fingerprinter

	spool     *spool.Spool
	addresses addressMask
	drifts    []drift.Sighting
	noise     []drift.Sighting
	listed    map[uint64]int32 // index in the plan of every key, by its hash
	seed      maphash.Seed

	// What is at hand of the resource being read.
	entry   entry
	others  []member
	scalar  jsontree.Value
	subject subject
	record  record
	encoded []byte
}

func newReader(src *source, o Options) *reader {
	p := &reader{src: src, secrets: redact.NewSecrets(), spool: spool.New(o.SpoolDir), listed: map[uint64]int32{}, seed: maphash.MakeSeed()}
	p.addresses = addressMask{secrets: p.secrets, key: o.Key}
	p.notRefreshed = o.NotRefreshed
	p.inspector = redact.NewInspector(p.secrets, &p.parser)
	p.fingerprints = drift.NewFingerprinter(o.Key, &p.parser)
	p.comparer.Parser = &p.parser
	bounded := &boundedReader{r: src.text}
	p.dec = jsontext.NewDecoder(bounded)
	bounded.consumed = p.dec.InputOffset
	return p
}

// read reads the whole plan.
func (p *reader) read() error {
	if err := p.object(p.section); err != nil {
		return err
	}
	if err := p.src.trailing(p.dec.UnreadBuffer()); err != nil {
		return err
	}
	if err := p.isPlan(); err != nil {
		return err
	}
	if err := p.inspectVariables(); err != nil {
		return err
	}
	if p.secrets.Full() {
		return fault.New(fault.TooLarge, fmt.Sprintf("the plan has more than %d different sensitive values", redact.MaxSecrets))
	}
	return p.spool.Flush()
}

// section reads one member of the plan.
func (p *reader) section(name string) error {
	switch name {
	case "format_version":
		return p.formatVersion()
	case "terraform_version":
		return p.text(&p.toolVersion)
	case "timestamp":
		return p.text(&p.timestamp)
	case "complete":
		return p.flag(&p.complete)
	case "errored":
		return p.flag(&p.errored)
	case "applyable":
		return p.flag(&p.applyable)
	case "resource_drift":
		return p.changes(drift.Outside)
	case "resource_changes":
		return p.changes(drift.Pending)
	case "deferred_changes":
		return p.array(func(int) error { return p.deferredChange() })
	case "variables":
		return p.object(p.variable)
	case "output_changes":
		return p.object(p.outputChange)
	case "planned_values":
		p.plannedValues = true
		return p.stateValues(&p.planned)
	case "prior_state":
		return p.object(p.priorState)
	case "configuration":
		return p.object(p.configuration)
	}
	p.unknown(name)
	return p.skip()
}

// boundedReader refuses to read on when a single value takes too much.
type boundedReader struct {
	r        io.Reader
	read     int64
	consumed func() int64
}

// Read implements io.Reader.
func (b *boundedReader) Read(buf []byte) (int, error) {
	if b.read-b.consumed() > maxValue {
		return 0, fault.New(fault.TooLarge, fmt.Sprintf("the plan has a single value of more than %d bytes at byte %d", maxValue, b.consumed()))
	}
	n, err := b.r.Read(buf)
	b.read += int64(n)
	return n, err
}
