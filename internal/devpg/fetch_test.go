package devpg

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// mirrorOf serves what the library downloads: a jar, which is a zip, with an
// archive of binaries in it. testdata/postgres.txz holds three shell scripts.
func mirrorOf(t *testing.T) (url string, requests *atomic.Int32) {
	t.Helper()
	txz, err := os.ReadFile("testdata/postgres.txz")
	if err != nil {
		t.Fatal(err)
	}
	var jar bytes.Buffer
	z := zip.NewWriter(&jar)
	w, err := z.Create("postgres-linux-x86_64.txz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(txz); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	requests = new(atomic.Int32)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1); !strings.HasSuffix(r.URL.Path, ".jar") || !strings.Contains(r.URL.Path, string(fetched)) {
			http.NotFound(w, r)
			return
		}
		if _, err := w.Write(jar.Bytes()); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL, requests
}

// noLogs points the library's logs at a folder of the test's own and returns
// how to see whether any is left.
func noLogs(t *testing.T) func() {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	return func() {
		t.Helper()
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("download() left %v in the temporary folder, %v", left, err)
		}
	}
}

func TestDownloadFetchesOnce(t *testing.T) {
	nothingIsLeft := noLogs(t)
	url, requests := mirrorOf(t)
	cache := t.TempDir()
	var progress strings.Builder
	for range 2 {
		b, err := download(t.Context(), url, cache, &progress)
		if err != nil {
			t.Fatalf("download() = %v", err)
		}
		if b.major != 17 || !strings.HasPrefix(b.dir, cache) {
			t.Errorf("download() = %+v, want version 17 below %s", b, cache)
		}
	}
	if n := requests.Load(); n != 2 { // the archive and its checksum
		t.Errorf("two downloads made %d requests, want 2", n)
	}
	if said := progress.String(); strings.Count(said, "Downloading PostgreSQL") != 1 {
		t.Errorf("progress reads %q, want it told once", said)
	}
	if left, err := filepath.Glob(filepath.Join(cache, "fetch-*")); err != nil || len(left) != 0 {
		t.Errorf("download() left %v, %v", left, err)
	}
	nothingIsLeft()
}

func TestDownloadSaysWhatWentWrong(t *testing.T) {
	nothingIsLeft := noLogs(t)
	srv := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(srv.Close)
	if _, err := download(t.Context(), srv.URL, t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "no version found") {
		t.Errorf("download() from an empty mirror = %v, want the library's reason", err)
	}
	nothingIsLeft()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := download(ctx, srv.URL, t.TempDir(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("download() with its context over = %v, want that", err)
	}
}
