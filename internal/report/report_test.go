package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/driftsentry/driftsentry/internal/client"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

type open = map[drift.Origin]map[drift.Severity]int

func one(id, address string, origin drift.Origin, action drift.Action, severity drift.Severity, why string) client.Drift {
	return client.Drift{ID: id, Address: address, Type: "local_file", Origin: origin, Action: action, Severity: severity, SeverityReason: why, Status: drift.Detected}
}

// reports are what the outputs have to cope with, by name.
func reports() map[string]*report.Report {
	base := func() *report.Report {
		return &report.Report{
			Answer: &client.Answer{
				ID: "0192f3a0-0000-7000-8000-000000000001", Stack: "prod/edge", Status: drift.Complete,
				Counts: client.Counts{Resources: 21, Noise: 3}, Open: open{}, URL: "https://drift.example.com/api/v1/scans/0192f3a0-0000-7000-8000-000000000001",
			},
			Policy:      report.Policy{FailOn: drift.Info, Origins: []drift.Origin{drift.Outside}},
			Correlation: "run-42", Trace: "0af7651916cd43dd8448eb211c80319c",
			Pipeline: map[string]string{"cicd.system.name": "github_actions", "vcs.change.id": "42"},
			Dir:      "infra/edge", Version: "1.2.3", At: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC),
		}
	}
	all := map[string]*report.Report{"nothing": base()}

	mixed := base()
	mixed.Counts = client.Counts{Resources: 21, Detected: 2, Known: 2, Resolved: 1, Noise: 3}
	mixed.Open = open{drift.Outside: {drift.Critical: 1, drift.Warning: 1, drift.Info: 1}, drift.Pending: {drift.Warning: 1}}
	mixed.OpenDrifts = []client.Drift{
		one("d1", `local_file.site["shop.example.com/checkout"]`, drift.Outside, drift.Update, drift.Critical, "ingress opened to 0.0.0.0/0 on port 22"),
		one("d2", "local_file.motd", drift.Outside, drift.Delete, drift.Warning, "the resource was deleted outside of Terraform"),
		one("d4", "module.workers.local_file.unit[0]", drift.Pending, drift.Create, drift.Warning, "not created yet"),
		one("d3", "local_file.unit", drift.Outside, drift.Update, drift.Info, "content changed"),
	}
	mixed.OpenDrifts[1].Status = drift.Approved
	mixed.Drifts = []client.Drift{mixed.OpenDrifts[0], mixed.OpenDrifts[2]}
	mixed.Policy.FailOn = drift.Warning
	all["mixed"] = mixed

	hostile := base()
	hostile.Repeated, hostile.Superseded, hostile.Status = true, true, drift.Incomplete
	hostile.Open = open{drift.Outside: {drift.Critical: 1, drift.Info: 1}}
	hostile.OpenDrifts = []client.Drift{
		one("d1", "a.b[\"``|@team\x1b[2J<b>\"]", drift.Outside, drift.Update, drift.Critical, "**bold** | <script> @everyone [x](javascript:1)\nsecond \x07 line --> _end_"),
		one("d2", "größe.日本語[\"😀\"]", drift.Outside, drift.Update, drift.Info, strings.Repeat("日本語 ", 30)),
	}
	all["hostile"] = hostile

	hostile.CorrelationID, hostile.TraceID = "run-41\x1b[2J_<b>", "trace"

	errored := base()
	errored.Stack, errored.Dir, errored.Status = "prod/_edge_--x", ".", drift.Errored
	all["errored"] = errored

	superseded := base()
	superseded.Superseded = true
	superseded.Counts.Resolved = 2
	superseded.Open = open{drift.Pending: {drift.Warning: 1}}
	superseded.OpenDrifts = []client.Drift{one("d4", "local_file.unit", drift.Pending, drift.Create, drift.Warning, "not created yet")}
	superseded.Dir = "."
	all["superseded"] = superseded

	many := base()
	many.Open = open{drift.Outside: {drift.Critical: 120, drift.Info: 80}}
	for i := range 100 {
		many.OpenDrifts = append(many.OpenDrifts, one(fmt.Sprintf("d%d", i), fmt.Sprintf(`module.region[%d].%s.rule`, i, strings.Repeat("very_long_name_", 40)),
			drift.Outside, drift.Update, drift.Critical, strings.Repeat("because of this and that, ", 8)))
	}
	many.Policy.Origins = drift.Origins()
	all["many"] = many
	return all
}

func write(t *testing.T, r *report.Report, format report.Format, screen report.Screen) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b, format, screen); err != nil {
		t.Fatalf("Write(%s) = %v", format, err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	t.Parallel()
	screens := map[string]report.Screen{"table": {}, "table-80-colors": {Width: 80, Color: true}, "table-120": {Width: 120}, "table-40": {Width: 40}}
	for name, r := range reports() {
		outputs := map[string]string{}
		for _, format := range report.Formats() {
			outputs[string(format)] = write(t, r, format, report.Screen{})
		}
		for kind, screen := range screens {
			outputs[kind] = write(t, r, report.FormatTable, screen)
		}
		for kind, got := range outputs {
			if name == "many" && kind != "markdown" {
				continue // long, and told by the others already
			}
			path := filepath.Join("testdata", "golden", name+"."+kind)
			if *update {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got; -update writes it anew):\n%s", path, diff)
			}
		}
	}
}

