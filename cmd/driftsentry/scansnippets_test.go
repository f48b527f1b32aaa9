//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/terraformcli/tftest"
)

// TestSnippetsForPipelines runs the shell parts of what deploy/ci tells people to
// copy: their flags exist, their quoting holds, their files appear.
func TestSnippetsForPipelines(t *testing.T) {
	t.Parallel()
	h := serve(t)
	for _, tt := range []struct {
		file string
		env  []string
		made []string // below the workspace
		says string   // in the first of them
		ci   string
	}{
		{"github-actions.yml", []string{"GITHUB_ACTIONS=true"}, []string{"summary.md", "drift.sarif"}, "### `prod/files`", "github_actions"},
		{"gitlab-ci.yml", []string{"GITLAB_CI=true"}, []string{"drift.xml"}, `tests="1" failures="1"`, "gitlab"},
		{"Jenkinsfile", []string{"JENKINS_URL=http://jenkins"}, []string{"drift-prod-files.xml"}, `tests="1" failures="1"`, "jenkins"},
	} {
		content, err := os.ReadFile(filepath.Join("..", "..", "deploy", "ci", tt.file))
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(`dsk_|DRIFTSENTRY_API_KEY=`).Match(content) {
			t.Errorf("%s shows a key, or puts one on a command line", tt.file)
		}
		scripts := shellParts(string(content))
		if len(scripts) != 1 {
			t.Fatalf("%s runs driftsentry %d times: %q", tt.file, len(scripts), scripts)
		}
		tool := tftest.StandIn(t, "")
		tool.Drift(t)
		workspace := t.TempDir()
		link(t, tool.Dir, filepath.Join(workspace, "infra", "prod", "files"))
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		link(t, self, filepath.Join(workspace, "bin", "driftsentry"))
		cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", scripts[0])
		cmd.Dir = workspace
		cmd.Env = slices.Concat(h.scanEnv(tool.Env...), tt.env, []string{
			asProgram + "=yes", "STACK=prod/files", "GITHUB_STEP_SUMMARY=" + filepath.Join(workspace, "summary.md"),
		})
		for i, entry := range cmd.Env {
			if path, ok := strings.CutPrefix(entry, "PATH="); ok {
				cmd.Env[i] = "PATH=" + filepath.Join(workspace, "bin") + ":" + path
			}
		}
		if code, out, errs := runScan(t, cmd); code != exitDrift || !strings.Contains(out, "local_file.motd") || errs != "" {
			t.Errorf("%s: %s\n= %d\n%s%s", tt.file, scripts[0], code, out, errs)
		}
		for i, name := range tt.made {
			made, err := os.ReadFile(filepath.Join(workspace, name))
			if err != nil || i == 0 && !strings.Contains(string(made), tt.says) {
				t.Errorf("%s made %s: %.300s, %v", tt.file, name, made, err)
			}
		}
		scans := get[listOf[struct{ CI map[string]string }]](h, "/api/v1/scans").Items
		if len(scans) == 0 || scans[0].CI["cicd.system.name"] != tt.ci {
			t.Errorf("%s is kept as %+v, want one of %s", tt.file, scans, tt.ci)
		}
	}
}

// shellParts are the commands in a snippet that run driftsentry, each with the
// lines that continue it.
func shellParts(text string) []string {
	var parts []string
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		if !strings.Contains(line, "driftsentry scan") || strings.HasPrefix(line, "#") {
			continue
		}
		part := strings.TrimPrefix(line, "- ")
		for i+1 < len(lines) && strings.HasPrefix(strings.TrimSpace(lines[i+1]), "--") {
			i++
			part = strings.TrimSuffix(strings.TrimSpace(part), `\`) + " " + strings.TrimSpace(lines[i])
		}
		parts = append(parts, part)
	}
	return parts
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}
