package dashboards

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the dashboards anew")

const folder = "../../deploy/grafana/dashboards"

// TestDashboardsAreUpToDate: what Grafana loads is what this package says.
func TestDashboardsAreUpToDate(t *testing.T) {
	t.Parallel()
	var want []string
	for _, d := range All() {
		got, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(d.UID, "driftsentry-") + ".json"
		want = append(want, name)
		path := filepath.Join(folder, name)
		if *update {
			// Grafana reads it as another user.
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		kept, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(kept), string(got)); diff != "" {
			t.Errorf("%s is not what this package says; run with -update (-file +package):\n%s", path, diff)
		}
	}
	slices.Sort(want)
	var found []string
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		found = append(found, entry.Name())
	}
	if !slices.Equal(found, want) {
		t.Errorf("files in %s = %v, want %v", folder, found, want)
	}
}

// TestLayout: panels lie beside each other, within the grid.
func TestLayout(t *testing.T) {
	t.Parallel()
	type place struct{ X, Y, W, H int }
	for _, d := range All() {
		text, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		var board struct {
			Panels []struct {
				ID      int
				Title   string
				GridPos place
			}
		}
		if err := json.Unmarshal(text, &board); err != nil {
			t.Fatal(err)
		}
		ids := map[int]bool{}
		taken := map[[2]int]string{}
		for _, p := range board.Panels {
			if ids[p.ID] {
				t.Errorf("%s: two panels with id %d", d.UID, p.ID)
			}
			ids[p.ID] = true
			at := p.GridPos
			if at.X+at.W > columns {
				t.Errorf("%s: %q ends at column %d, want at most %d", d.UID, p.Title, at.X+at.W, columns)
			}
			for x := at.X; x < at.X+at.W; x++ {
				for y := at.Y; y < at.Y+at.H; y++ {
					if other, ok := taken[[2]int{x, y}]; ok {
						t.Fatalf("%s: %q lies on %q", d.UID, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
	}
}
