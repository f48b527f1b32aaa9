// Package transcript keeps what a program says while it is still talking, for
// tests that read along. It is for tests alone.
package transcript

import (
	"bytes"
	"sync"
)

// Buffer is written by one goroutine or process while others read. Its zero
// value is empty and ready.
type Buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds to the buffer; it never fails.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String is all that has been written so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
