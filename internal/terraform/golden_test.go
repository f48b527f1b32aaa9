package terraform_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/terraform"
)

var update = flag.Bool("update", false, "write the goldens under testdata/golden anew")

// testKey is the fingerprint key of all tests.
var testKey = []byte("0123456789abcdef0123456789abcdef")

// plans are the real plans under testdata/plans, by path below it.
func plans(t testing.TB) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	err := filepath.WalkDir("testdata/plans", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel("testdata/plans", path)
		found[name] = text
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatal("no plans under testdata/plans")
	}
	return found
}

// TestGolden shows what every real plan is read as. The plans' .human.txt files
// are what the tool said of them to people.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name, text := range plans(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := describe(t, text)
			golden := filepath.Join("testdata", "golden", strings.TrimSuffix(name, ".json")+".txt")
			if *update {
				if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s is read differently (-want +got):\n%s", name, diff)
			}
		})
	}
}

// describe writes a snapshot for people.
func describe(t testing.TB, plan []byte) string {
	t.Helper()
	snapshot, err := terraform.Read(bytes.NewReader(plan), terraform.Options{Key: testKey, SpoolDir: t.TempDir()})
	if err != nil {
		return "refused: " + err.Error() + "\n"
	}
	defer closeSnapshot(t, snapshot)

	var b strings.Builder
	r := snapshot.Report
	fmt.Fprintf(&b, "%s %s by %s %s at %s: %s, outside %v, pending %v, %d resources, %d drifts, %d noise\n",
		r.Format, r.FormatVersion, r.Tool, r.ToolVersion, r.TakenAt.Format("2006-01-02T15:04:05Z"), r.Status,
		r.Outside, r.Pending, r.Resources, len(snapshot.Drifts), len(snapshot.Noise))
	for _, each := range []func(func(int) bool) iter.Seq2[*drift.Resource, error]{snapshot.EachDrift, snapshot.EachNoise} {
		for r, err := range each(nil) {
			if err != nil {
				t.Fatal(err)
			}
			describeResource(&b, r)
		}
	}
	return b.String()
}

func describeResource(b *strings.Builder, r *drift.Resource) {
	fmt.Fprintf(b, "\n%s %s %s", r.Origin, r.Action, r.Address)
	if r.OnlyNoise() {
		b.WriteString(" (noise)")
	} else {
		fmt.Fprintf(b, "\n    %s: %s", r.Severity, r.SeverityReason)
	}
	if r.PreviousAddress != "" {
		fmt.Fprintf(b, "\n    moved from %s", r.PreviousAddress)
	}
	fmt.Fprintf(b, "\n    %s of %s, id %q, region %q, account %q\n", r.Type, r.Provider, r.CloudID, r.Region, r.Account)
	for _, changes := range [][]drift.Change{r.News, r.Noise} {
		for _, c := range changes {
			fmt.Fprintf(b, "    %s: %s -> %s", c.Path, c.Before, c.After)
			if c.Unknown {
				b.WriteString(" (known after apply)")
			}
			if c.Noise != "" {
				fmt.Fprintf(b, " (noise: %s)", c.Noise)
			}
			b.WriteString("\n")
		}
	}
}

func closeSnapshot(t testing.TB, s *drift.Snapshot) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
}
