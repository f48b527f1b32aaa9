package terraform_test

import (
	"io"
	"runtime"
	"testing"

	"github.com/driftsentry/driftsentry/internal/terraform"
	"github.com/driftsentry/driftsentry/internal/terraform/plantest"
)

// TestMemoryStaysBounded reads a plan of 300 MB and looks how much memory it
// needs on the way and at the end.
func TestMemoryStaysBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 300 MB")
	}
	const n = 43_000
	r, w := io.Pipe()
	go func() { w.CloseWithError(plantest.Write(w, n)) }()
	watched := &watchedReader{r: r}
	s, err := terraform.Read(watched, terraform.Options{Key: testKey, SpoolDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer closeSnapshot(t, s)
	if s.Bytes < 280e6 {
		t.Errorf("the plan has %d bytes, want about 300 MB", s.Bytes)
	}
	const most = 64 << 20
	t.Logf("up to %d MB of live memory", watched.most>>20)
	if watched.most > most {
		t.Errorf("reading took up to %d MB of live memory, want at most %d", watched.most>>20, most>>20)
	}
	drain(t, s)
}

// watchedReader looks from time to time how much memory is in use.
type watchedReader struct {
	r     io.Reader
	reads int
	most  uint64
}

// Read implements io.Reader.
func (w *watchedReader) Read(b []byte) (int, error) {
	if w.reads++; w.reads%400 == 0 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		w.most = max(w.most, m.HeapAlloc)
	}
	return w.r.Read(b)
}
