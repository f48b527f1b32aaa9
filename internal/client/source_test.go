package client

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, content, want, wrong string
	}{
		{"plain.json", `{"a":1}`, `{"a":1}`, ""},
		{"packed.json.gz", packed.String(), `{"a":1}`, ""},
		{"one byte", "{", "{", ""},
		{"empty.json", "", "", "the plan is empty"},
	}
	for _, tt := range tests {
		path := filepath.Join(dir, tt.name)
		if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		s := newServer(t, hangUp, taken(201)) // every source can be read again
		var retried int
		_, err := newClient(s.URL, &retried).Upload(t.Context(), Scan{Stack: "s", Plan: File(path)})
		if tt.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%s: Upload() = %v, want %q", tt.name, err, tt.wrong)
			}
			continue
		}
		if _, last := s.requests(t); err != nil || last != tt.want {
			t.Errorf("%s: Upload() = %v, sent %q, want %q", tt.name, err, last, tt.want)
		}
	}
	for path, want := range map[string]string{filepath.Join(dir, "missing"): "no such file", dir: "--dir " + dir} {
		if _, err := File(path)(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("File(%s) = %v, want %q", path, err, want)
		}
	}
}

func TestSpooled(t *testing.T) {
	t.Parallel()
	plan := strings.Repeat(`{"address":"local_file.motd"}`, 1<<18) // 7 MB
	source, closer, err := Spooled(strings.NewReader(plan))
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	s := newServer(t, hangUp, problem(503, "DATABASE_UNAVAILABLE", "wait"), taken(201))
	var retried int
	if _, err := newClient(s.URL, &retried).Upload(t.Context(), Scan{Stack: "s", Plan: source}); err != nil {
		t.Fatalf("Upload() = %v", err)
	}
	if n, last := s.requests(t); n != 3 || last != plan {
		t.Errorf("%d requests, the last of %d bytes, want 3 and the whole plan of %d", n, len(last), len(plan))
	}
	if _, _, err := Spooled(strings.NewReader("")); err == nil || !strings.Contains(err.Error(), "standard input is empty") {
		t.Errorf("Spooled(nothing) = %v", err)
	}
	broken := errors.New("broken pipe")
	if _, _, err := Spooled(breaking{broken}); !errors.Is(err, broken) {
		t.Errorf("Spooled(broken) = %v, want %v", err, broken)
	}
}
