package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/client"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/report"
)

func TestModuleDir(t *testing.T) {
	t.Parallel()
	plain, repository := t.TempDir(), t.TempDir()
	for _, dir := range []string{filepath.Join(repository, ".git"), filepath.Join(repository, "infra", "edge"), filepath.Join(plain, "infra")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ dir, workspace, want string }{
		{"", repository, ""},
		{repository, "", "."},
		{filepath.Join(repository, "infra", "edge"), "", "infra/edge"},
		{filepath.Join(repository, "infra", "edge"), plain, "infra/edge"},
		{filepath.Join(repository, "infra", "..", "infra", "edge") + "/", repository, "infra/edge"},
		{filepath.Join(plain, "infra"), plain, "infra"},
		{plain, plain, "."},
		{filepath.Join(plain, "infra"), "", ""},
		{".", "", "cmd/driftsentry"}, // where this test runs
		{"../../deploy", "", "deploy"},
	}
	for _, tt := range tests {
		s := &scanning{scanOptions: scanOptions{dir: tt.dir}, process: process{env: []string{"GITHUB_WORKSPACE=" + tt.workspace}}}
		if got := s.moduleDir(); got != tt.want {
			t.Errorf("moduleDir() of %s in workspace %q = %q, want %q", tt.dir, tt.workspace, got, tt.want)
		}
	}
}

// TestASharedSummaryIsAppendedTo, and no other file.
func TestASharedSummaryIsAppendedTo(t *testing.T) {
	t.Parallel()
	r := &report.Report{Answer: &client.Answer{Stack: "prod/edge", Status: drift.Complete}}
	for _, tt := range []struct {
		format report.Format
		shared bool
		want   bool
	}{
		{report.FormatMarkdown, true, true},
		{report.FormatMarkdown, false, false},
		{report.FormatJSON, true, false},
	} {
		file := filepath.Join(t.TempDir(), "summary.md")
		if err := os.WriteFile(file, []byte("what was there before\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		s := new(scanning)
		if tt.shared {
			s.env = []string{"GITHUB_STEP_SUMMARY=" + file}
		}
		if err := s.write(r, output{tt.format, file}); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(file)
		if err != nil || strings.HasPrefix(string(content), "what was there before") != tt.want || !strings.Contains(string(content), "prod/edge") {
			t.Errorf("%s, shared %v: %q, %v, want what was there before kept: %v", tt.format, tt.shared, content, err, tt.want)
		}
	}
}
