package spool_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/spool"
)

func all(byte) bool { return true }

// read reads the wanted records as strings.
func read(t *testing.T, s *spool.Spool, want func(byte) bool) []string {
	t.Helper()
	var records []string
	for record, err := range s.Records(want) {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, string(record))
	}
	return records
}

func TestSpool(t *testing.T) {
	for _, size := range []int{0, 1, 1000, 300_000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			s := spool.New(t.TempDir())
			var want, even []string
			for i := range 40 {
				record := fmt.Sprintf("%d %s", i, strings.Repeat("x", size))
				want = append(want, record)
				if i%2 == 0 {
					even = append(even, record)
				}
				if err := s.Add(byte(i%2), []byte(record)); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Flush(); err != nil {
				t.Fatal(err)
			}
			for range 2 { // it can be read again
				if got := read(t, s, all); strings.Join(got, ",") != strings.Join(want, ",") {
					t.Fatalf("Records(all) gave %d records that are not the %d added", len(got), len(want))
				}
				if got := read(t, s, func(kind byte) bool { return kind == 0 }); strings.Join(got, ",") != strings.Join(even, ",") {
					t.Fatalf("Records(kind 0) gave %d records, want %d", len(got), len(even))
				}
			}
			for range 2 {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			for _, err := range s.Records(all) {
				if err == nil {
					t.Error("a closed spool gave a record")
				}
			}
		})
	}
}

func TestNothingReadableOnDisk(t *testing.T) {
	dir := t.TempDir()
	s := spool.New(dir)
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	secret := []byte("hunter2hunter2hunter2")
	for range 10 {
		if err := s.Add(0, bytes.Repeat(secret, 50_000)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("the spool's file has the name %s", left[0].Name())
	}
	// Where open files can still be looked into, look.
	descriptors, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range descriptors {
		target, err := os.Readlink(d)
		if err != nil || !strings.HasPrefix(target, dir) {
			continue
		}
		text, err := os.ReadFile(d)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) < 10_000_000 || bytes.Contains(text, secret[:8]) {
			t.Errorf("the spool's file of %d bytes holds records in clear", len(text))
		}
	}
}

func TestUnusableDirectory(t *testing.T) {
	s := spool.New(filepath.Join(t.TempDir(), "missing"))
	var err error
	for range 10 {
		if err = s.Add(0, make([]byte, 1<<20)); err != nil {
			break
		}
	}
	if err == nil {
		t.Error("10 MB were added without a directory to spool to")
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close() = %v after a failure", err)
	}
}
