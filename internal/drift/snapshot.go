package drift

import (
	"iter"
	"time"
)

// Completeness says what a report may conclude. Only a complete one resolves
// what it no longer shows.
type Completeness string

// The three verdicts of a report about itself.
const (
	Complete   Completeness = "complete"
	Incomplete Completeness = "incomplete" // targeted or deferred: silent about the rest
	Errored    Completeness = "errored"    // the tool failed; what it saw before still counts
)

// Report is what a report says about itself rather than about a resource.
type Report struct {
	Format        string // as in the list of formats: "terraform-plan"
	FormatVersion string
	Tool          string // "terraform" or "opentofu"; empty when it did not say
	ToolVersion   string
	TakenAt       time.Time // zero when it did not say
	Status        Completeness
	// Outside and Pending tell which news the report can hold at all: a
	// refresh-only plan knows nothing of pending changes, so it resolves none.
	Outside bool
	Pending bool
	// Resources counts the managed resources the report looked at, drifted or not.
	Resources int
}

// Covers reports whether silence about a drift of this origin means that it is gone.
func (r *Report) Covers(o Origin) bool {
	if r.Status != Complete {
		return false
	}
	if o == Pending {
		return r.Pending
	}
	return r.Outside
}

// Snapshot is a whole report, read and masked. Its resources stay where the
// reader put them and are handed out one at a time, because a hundred thousand
// of them do not fit in memory. Close frees them.
type Snapshot struct {
	Report

	// Digest is the SHA-256 of the report as it came, after decompression, and
	// Bytes its size: the same digest for the same stack is the same report.
	Digest [32]byte
	Bytes  int64

	// Drifts has one sighting per resource that is news and Noise one per
	// resource with noise alone, each in the order of the report but for those
	// that could only be told apart at its end, which are last. The fingerprint of
	// the latter is of its noise.
	Drifts []Sighting
	Noise  []Sighting

	// EachDrift yields the resources of those Drifts whose index want asks for,
	// and EachNoise those of Noise, in that order. Passing over the rest
	// costs next to nothing. Both can be called more than once; a yielded
	// Resource is valid until the next one. An error ends the sequence.
	EachDrift func(want func(n int) bool) iter.Seq2[*Resource, error]
	EachNoise func(want func(n int) bool) iter.Seq2[*Resource, error]
	// Close frees what they read. It may be called more than once.
	Close func() error
}