// TestTablesFit: no line is wider than the screen, however narrow, and a pipe
// gets no escape sequence.
func TestTablesFit(t *testing.T) {
	t.Parallel()
	for name, r := range reports() {
		for width := 20; width <= 200; width += 9 {
			for line := range strings.Lines(write(t, r, report.FormatTable, report.Screen{Width: width, Color: true})) {
				line = strings.TrimRight(line, "\n")
				facts := strings.Contains(line, "https://") || strings.Contains(line, "0af7651916cd") // not to be folded: they are copied
				if got := text.StringWidthWithoutEscSequences(line); got > width && !facts && width >= 30 {
					t.Errorf("%s at %d columns has a line of %d: %q", name, width, got, line)
				}
			}
		}
		if plain := write(t, r, report.FormatTable, report.Screen{}); strings.ContainsAny(plain, "\x1b\x07") {
			t.Errorf("%s without colours has an escape sequence in it: %q", name, plain)
		}
		folded := write(t, r, report.FormatTable, report.Screen{Width: 80, Color: true})
		if strings.Contains(folded, "\x1b[2J") || strings.Contains(folded, "\x07") {
			t.Errorf("%s lets somebody else's escape sequence through", name)
		}
	}
}

func schema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	compiled, err := jsonschema.NewCompiler().Compile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func TestJSONFollowsItsSchemas(t *testing.T) {
	t.Parallel()
	for format, name := range map[report.Format]string{report.FormatSARIF: "sarif-schema-2.1.0.json", report.FormatJSON: "scan.schema.json"} {
		s := schema(t, name)
		for which, r := range reports() {
			got := write(t, r, format, report.Screen{})
			document, err := jsonschema.UnmarshalJSON(strings.NewReader(got))
			if err != nil {
				t.Fatalf("%s of %s: %v", format, which, err)
			}
			if err := s.Validate(document); err != nil {
				t.Errorf("%s of %s: %v\n%.2000s", format, which, err, got)
			}
		}
		// The schema is really asked.
		if s.Validate(map[string]any{"version": "1.0.0", "stack": 1}) == nil {
			t.Errorf("%s lets anything pass", name)
		}
	}
}

func TestSARIFKnowsADriftAgain(t *testing.T) {
	t.Parallel()
	type log struct {
		Runs []struct {
			Tool struct {
				Driver struct {
					Rules []struct{ FullDescription, Help struct{ Text string } }
				}
			}
			Results []struct {
				PartialFingerprints map[string]string
				Level               string
				RuleIndex           int
			}
		}
	}
	read := func(r *report.Report) (l log) {
		if err := json.Unmarshal([]byte(write(t, r, report.FormatSARIF, report.Screen{})), &l); err != nil {
			t.Fatal(err)
		}
		return l
	}
	first, later := reports()["mixed"], reports()["mixed"]
	later.OpenDrifts[0].ID, later.OpenDrifts[0].SeverityReason, later.OpenDrifts[0].Severity = "other", "changed again", drift.Info
	a, b := read(first).Runs[0].Results, read(later).Runs[0].Results
	if a[0].PartialFingerprints["driftsentry/v1"] != b[0].PartialFingerprints["driftsentry/v1"] || a[0].Level != "error" || b[0].Level != "note" {
		t.Errorf("the same drift later is %v, want the fingerprint of %v", b[0], a[0])
	}
	seen := map[string]bool{}
	for _, r := range a {
		seen[r.PartialFingerprints["driftsentry/v1"]] = true
		seen[r.PartialFingerprints["primaryLocationLineHash"]] = true
		if rule := read(first).Runs[0].Tool.Driver.Rules[r.RuleIndex]; rule.FullDescription.Text == "" || rule.Help.Text == "" {
			t.Errorf("a result's rule is %+v, want what it means and what to do", rule)
		}
	}
	if len(a) != 4 || len(seen) != 8 {
		t.Errorf("%d results with %d fingerprints, want 4 with two each", len(a), len(seen))
	}
	if a[0].PartialFingerprints["primaryLocationLineHash"] != b[0].PartialFingerprints["primaryLocationLineHash"] {
		t.Error("GitHub would not know the same drift again")
	}
}

func TestMarkdownFitsAComment(t *testing.T) {
	t.Parallel()
	got := write(t, reports()["many"], report.FormatMarkdown, report.Screen{})
	if len(got) > 60_000 || !strings.Contains(got, "[and 1") || !strings.Contains(got, "](https://drift.example.com/") {
		t.Errorf("%d bytes, ending %q; want at most 60000 and a link to the rest", len(got), got[max(0, len(got)-400):])
	}
	shown := strings.Count(got, "| **critical** |")
	if more := fmt.Sprintf("[and %d more]", 200-shown); shown == 0 || !strings.Contains(got, more) {
		t.Errorf("%d rows are shown, but %q is not said", shown, more)
	}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	r := reports()["mixed"]
	outside, pending := []drift.Origin{drift.Outside}, []drift.Origin{drift.Pending}
	tests := []struct {
		failOn  drift.Severity
		origins []drift.Origin
		want    int
		says    string
	}{
		{drift.Critical, outside, 1, "critical, outside"},
		{drift.Warning, outside, 2, "warning or worse, outside"},
		{drift.Info, outside, 3, "info or worse, outside"},
		{drift.Info, pending, 1, "info or worse, pending"},
		{drift.Critical, pending, 0, "critical, pending"},
		{drift.Info, drift.Origins(), 4, "info or worse, outside and pending"},
		{"", drift.Origins(), 0, "nothing"},
	}
	for _, tt := range tests {
		r.Policy = report.Policy{FailOn: tt.failOn, Origins: tt.origins}
		if got := r.Failing(); got != tt.want || r.Policy.String() != tt.says {
			t.Errorf("Failing() on %q = %d, want %d on %q", r.Policy, got, tt.want, tt.says)
		}
	}
	if err := r.Write(new(bytes.Buffer), "yaml", report.Screen{}); err == nil || slices.Contains(report.Formats(), "yaml") {
		t.Errorf("Write(yaml) = %v, want an error", err)
	}
}
