package client

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/driftsentry/driftsentry/internal/spool"
)

// Source opens a plan for reading from its beginning, each time it is asked.
type Source func(ctx context.Context) (io.ReadCloser, error)

// SourceError says that the plan itself could not be read: sending it again
// would not help, and the server is not to blame.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return e.Err.Error() }

// Unwrap returns why.
func (e *SourceError) Unwrap() error { return e.Err }

// File is the plan in a file, JSON or gzipped JSON.
func File(path string) Source {
	return func(context.Context) (io.ReadCloser, error) {
		file, err := os.Open(path) //nolint:gosec // G304: naming the file is what the argument is for
		if err != nil {
			return nil, err
		}
		if info, err := file.Stat(); err == nil && info.IsDir() {
			file.Close()
			return nil, fmt.Errorf("%s is a folder; to have Terraform run in it, say --dir %s", path, path)
		}
		return file, nil
	}
}

// Spooled reads r to its end, so that it can be sent more than once. A small
// plan is kept in memory compressed, a large one in an encrypted file without a
// name: a plan holds secrets in clear. The caller closes it in the end.
func Spooled(r io.Reader) (source Source, closer io.Closer, err error) {
	kept := spool.New("")
	pack := gzip.NewWriter(bufferedRecords{kept})
	buffered := bufio.NewWriterSize(pack, 64<<10)
	n, err := io.Copy(buffered, r)
	if err = errors.Join(err, buffered.Flush(), pack.Close(), kept.Flush()); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("read the plan: %w", err), kept.Close())
	}
	if n == 0 {
		return nil, nil, errors.Join(errors.New("standard input is empty: pipe the output of `terraform show -json` into it"), kept.Close())
	}
	return func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(readRecords(kept)), nil
	}, kept, nil
}

// bufferedRecords makes a record of each write.
type bufferedRecords struct{ *spool.Spool }

func (b bufferedRecords) Write(p []byte) (int, error) {
	if err := b.Add(0, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// readRecords is what was written, one after the other.
func readRecords(s *spool.Spool) io.Reader {
	r, w := io.Pipe()
	go func() {
		for record, err := range s.Records(func(byte) bool { return true }) {
			if err == nil {
				_, err = w.Write(record)
			}
			if err != nil {
				w.CloseWithError(err)
				return
			}
		}
		w.CloseWithError(io.EOF)
	}()
	return r
}

// body is a request's body. It opens its source when the first byte is wanted:
// a server that refuses at once costs nothing.
type body struct {
	encoding string
	length   int64 // -1: nobody knows
	start    func() io.ReadCloser

	mu     sync.Mutex
	stream io.ReadCloser
	closed bool
	failed error
}

// compressed sends source gzipped, unless it is already.
func compressed(ctx context.Context, source Source) *body {
	b := &body{encoding: "gzip", length: -1}
	b.start = func() io.ReadCloser {
		r, w := io.Pipe()
		go func() { w.CloseWithError(b.note(pack(ctx, w, source))) }()
		return r
	}
	return b
}

// plain sends payload as it is.
func plain(payload []byte) *body {
	return &body{length: int64(len(payload)), start: func() io.ReadCloser { return io.NopCloser(bytes.NewReader(payload)) }}
}

// errAbandoned ends the packing of a plan that nobody wants any more.
var errAbandoned = errors.New("the request is over")

// pack copies source to w, gzipped.
func pack(ctx context.Context, w io.Writer, source Source) (err error) {
	plan, err := source(ctx)
	if err != nil {
		return err
	}
	// Closing tells whether the program that makes the plan has come to a good end.
	defer func() { err = errors.Join(err, plan.Close()) }()
	in := bufio.NewReaderSize(plan, 256<<10)
	start, err := in.Peek(2)
	switch {
	case len(start) == 0 && errors.Is(err, io.EOF):
		return errors.New("the plan is empty: it must be the output of `terraform show -json`")
	case err != nil && !errors.Is(err, io.EOF):
		return err
	case bytes.Equal(start, []byte{0x1f, 0x8b}):
		_, err = in.WriteTo(w)
		return err
	}
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed) // a plan shrinks to a twentieth even so
	if err != nil {
		return err
	}
	if _, err := in.WriteTo(z); err != nil {
		return err
	}
	return z.Close()
}

// note remembers why the plan could not be read, unless it was the reader who
// did not want any more.
func (b *body) note(err error) error {
	if err == nil || errors.Is(err, errAbandoned) {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed == nil {
		b.failed = &SourceError{err}
	}
	return b.failed
}

func (b *body) failure() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}

func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return 0, errAbandoned
	}
	if b.stream == nil {
		b.stream = b.start()
	}
	stream := b.stream
	b.mu.Unlock()
	return stream.Read(p)
}

// Close ends the reading.
func (b *body) Close() error {
	b.abandon()
	return nil
}

// abandon tells whoever makes the plan that nobody wants it any more.
func (b *body) abandon() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if r, ok := b.stream.(*io.PipeReader); ok {
		_ = r.CloseWithError(errAbandoned) // it never fails
	}
}

// maxMessage is how much of an error is sent, in bytes: as much as a server keeps.
// It is the end, because programs say last what they have died of.
const maxMessage = 4 << 10

func errorPayload(message string) ([]byte, error) {
	message = strings.ToValidUTF8(strings.ReplaceAll(message, "\x00", ""), "�")
	if len(message) > maxMessage {
		message = "…" + strings.ToValidUTF8(message[len(message)-maxMessage+len("…"):], "") // half a letter is none
	}
	payload, err := json.Marshal(map[string]string{"message": message})
	if err != nil {
		return nil, fmt.Errorf("encode the report of an error: %w", err)
	}
	return payload, nil
}
