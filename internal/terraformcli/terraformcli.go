// Package terraformcli runs Terraform or OpenTofu to find out what has drifted:
// a plan that changes nothing, and that plan as JSON.
//
// It never applies, never locks and never asks a question. It prints nothing
// itself: what the program says goes where the caller says.
package terraformcli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Runner runs one program in one directory.
type Runner struct {
	// Binary is the program as the shell would find it; see Find.
	Binary string
	// Dir is the root module's directory.
	Dir string
	// Env is the program's whole environment.
	Env []string
	// Progress sees what init and plan print, as they print it; nil if nobody
	// watches.
	Progress io.Writer
	// Color leaves the program its colours.
	Color bool
	// Grace is how long the program may take to stop in order once it was asked
	// to; 20 s if zero.
	Grace time.Duration
	// Guard ends the program and its plugins should this process be killed.
	Guard *Guard
	// Kill ends the program at once when it is closed; nil never is.
	Kill <-chan struct{}
}

// Plan is what to plan.
type Plan struct {
	// ConfigChanges makes a normal plan, which tells what the code asks for beside
	// what has drifted.
	ConfigChanges bool
	// Args are further arguments for plan, such as -var-file=prod.tfvars.
	Args []string
}

// Error says that the program ended badly. What it said about that is in Output.
type Error struct {
	Command string // such as "terraform plan"
	// Output is what it printed on stderr, as it printed it; the end of it if it
	// was long.
	Output string
	// Shown says that Progress has seen it already.
	Shown bool
	Err   error
}

func (e *Error) Error() string { return e.Command + ": " + e.Err.Error() }

// Unwrap returns how the program ended.
func (e *Error) Unwrap() error { return e.Err }

// Find looks for the program: name if it is not empty, else terraform, else
// tofu. path is the value of PATH.
func Find(name, path string) (string, error) {
	names := []string{"terraform", "tofu"}
	if name != "" {
		names = []string{name}
	}
	for _, name := range names {
		if strings.ContainsRune(name, os.PathSeparator) {
			if found, err := exec.LookPath(name); err == nil {
				return filepath.Abs(found)
			}
			continue
		}
		for _, dir := range filepath.SplitList(path) {
			// A relative entry would run whatever lies in the current directory.
			if !filepath.IsAbs(dir) {
				continue
			}
			if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return found, nil
			}
		}
	}
	if name != "" {
		return "", fmt.Errorf("there is no program %s", name)
	}
	return "", errors.New("neither terraform nor tofu is on the PATH: install one, name it with --terraform, or upload a plan made elsewhere")
}

// Init prepares the directory.
func (r *Runner) Init(ctx context.Context) error {
	return r.run(ctx, "init", "-input=false")
}

// Plan writes a plan file. Nothing is locked: a plan that is thrown away must not
// keep anybody from applying, nor wait for them.
func (r *Runner) Plan(ctx context.Context, p Plan, file string) error {
	if err := refuse(p.Args); err != nil {
		return err
	}
	var args []string
	if !p.ConfigChanges {
		args = append(args, "-refresh-only")
	}
	args = append(args, p.Args...)
	// What follows wins over the same flags in Args and in TF_CLI_ARGS. A plan that
	// was not refreshed looks clean and isn't.
	args = append(args, "-input=false", "-lock=false", "-refresh=true", "-detailed-exitcode=false", "-out="+file)
	return r.run(ctx, "plan", args...)
}

// refuse names the flags that would make another plan than the one asked for.
func refuse(args []string) error {
	for _, arg := range args {
		name, value, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		switch {
		case !strings.HasPrefix(arg, "-"):
			return fmt.Errorf("%q is no flag of plan; write -name=value", arg)
		case name == "refresh" && value == "false":
			return errors.New("-refresh=false would make a plan that looks clean and isn't")
		case slices.Contains([]string{"destroy", "out", "json", "refresh-only"}, name):
			return fmt.Errorf("%s is not for a scan: it decides itself how to plan", arg)
		}
	}
	return nil
}

// Show is the plan in file as JSON, streamed as the program writes it. Closing
// it ends the program; the error of Close tells whether what was read is all.
func (r *Runner) Show(ctx context.Context, file string) (io.ReadCloser, error) {
	return r.stream(ctx, "show", "-json", file)
}

// command is how the program is named to people.
func (r *Runner) command(verb string) string { return filepath.Base(r.Binary) + " " + verb }
