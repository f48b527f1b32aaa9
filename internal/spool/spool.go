// Package spool keeps records that are too many for memory in a file of its own
// until they are asked for. What it writes to disk is encrypted with a key that
// is nowhere else, into a file that has no name: neither the file nor what is
// left of it after a crash is of use to anybody.
//
// It knows nothing of what is in a record.
package spool

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
)

// inMemory is how much is kept in memory. What is more goes to the file.
const inMemory = 4 << 20

// Spool is a sequence of records. It is written by one goroutine, and read by
// any number once Flush has returned.
type Spool struct {
	dir    string
	memory []byte // all records, until there are too many
	file   *os.File
	name   string // of the file, where it could not be removed while open
	block  cipher.Block
	w      *bufio.Writer
	size   int64 // bytes in the file
	closed bool
}

var errClosed = errors.New("the spool is closed")

// New returns an empty spool whose file, should it need one, will be in dir; an
// empty dir is the system's directory for temporary files.
func New(dir string) *Spool { return &Spool{dir: dir} }

// Add adds a record. kind is there for Records to choose by.
func (s *Spool) Add(kind byte, record []byte) error {
	var start [1 + binary.MaxVarintLen64]byte
	start[0] = kind
	head := start[:1+binary.PutUvarint(start[1:], uint64(len(record)))]
	if s.file == nil {
		if len(s.memory)+len(head)+len(record) <= inMemory {
			s.memory = append(append(s.memory, head...), record...)
			return nil
		}
		if err := s.create(); err != nil {
			return fmt.Errorf("spool to a file: %w", err)
		}
	}
	for _, part := range [...][]byte{head, record} {
		if _, err := s.w.Write(part); err != nil {
			return fmt.Errorf("spool to a file: %w", err)
		}
		s.size += int64(len(part))
	}
	return nil
}

// create makes the file and moves there what is in memory.
func (s *Spool) create() error {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	var err error
	if s.block, err = aes.NewCipher(key); err != nil {
		return err
	}
	if s.file, err = os.CreateTemp(s.dir, "driftsentry-*"); err != nil {
		return err
	}
	if os.Remove(s.file.Name()) != nil {
		s.name = s.file.Name() // some systems remove only what is closed
	}
	s.w = bufio.NewWriterSize(cipher.StreamWriter{S: s.stream(), W: s.file}, 256<<10)
	_, err = s.w.Write(s.memory)
	s.size, s.memory = int64(len(s.memory)), nil
	return err
}

// stream is the cipher's stream from the beginning of the file. The key is used
// for this file alone, so that counting may start at zero.
func (s *Spool) stream() cipher.Stream {
	return cipher.NewCTR(s.block, make([]byte, aes.BlockSize)) //nolint:gosec // G407: the key is never used again, so neither is the counter
}

// Flush ends the adding.
func (s *Spool) Flush() error {
	if s.file == nil {
		return nil
	}
	if err := s.w.Flush(); err != nil {
		return fmt.Errorf("spool to a file: %w", err)
	}
	s.w = nil
	return nil
}

// Records yields, in the order added, the records for which want says yes. It
// asks for every record's kind. A yielded record is good until the next.
func (s *Spool) Records(want func(kind byte) bool) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if s.closed {
			yield(nil, errClosed)
			return
		}
		r := bufio.NewReader(bytes.NewReader(s.memory))
		if s.file != nil {
			file := io.NewSectionReader(s.file, 0, s.size)
			r = bufio.NewReaderSize(cipher.StreamReader{S: s.stream(), R: file}, 256<<10)
		}
		var record []byte
		for {
			kind, err := r.ReadByte()
			if errors.Is(err, io.EOF) {
				return
			}
			var size uint64
			if err == nil {
				size, err = binary.ReadUvarint(r)
			}
			if err == nil && !want(kind) {
				if _, err = r.Discard(int(size)); err == nil {
					continue
				}
			}
			if err == nil {
				record = slices.Grow(record[:0], int(size))[:size]
				_, err = io.ReadFull(r, record)
			}
			if err != nil {
				yield(nil, fmt.Errorf("read the spool: %w", err))
				return
			}
			if !yield(record, nil) {
				return
			}
		}
	}
}

// Close frees everything. It may be called more than once.
func (s *Spool) Close() error {
	if s.closed {
		return nil
	}
	s.closed, s.memory = true, nil
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if s.name != "" {
		err = errors.Join(err, os.Remove(s.name))
	}
	return err
}
