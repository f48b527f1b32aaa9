package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/terraformcli/tftest"
)

func TestErrorsIn(t *testing.T) {
	t.Parallel()
	const failure = "Error: no credentials\n\n  on main.tf line 2:\n   2: provider \"aws\" {}"
	tests := []struct{ name, said, want string }{
		{"nothing else", "\n" + failure + "\n", failure},
		{"no error", "Killed\n", "Killed"},
		{"a log before it", "2026-01-02T03:04:05.678Z [DEBUG] loading\n2026-01-02T03:04:05.678+0100 [INFO]  provider: \"Error: not this\"\n    body of a request\n" + failure, failure},
		{"a log in and after it", strings.Replace(failure, "\n\n", "\n2026/01/02 03:04:05 [TRACE] x\n\n", 1) + "\n2026-01-02T03:04:05.678Z [DEBUG] provider: plugin exited\n", failure},
		{"a log in JSON", `{"@level":"debug","@message":"loading"}` + "\n" + failure, failure},
		{"in a frame, with colours", "\x1b[31m╷\x1b[0m\n\x1b[31m│\x1b[0m \x1b[1mError: \x1b[0mno credentials\n╵\n", "│ Error: no credentials\n╵"},
		{"several", failure + "\n\n" + failure, failure + "\n\n" + failure},
		{"a log alone", "2026-01-02T03:04:05.678Z [DEBUG] loading", ""},
	}
	for _, tt := range tests {
		if got := errorsIn(tt.said); got != tt.want {
			t.Errorf("errorsIn(%s) = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestSecretsThatTerraformWasGiven(t *testing.T) {
	t.Parallel()
	dir, elsewhere := t.TempDir(), t.TempDir()
	for path, content := range map[string]string{
		filepath.Join(dir, "prod.tfvars"):           "region = \"eu-west-1\"\ndb_password = \"in-file\\\"1\"\ntokens = [\n  \"in-list-1\",\n  \"in-list-2\",\n]\n",
		filepath.Join(dir, "a.auto.tfvars"):         "private_key = <<-EOT\n  ----BEGIN\n  in-heredoc\n  EOT\nname = \"visible-1\"\n",
		filepath.Join(dir, "terraform.tfvars.json"): `{"nested": {"secret": "in-json-1", "name": "visible-2"}}`,
		filepath.Join(elsewhere, "x.tfvars"):        `api_token="in-other-1"`,
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := &scanning{
		process: process{env: []string{
			"HOME=/home/visible", "AWS_SECRET_ACCESS_KEY=in-env-1", "TF_VAR_admin_password=in-tfvar-1", "TF_VAR_region=visible-3",
			`TF_VAR_db={"user":"visible-4","password":"in-object-1"}`, `TF_VAR_passwords=["in-env-list"]`, "PIN=12345",
			`TF_CLI_ARGS_plan=-var "pw=in-args-1" -lock=true`, "TF_CLI_ARGS=-var-file=" + filepath.Join(elsewhere, "x.tfvars"),
		}},
		scanOptions: scanOptions{dir: dir, planArgs: []string{"-var=pw=in=flag=1", "--var=size=visible-5", "-var-file=prod.tfvars", "-var-file=missing.tfvars"}},
	}
	got := s.secrets()
	for _, want := range []string{
		`in-file"1`, "in-list-1", "in-list-2", "in-heredoc", "in-json-1", "in-other-1", "in-env-1", "in-tfvar-1", "in-object-1", "in-env-list", "in-args-1", "in=flag=1",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("secrets() = %q, want %q among them", got, want)
		}
	}
	if i := slices.IndexFunc(got, func(s string) bool { return strings.Contains(s, "visible") || len(s) < shortestSecret }); i >= 0 {
		t.Errorf("secrets() has %q, which is none", got[i])
	}
	if got := hide("a long-secret, long-secret-er and its end", []string{"long-secret", "long-secret-er"}); got != "a ***, *** and its end" {
		t.Errorf("hide() = %q", got)
	}
}

// TestReportedErrorsHoldNoLogAndNoSecret, even when Terraform itself prints both.
func TestReportedErrorsHoldNoLogAndNoSecret(t *testing.T) {
	t.Parallel()
	for _, tool := range tftest.Tools(t)[1:] { // only the real one has a log
		h := serve(t)
		broken := "variable \"pw\" {\n  type = string\n  validation {\n    condition     = length(var.pw) > 99\n    error_message = \"it is ${var.pw}, too short\"\n  }\n}\n"
		if err := os.WriteFile(filepath.Join(tool.Dir, "broken.tf"), []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, errs := command(t, h.scanEnv(append(tool.Env, "TF_LOG=trace")...),
			"scan", "--stack", "prod/broken", "--dir", tool.Dir, "--config-changes", "--report-errors", "--", "-var=pw=hunter22hunter")
		scans := get[listOf[struct{ Status, Message string }]](h, "/api/v1/scans").Items
		if code != exitFailure || len(scans) != 1 || !strings.Contains(errs, "hunter22hunter") || !strings.Contains(errs, "[TRACE]") {
			t.Fatalf("scan = %d, kept %+v\n%.2000s", code, scans, errs)
		}
		if m := scans[0].Message; !strings.HasPrefix(m, "Error: Invalid value for variable") || !strings.Contains(m, "it is ***, too") ||
			strings.Contains(m, "hunter22") || strings.Contains(m, "[TRACE]") {
			t.Errorf("the server keeps %q, want the error alone and without the password", m)
		}
	}
}
