package postgres

import (
	"crypto/rand"
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// idSource makes UUID v7 whose time is a given moment and which sort in the
// order they were made: RFC 9562's method 1, with a counter of 26 bits after
// the milliseconds and 48 random bits after that. uuid.NewV7 reads the clock;
// rows need the time that stands in their columns, so that ordering by id is
// ordering by that time.
type idSource struct {
	millis  uint64
	counter uint64 // of 26 bits
	random  [1024]byte
	used    int
}

// newIDSource starts a sequence at the given moment.
func newIDSource(at time.Time) *idSource {
	s := &idSource{millis: uint64(at.UnixMilli())}
	s.used = len(s.random)
	// Starting low leaves room for 2^25 ids in this millisecond, random keeps
	// transactions of the same millisecond apart.
	s.counter = s.bits48() & (1<<25 - 1)
	return s
}

// next returns the next id of the sequence.
func (s *idSource) next() uuid.UUID {
	var id uuid.UUID
	random := s.bits48()
	s.counter++
	binary.BigEndian.PutUint64(id[:8], s.millis<<16|0x7000|s.counter>>14&0xfff)
	binary.BigEndian.PutUint64(id[8:], 0b10<<62|s.counter&0x3fff<<48|random)
	return id
}

// bits48 takes six random bytes from a buffer: asking the system for every id
// would cost more than the row it is for.
func (s *idSource) bits48() uint64 {
	if s.used+8 > len(s.random) {
		rand.Read(s.random[:]) // never fails: it ends the process instead
		s.used = 0
	}
	bits := binary.BigEndian.Uint64(s.random[s.used:]) >> 16
	s.used += 6
	return bits
}

// NewID returns a UUID v7 of the given moment.
func NewID(at time.Time) uuid.UUID { return newIDSource(at).next() }

// storedTime is at as the database and our ids keep it: UTC, milliseconds. What
// is compared later must not lose digits on the way.
func storedTime(at time.Time) time.Time { return at.UTC().Truncate(time.Millisecond) }
