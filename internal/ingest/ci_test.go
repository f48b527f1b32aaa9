package ingest_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/ingest"
)

// FuzzParseCI: whatever comes is refused with a client's error, or becomes texts
// under known names that are taken again as they are.
func FuzzParseCI(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"cicd.pipeline.name":"drift"}`, `{"vcs.change.title":"password=hunter2hunter2"}`, `{"vcs.change.id":1}`, `{"token":"x"}`,
		`{"cicd.pipeline.run.url.full":"https://user:hunter2hunter2@ci.example.com/"}`, `{"vcs.change.id":"a","vcs.change.id":"b"}`, `null`, `[]`, ``, `{`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		kept, err := ingest.ParseCI(text, "X")
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("ParseCI(%q) = %v, want a client's error", text, err)
			}
			return
		}
		var facts map[string]string
		if err := json.Unmarshal(kept, &facts); err != nil {
			t.Fatalf("ParseCI(%q) = %s: %v", text, kept, err)
		}
		for name := range facts {
			if !slices.Contains(ingest.CIKeys(), name) {
				t.Errorf("ParseCI(%q) keeps %q", text, name)
			}
		}
	})
}

// TestNoSecretSurvivesInCI plants credentials under every name.
func TestNoSecretSurvivesInCI(t *testing.T) {
	t.Parallel()
	const password, github = "hunter2hunter2", "ghp_0123456789abcdefghijABCDEFGHIJ012345"
	for _, name := range ingest.CIKeys() {
		for _, value := range []string{
			"https://bob:" + password + "@ci.example.com/run", "https://ci.example.com/?token=" + github, "https://" + github + "@github.com/a/b",
		} {
			text, err := json.Marshal(map[string]string{name: value})
			if err != nil {
				t.Fatal(err)
			}
			kept, err := ingest.ParseCI(string(text), "X")
			if err != nil {
				t.Fatalf("ParseCI(%s) = %v", text, err)
			}
			if strings.Contains(string(kept), password) || strings.Contains(string(kept), github) {
				t.Errorf("ParseCI(%s) = %s: the secret is still there", text, kept)
			}
		}
	}
}
