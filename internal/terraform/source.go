package terraform

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/driftsentry/driftsentry/internal/fault"
)

// sniffed is how much of the beginning is looked at to tell what was sent.
const sniffed = 4096

// source is the JSON text in what was sent: unpacked, in UTF-8, without what
// shells and wrappers put in front of it.
type source struct {
	text    *bufio.Reader
	payload *payload
	skipped int64 // bytes in front of the JSON
}

// openSource looks at the beginning of r and refuses what cannot be a plan.
func openSource(r io.Reader, maxBytes int64) (*source, error) {
	packed := bufio.NewReaderSize(r, sniffed)
	head, err := packed.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	p := &payload{r: packed, limit: maxBytes, digest: sha256.New()}
	if bytes.HasPrefix(head, []byte{0x1f, 0x8b}) {
		if p.r, err = gzip.NewReader(packed); err != nil {
			return nil, badGzip(err)
		}
		p.packed = true
	}
	s := &source{text: bufio.NewReaderSize(p, 64<<10), payload: p}
	if err := s.decode(); err != nil {
		return nil, err
	}
	if err := s.skipWrapper(); err != nil {
		return nil, err
	}
	return s, nil
}

// decode makes UTF-8 of UTF-16, which PowerShell's > writes, and drops marks of
// byte order.
func (s *source) decode() error {
	head, err := s.peek()
	if err != nil {
		return err
	}
	order, isUTF16 := unicode.LittleEndian, false
	switch {
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		s.skip(3)
	case len(head) >= 2 && (head[0] == 0xff && head[1] == 0xfe || head[0] != 0 && head[1] == 0):
		isUTF16 = true
	case len(head) >= 2 && (head[0] == 0xfe && head[1] == 0xff || head[0] == 0 && head[1] != 0):
		order, isUTF16 = unicode.BigEndian, true
	}
	if isUTF16 {
		decoder := unicode.UTF16(order, unicode.UseBOM).NewDecoder()
		s.text = bufio.NewReaderSize(transform.NewReader(s.text, decoder), 64<<10)
	}
	return nil
}

// skipWrapper drops the lines that CI wrappers print in front of the JSON:
// "[command]/…/terraform-bin show -json", "::debug::…", "##[command]…".
func (s *source) skipWrapper() error {
	for {
		head, err := s.peek()
		if err != nil {
			return err
		}
		start := len(head) - len(bytes.TrimLeft(head, " \t\r\n"))
		switch rest := head[start:]; {
		case start > 0 && len(rest) == 0 && len(head) == sniffed:
			s.skip(start)
		case isWrapperLine(rest):
			if err := s.skipLine(); err != nil {
				return err
			}
		default:
			return refuse(rest)
		}
	}
}

// isWrapperLine reports whether a line is a CI wrapper's rather than JSON.
func isWrapperLine(line []byte) bool {
	return bytes.HasPrefix(line, []byte("[command]")) || bytes.HasPrefix(line, []byte("::")) || bytes.HasPrefix(line, []byte("##["))
}

func (s *source) skipLine() error {
	for blank := true; ; {
		part, err := s.text.ReadSlice('\n')
		s.skipped += int64(len(part))
		blank = blank && len(bytes.TrimSpace(part)) == 0
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err == nil && blank:
			// Blank lines in front of the wrapper's belong to it.
		case err == nil || errors.Is(err, io.EOF):
			return nil
		default:
			return readFailure(err)
		}
	}
}

// trailing reads what follows the JSON to its end, and refuses anything but
// blank lines and those of CI wrappers. buffered is what the decoder has read
// too far.
func (s *source) trailing(buffered []byte) error {
	rest := bufio.NewReader(io.MultiReader(bytes.NewReader(buffered), s.text))
	for lineStart := true; ; {
		part, err := rest.ReadSlice('\n')
		if lineStart {
			if line := bytes.TrimSpace(part); len(line) > 0 && !isWrapperLine(line) {
				return afterTheEnd(line)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return readFailure(err)
		}
		lineStart = err == nil
	}
}

func (s *source) peek() ([]byte, error) {
	head, err := s.text.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, readFailure(err)
	}
	return head, nil
}

func (s *source) skip(n int) {
	skipped, _ := s.text.Discard(n) // what was peeked at is there
	s.skipped += int64(skipped)
}

// payload counts and hashes the bytes that were sent, unpacked.
type payload struct {
	r      io.Reader
	packed bool
	limit  int64 // zero: none
	size   int64
	digest hash.Hash
}

// Read implements io.Reader.
func (p *payload) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.digest.Write(b[:n])
	if p.size += int64(n); p.size > p.limit && p.limit > 0 {
		return 0, fault.New(fault.TooLarge, fmt.Sprintf("the plan is larger than %d bytes, the most that is taken here (MAX_UPLOAD_BYTES)", p.limit))
	}
	if err != nil && p.packed && !errors.Is(err, io.EOF) {
		err = badGzip(err)
	}
	return n, err
}
