package main

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/terraformcli/tftest"
)

// ingestKey makes a key that can do nothing but upload.
func (h *house) ingestKey() string {
	h.t.Helper()
	a := h.post("/api/v1/api-keys", `{"name":"ci `+rand.Text()+`","role":"ingest"}`, http.StatusCreated)
	var made struct{ Key string }
	if err := json.Unmarshal(a.body, &made); err != nil || made.Key == "" {
		h.t.Fatalf("an ingest key: %s: %v", a.body, err)
	}
	return made.Key
}

// scanEnv is the environment of a pipeline that uploads to h.
func (h *house) scanEnv(more ...string) []string {
	h.t.Helper()
	return append([]string{"DRIFTSENTRY_URL=" + h.url, "DRIFTSENTRY_API_KEY=" + h.ingestKey()}, more...)
}

// scanned is the JSON output, as far as the tests look.
type scanned struct {
	Stack, ScanID, CorrelationID, TraceID, URL string
	Repeated                                   bool
	Failing                                    int
	Open                                       map[string]map[string]int
	OpenDrifts, NewDrifts                      []listedDrift
	Pipeline                                   map[string]string
}

func scanJSON(t *testing.T, want int, env []string, args ...string) (s scanned) {
	t.Helper()
	code, out, errs := command(t, env, append([]string{"scan", "--output", "json"}, args...)...)
	if code != want {
		t.Fatalf("scan %v = %d, want %d\n%s%s", args, code, want, out, errs)
	}
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatalf("scan %v wrote %q: %v", args, out, err)
	}
	return s
}

// TestScanThroughTheLifeOfADrift runs Terraform on files that change behind its
// back, and holds the exit code against what people have decided.
func TestScanThroughTheLifeOfADrift(t *testing.T) {
	t.Parallel()
	for _, tool := range tftest.Tools(t) {
		t.Run(tool.Name, func(t *testing.T) {
			t.Parallel()
			h := serve(t)
			env := h.scanEnv(append(tool.Env, "GITHUB_ACTIONS=true", "GITHUB_SHA=c0ffee", "BAGGAGE=correlation_id=run-7")...)
			args := []string{"--stack", "prod/files", "--dir", tool.Dir}

			if s := scanJSON(t, exitOK, env, args...); s.Failing != 0 || len(s.OpenDrifts) != 0 || s.CorrelationID != "run-7" {
				t.Errorf("before anything has drifted: %+v", s)
			}
			tool.Drift(t)
			s := scanJSON(t, exitDrift, env, append(args, "--init")...)
			if s.Failing != 1 || len(s.NewDrifts) != 1 || s.NewDrifts[0].Address != "local_file.motd" || s.Open["outside"]["warning"] != 1 ||
				s.Pipeline["vcs.ref.head.revision"] != "c0ffee" || s.URL != h.url+"/api/v1/scans/"+s.ScanID {
				t.Errorf("after the file is gone: %+v", s)
			}
			kept := get[struct {
				CI            map[string]string
				CorrelationID string
			}](h, "/api/v1/scans/"+s.ScanID)
			if kept.CI["cicd.system.name"] != "github_actions" || kept.CI["vcs.ref.head.revision"] != "c0ffee" || kept.CorrelationID != "run-7" {
				t.Errorf("the server keeps %+v, want what the pipeline knows", kept)
			}
			// What counts, and what does not.
			scanJSON(t, exitOK, env, append(args, "--fail-on", "critical")...)
			scanJSON(t, exitOK, env, append(args, "--fail-on", "none")...)
			scanJSON(t, exitOK, env, append(args, "--origin", "pending")...)
			scanJSON(t, exitDrift, env, append(args, "--origin", "all")...)
			// A rejected drift does not fail a build again.
			h.post("/api/v1/drifts/"+s.NewDrifts[0].ID+"/reject", `{"reason":"removed on purpose"}`, http.StatusOK)
			if s := scanJSON(t, exitOK, env, args...); len(s.OpenDrifts) != 0 {
				t.Errorf("after the rejection: %+v", s)
			}
		})
	}
}

// TestScanConfigChanges: what the code asks for is pending, and counts when it
// was asked for.
func TestScanConfigChanges(t *testing.T) {
	t.Parallel()
	for _, tool := range tftest.Tools(t)[1:] { // what the code asks for, only the real one can tell
		h := serve(t)
		env := h.scanEnv(tool.Env...)
		args := []string{"--stack", "prod/files", "--dir", tool.Dir, "--config-changes", "--", "-var=greeting=hello"}
		if s := scanJSON(t, exitDrift, env, args...); len(s.Open["pending"]) == 0 || s.Failing != 1 || s.OpenDrifts[0].Origin != "pending" {
			t.Errorf("with another greeting: %+v", s)
		}
		scanJSON(t, exitOK, env, append([]string{"--origin", "outside"}, args...)...)
	}
}

