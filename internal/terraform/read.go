// Package terraform reads what `terraform show -json PLANFILE` and `tofu show
// -json PLANFILE` print: it streams a plan of any size into a drift.Snapshot in
// which every secret is already hidden.
//
// It refuses what is not a plan, saying what it is instead and which command
// makes the right thing, and a plan of a format it does not know. It never
// keeps the document, and puts nothing of it on disk unencrypted.
//
// A reader decodes and checks the plan; an examiner, beside it, understands the
// checked parts. What the examiner makes of a drifted resource goes into a
// spool, and is masked once more when the snapshot hands it out: by then every
// secret of the plan is known.
package terraform

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
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
	x := newExaminer(o)
	p := newReader(src, x)
	if err := p.read(); err != nil {
		return nil, errors.Join(err, x.spool.Close(), x.echoer.held.Close())
	}
	s := x.snapshot()
	s.Report = report(&p.header, &x.tally, o.NotRefreshed)
	s.Digest, s.Bytes = [sha256.Size]byte(src.payload.digest.Sum(nil)), src.payload.size
	return s, nil
}

// reader decodes one plan, section by section.
type reader struct {
	src   *source
	input *boundedReader
	dec   *jsontext.Decoder
	header
	// The examiner is the pipeline's worker: the reader only hands it values.
	pipeline
	examiner *examiner
	current  string // section
}

func newReader(src *source, x *examiner) *reader {
	input := &boundedReader{r: src.text}
	p := &reader{src: src, input: input, dec: jsontext.NewDecoder(input), examiner: x}
	input.consumed = p.dec.InputOffset
	return p
}

// read reads the whole plan.
func (p *reader) read() error {
	p.start()
	err := p.object(p.section)
	if err == nil {
		err = p.src.trailing(p.dec.UnreadBuffer())
	}
	// What the examiner objects to stands before what the decoder does.
	if failure := p.finish(); failure != nil {
		return failure
	}
	if err != nil {
		return err
	}
	if err := p.isPlan(); err != nil {
		return err
	}
	return locate(p.examiner.finish(), position{section: "variables", index: none})
}

// section reads one member of the plan.
func (p *reader) section(name string) error {
	p.current = name
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
		p.hasDrift = true
		return p.changes(drift.Outside)
	case "resource_changes":
		p.hasChanges = true
		return p.changes(drift.Pending)
	case "deferred_changes":
		return p.deferredChanges()
	case "variables":
		return p.variables()
	case "output_changes":
		return p.outputChanges()
	case "planned_values":
		p.hasValues = true
		return p.state(&p.examiner.planned)
	case "prior_state":
		p.hasState = true
		return p.priorState()
	case "configuration":
		p.hasCode = true
		return p.configuration()
	}
	p.note(name)
	return p.skip()
}

// maxValue is how many bytes a single resource, variable or output may have. No
// real one comes near it; it bounds the memory for a plan made to take too much.
const maxValue = 32 << 20

// boundedReader refuses to read on when a single value takes too much. It keeps
// the error that ended the reading, which the decoder would wrap beyond
// recognition.
type boundedReader struct {
	r        io.Reader
	read     int64
	consumed func() int64
	err      error
}

// Read implements io.Reader.
func (b *boundedReader) Read(buf []byte) (int, error) {
	room := maxValue - (b.read - b.consumed())
	if room <= 0 {
		b.err = fault.New(fault.TooLarge, fmt.Sprintf("the plan has a single value of more than %d bytes at byte %d", maxValue, b.consumed()))
		return 0, b.err
	}
	n, err := b.r.Read(buf[:min(int64(len(buf)), room)])
	b.read += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}
