package postgres

import (
	"iter"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// copySource hands resources to pgx's COPY one at a time. pgx pulls them on a
// goroutine of its own, where a panic would end the whole service: it is
// carried over to the goroutine that asked for the copy.
type copySource struct {
	next     func() (*drift.Resource, error, bool)
	stop     func()
	set      func(*drift.Resource)
	values   []any
	err      error
	panicked any
}

// newCopySource calls set for each resource, after which values are its row.
func newCopySource(resources iter.Seq2[*drift.Resource, error], set func(*drift.Resource), values []any) *copySource {
	next, stop := iter.Pull2(resources)
	return &copySource{next: next, stop: stop, set: set, values: values}
}

// Next implements pgx.CopyFromSource.
func (s *copySource) Next() (more bool) {
	defer func() {
		if p := recover(); p != nil {
			s.panicked, s.err = p, errPanicked
		}
	}()
	res, err, more := s.next()
	if err != nil {
		s.err = err
	}
	if !more || s.err != nil {
		return false
	}
	s.set(res)
	return true
}

// Values implements pgx.CopyFromSource.
func (s *copySource) Values() ([]any, error) { return s.values, nil }

// Err implements pgx.CopyFromSource.
func (s *copySource) Err() error { return s.err }

// repanic goes on with a panic of the iterator.
func (s *copySource) repanic() {
	if s.panicked != nil {
		panic(s.panicked)
	}
}

func (s *copySource) close() { s.stop() }