func TestScanUploadsAPlanMadeElsewhere(t *testing.T) {
	t.Parallel()
	h := serve(t)
	env := h.scanEnv()
	dir := t.TempDir()
	plan := filepath.Join(dir, "plan.json")
	if err := os.WriteFile(plan, demoPlan(t, "prod-edge/plan-3.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	sarif, junit := filepath.Join(dir, "drift.sarif"), filepath.Join(dir, "drift.xml")
	code, out, errs := command(t, env, "scan", "--stack", "prod/edge", plan, "-o", "sarif="+sarif, "-o", "junit="+junit)
	if code != exitDrift || !strings.Contains(out, "correlation id") || !strings.Contains(out, "local_file.motd") || strings.Contains(out, "\x1b") || errs != "" {
		t.Errorf("scan of a file = %d\n%s%s", code, out, errs)
	}
	for file, want := range map[string]string{sarif: `"version": "2.1.0"`, junit: "<testsuites"} {
		if content, err := os.ReadFile(file); err != nil || !strings.Contains(string(content), want) {
			t.Errorf("%s = %.200s, %v", file, content, err)
		}
	}
	// From standard input, the same plan: taken once.
	_, first, _ := strings.Cut(out, "correlation id  ")
	first, _, _ = strings.Cut(first, "\n")
	code, out, errs = piped(t, env, string(demoPlan(t, "prod-edge/plan-3.json")), "scan", "--stack", "prod/edge", "-", "-o", "markdown")
	if code != exitDrift || !strings.Contains(out, "had this very plan before") || !strings.Contains(out, "first taken under correlation id "+first) || !strings.Contains(errs, "correlation id") {
		t.Errorf("scan of standard input = %d\n%s%s", code, out, errs)
	}
}

func TestScanSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	h := serve(t)
	env := h.scanEnv()
	dir := t.TempDir()
	files := map[string]string{
		"empty.json": "", "tfplan": "PK\x03\x04binary", "page.html": "<!doctype html><title>log in</title>",
		"half.json": string(demoPlan(t, "prod-edge/plan-1.json")[:5000]), "plan.json": string(demoPlan(t, "prod-edge/plan-1.json")),
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	tests := []struct {
		name string
		env  []string
		args []string
		want []string
	}{
		{"nothing", env, nil, []string{"--stack is missing", "there is no plan"}},
		{"no server", []string{}, []string{"--stack", "s", in("plan.json")}, []string{"DRIFTSENTRY_URL is not set"}},
		{
			"several mistakes", env,
			[]string{"--stack", "s", in("plan.json"), "--fail-on", "bad", "--origin", "moon", "-o", "yaml", "--ci", "a=b", "--timeout", "0s"},
			[]string{`"bad"`, `"moon"`, `"yaml"`, `"a" is not one of`, "--timeout"},
		},
		{"two plans", env, []string{"--stack", "s", "a", "b"}, []string{"one plan at a time"}},
		{"a plan and a folder", env, []string{"--stack", "s", in("plan.json"), "--dir", dir}, []string{"--dir makes a plan of its own"}},
		{"flags of plan without a folder", env, []string{"--stack", "s", in("plan.json"), "--", "-var=a=b"}, []string{"go with --dir"}},
		{"two on standard output", env, []string{"--stack", "s", in("plan.json"), "-o", "json", "-o", "sarif"}, []string{"only one goes to standard output"}},
		{"no folder for the output", env, []string{"--stack", "s", in("plan.json"), "-o", "json=" + in("no/such/file")}, []string{"there is no folder"}},
		{"no such file", env, []string{"--stack", "s", in("missing.json")}, []string{"no such file"}},
		{"a folder as a file", env, []string{"--stack", "s", dir}, []string{"--dir " + dir}},
		{"an empty file", env, []string{"--stack", "s", in("empty.json")}, []string{"the plan is empty"}},
		{"an empty pipe", env, []string{"--stack", "s", "-"}, []string{"standard input is empty"}},
		{"the binary plan", env, []string{"--stack", "s", in("tfplan")}, []string{"400 Bad Request", "terraform show -json"}},
		{"a web page", env, []string{"--stack", "s", in("page.html")}, []string{"400 Bad Request"}},
		{"half a plan", env, []string{"--stack", "s", in("half.json")}, []string{"400 Bad Request"}},
		{"a bad stack name", env, []string{"--stack", "not a name", in("plan.json")}, []string{"400 Bad Request", "stack must be"}},
		{"a wrong key", append(env[:1:1], "DRIFTSENTRY_API_KEY="+someKey()), []string{"--stack", "s", in("plan.json")}, []string{"401 Unauthorized", "check DRIFTSENTRY_API_KEY"}},
		{"no key", env[:1], []string{"--stack", "s", in("plan.json")}, []string{"401 Unauthorized", "set DRIFTSENTRY_API_KEY"}},
		{"a key that no header holds", append(env[:1:1], "DRIFTSENTRY_API_KEY=plan\nted"), []string{"--stack", "s", in("plan.json")}, []string{"DRIFTSENTRY_API_KEY has a character"}},
		{"a bad stack name, before Terraform", env, []string{"--stack", "not a name", "--dir", dir, "--terraform", "/nowhere"}, []string{"--stack: ", "stack must be"}},
		{"a wrong key, before Terraform", append(env[:1:1], "DRIFTSENTRY_API_KEY="+someKey()), []string{"--stack", "s", "--dir", dir, "--terraform", "/bin/true"}, []string{"401 Unauthorized", "check DRIFTSENTRY_API_KEY"}},
		{"an address that goes too far", append([]string{env[0] + "/api/v1"}, env[1]), []string{"--stack", "s", "--dir", dir, "--terraform", "/bin/true"}, []string{"leave /api/v1 away"}},
		{"no such folder", env, []string{"--stack", "s", "--dir", in("nowhere")}, []string{"--dir", "no such file"}},
		{"no Terraform", append(env[:2:2], "PATH="+dir), []string{"--stack", "s", "--dir", dir}, []string{"neither terraform nor tofu is on the PATH"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := command(t, tt.env, append([]string{"scan"}, tt.args...)...)
			if code != exitFailure || out != "" {
				t.Errorf("scan %v = %d, want 1 and nothing on stdout\n%s", tt.args, code, out)
			}
			for _, want := range tt.want {
				if !strings.Contains(errs, want) {
					t.Errorf("scan %v says %q, want %q in it", tt.args, errs, want)
				}
			}
			if strings.Contains(errs, "plan\nted") || strings.Contains(errs, strings.TrimPrefix(env[1], "DRIFTSENTRY_API_KEY=")) {
				t.Errorf("scan %v gives the key away: %s", tt.args, errs)
			}
		})
	}
}

// TestScanWhenTerraformFails: its error is shown as it printed it, and kept on
// the server only when that was asked for.
func TestScanWhenTerraformFails(t *testing.T) {
	t.Parallel()
	tools := tftest.Tools(t)
	for i := range tools {
		tools[i].Break(t)
	}
	breaks := tftest.StandIn(t, tftest.ShowBreaks)
	breaks.Name = "show breaks"
	for _, tool := range append(tools, breaks) {
		t.Run(tool.Name, func(t *testing.T) {
			t.Parallel()
			h := serve(t)
			env := h.scanEnv(tool.Env...)
			args := []string{"scan", "--stack", "prod/broken", "--dir", tool.Dir, "--config-changes"}
			printed := regexp.MustCompile(`(?m)Error: (Reference to undeclared input variable|Failed to load plugin schemas)`)
			code, out, errs := command(t, env, args...)
			if code != exitFailure || out != "" || !printed.MatchString(errs) || !strings.Contains(errs, "correlation id") || strings.Contains(errs, "Refreshing") {
				t.Errorf("scan = %d\n%s%s", code, out, errs)
			}
			if scans := get[listOf[json.RawMessage]](h, "/api/v1/scans"); len(scans.Items) != 0 {
				t.Errorf("the server has %s, want nothing", scans.Items)
			}
			code, _, errs = command(t, env, append(args, "--report-errors")...)
			scans := get[listOf[struct{ Stack, Status, Message string }]](h, "/api/v1/scans").Items
			if code != exitFailure || !strings.Contains(errs, "recorded as scan") || len(scans) != 1 || scans[0].Status != "errored" || !printed.MatchString(scans[0].Message) {
				t.Errorf("scan --report-errors = %d, kept %+v\n%s", code, scans, errs)
			}
		})
	}
}
