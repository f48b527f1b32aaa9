// Package tftest gives tests a Terraform: the real one where it is found, and
// everywhere a stand-in that plays back what the real one said.
//
// The stand-in is the test binary itself, so it needs nothing installed, and can
// do on demand what the real one does only when something breaks.
package tftest

import (
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// recordings are outputs of terraform show -json for the module that Tools
// makes, with and without the file that Drift removes.
//
//go:embed testdata/*.json
var recordings embed.FS

// Tool is a Terraform and a module that was applied with it.
type Tool struct {
	Name   string // "stand-in", "terraform"
	Binary string
	// Env is what the program needs in its environment, complete.
	Env []string
	Dir string
}

// The module's files, below its directory.
const (
	removed = "out/motd"
	kept    = "out/edge.service"
)

const module = `terraform {
  required_providers {
    local = { source = "hashicorp/local" }
  }
}

variable "greeting" {
  type    = string
  default = "welcome"
}

resource "local_file" "motd" {
  filename = "${path.module}/` + removed + `"
  content  = "${var.greeting}\n"
}

resource "local_file" "unit" {
  filename = "${path.module}/` + kept + `"
  content  = "MemoryMax=512M\n"
}
`

// Tools are the stand-in and, where it is found, the real Terraform, each with a
// module of its own that has been applied and has not drifted. A machine without
// Terraform tests with the stand-in alone, and says so.
func Tools(t *testing.T) []Tool {
	t.Helper()
	tools := []Tool{StandIn(t, "")}
	binary, err := exec.LookPath("terraform")
	if err != nil {
		t.Log("no terraform on the PATH: tested with recordings of it alone")
		return tools
	}
	return append(tools, realTool(t, binary))
}

// realTool applies the module with the real Terraform.
func realTool(t *testing.T, binary string) Tool {
	t.Helper()
	tool := Tool{Name: "terraform", Binary: binary, Dir: newModule(t)}
	settings := filepath.Join(t.TempDir(), "terraformrc")
	write(t, settings, fmt.Sprintf("disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror(t)))
	tool.Env = []string{
		"PATH=" + filepath.Dir(binary) + string(os.PathListSeparator) + variable("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + os.TempDir(), "TF_CLI_CONFIG_FILE=" + settings, "CHECKPOINT_DISABLE=1",
	}
	for _, args := range [][]string{{"init", "-input=false", "-no-color"}, {"apply", "-auto-approve", "-input=false", "-no-color"}} {
		tool.run(t, args...)
	}
	return tool
}

func (tool Tool) run(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool.Binary, args...) //nolint:gosec // G204: the Terraform to test with
	cmd.Dir, cmd.Env = tool.Dir, tool.Env
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("terraform %s: %v\n%s", args[0], err, output)
	}
}

// Drift changes reality behind Terraform's back: a file is gone.
func (tool Tool) Drift(t *testing.T) {
	t.Helper()
	if err := os.Remove(filepath.Join(tool.Dir, removed)); err != nil {
		t.Fatal(err)
	}
}

// Break writes a mistake into the module.
func (tool Tool) Break(t *testing.T) {
	t.Helper()
	write(t, filepath.Join(tool.Dir, "broken.tf"), "resource \"local_file\" \"broken\" {\n  filename = var.nowhere\n}\n")
}

func newModule(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "main.tf"), module)
	return dir
}

// The provider, as a Go module: it is 2.9.0 of hashicorp/local.
const (
	providerModule  = "github.com/terraform-providers/terraform-provider-local@v1.4.1-0.20260513075820-3561e410f9fe"
	providerVersion = "2.9.0"
)

// mirror is a folder with the provider in it, built when it is missing. It stays
// in the user's cache: building takes a minute.
func mirror(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	root := filepath.Join(cache, "driftsentry", "terraform-mirror")
	dir := filepath.Join(root, "registry.terraform.io", "hashicorp", "local", providerVersion, runtime.GOOS+"_"+runtime.GOARCH)
	binary := filepath.Join(dir, "terraform-provider-local_v"+providerVersion)
	if _, err := os.Stat(binary); err == nil {
		return root
	}
	build := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "install", "-trimpath", providerModule)
	cmd.Dir = build
	cmd.Env = append(os.Environ(), "GOBIN="+build, "GOFLAGS=", "CGO_ENABLED=0") //nolint:forbidigo // what the go command needs of it is its business
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the provider of the tests: %v\n%s", err, output)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	// Under another name first: tests of two packages may do this at once.
	content, err := os.ReadFile(filepath.Join(build, "terraform-provider-local")) //nolint:gosec // G304: just built
	if err != nil {
		t.Fatal(err)
	}
	half, err := os.CreateTemp(root, "provider-*")
	if err != nil {
		t.Fatal(err)
	}
	_, err = half.Write(content)
	for _, step := range []func() error{
		func() error { return err }, func() error { return half.Chmod(0o755) }, half.Close,
		func() error { return os.Rename(half.Name(), binary) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func variable(name string) string {
	return os.Getenv(name) //nolint:forbidigo // of the process that tests, or of the stand-in
}

// said is a recording.
func said(name string) string {
	content, err := recordings.ReadFile("testdata/" + name + ".json")
	if err != nil {
		panic(err) // embedded under this name, or the tests are broken
	}
	return strings.TrimRight(string(content), "\n") + "\n"
}
