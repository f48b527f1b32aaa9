package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/driftsentry/driftsentry/internal/client"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/terraformcli"
)

// plan is where the plan comes from. release frees what it holds, and may be
// called beside an error.
func (s *scanning) plan(ctx context.Context) (source client.Source, release func(), err error) {
	release = func() {}
	switch s.file {
	case "":
		return s.runTerraform(ctx)
	case "-":
		if file, ok := s.stdin.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
			return nil, release, errors.New("standard input is a terminal: pipe the output of `terraform show -json` into it")
		}
		source, kept, err := client.Spooled(interruptible(ctx, s.stdin))
		if err != nil {
			return nil, release, err
		}
		return source, func() { _ = kept.Close() }, nil // nothing of it outlives the process
	default:
		source := client.File(s.file)
		file, err := source(ctx) // a wrong name shows before anybody is asked
		if err != nil {
			return nil, release, err
		}
		return source, release, file.Close()
	}
}

// interruptible is r, whose reads end with ctx: a pipe that nobody writes to
// would hold a Ctrl-C up for ever. The goroutine of a read that never ends dies
// with the process.
func interruptible(ctx context.Context, r io.Reader) io.Reader {
	out, in := io.Pipe()
	go func() {
		_, err := io.Copy(in, r)
		in.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { in.CloseWithError(context.Cause(ctx)) })
	return out
}

// runTerraform makes the plan in s.dir.
func (s *scanning) runTerraform(ctx context.Context) (source client.Source, release func(), err error) {
	release = func() {}
	if info, err := os.Stat(s.dir); err != nil {
		return nil, release, fmt.Errorf("--dir: %w", err)
	} else if !info.IsDir() {
		return nil, release, fmt.Errorf("--dir: %s is no folder", s.dir)
	}
	binary, err := terraformcli.Find(s.terraform, variable(s.env, "PATH"))
	if err != nil {
		return nil, release, &terraformError{err}
	}
	if err := s.ask(ctx); err != nil {
		return nil, release, err
	}
	// Not in the module's folder: a plan holds secrets, and folders get archived.
	// The name is short because of the sockets in it.
	if s.temp, err = os.MkdirTemp("", "drift-*"); err != nil {
		return nil, release, fmt.Errorf("a folder for the plan: %w", err)
	}
	if s.guard, err = terraformcli.StartGuard(s.temp); err != nil { // most scans are not killed
		s.say("driftsentry: %v\n", err)
	}
	release = func() {
		if err := os.RemoveAll(s.temp); err != nil {
			s.say("driftsentry: the plan, which may hold secrets, could not be removed: %v\n", err)
		}
		s.guard.Close()
	}
	file := filepath.Join(s.temp, "tfplan")
	name := filepath.Base(binary)
	if s.init {
		if err := s.step(ctx, binary, name+" init", (*terraformcli.Runner).Init); err != nil {
			return nil, release, err
		}
	}
	err = s.step(ctx, binary, name+" plan", func(r *terraformcli.Runner, ctx context.Context) error {
		return r.Plan(ctx, terraformcli.Plan{ConfigChanges: s.configChanges, Args: s.planArgs}, file)
	})
	if err != nil {
		return nil, release, err
	}
	return func(ctx context.Context) (io.ReadCloser, error) {
		ctx, end := s.trace.Phase(ctx, name+" show")
		plan, err := s.runner(ctx, binary).Show(ctx, file)
		if err != nil {
			end(err)
			return nil, &terraformError{err}
		}
		return &tracedPlan{plan, end}, nil
	}, release, nil
}

// terraformError is a failure that is Terraform's.
type terraformError struct{ error }

func (e *terraformError) Unwrap() error { return e.error }

// tracedPlan ends its span when it is closed.
type tracedPlan struct {
	io.ReadCloser
	end func(error)
}

func (t *tracedPlan) Close() error {
	err := t.ReadCloser.Close()
	t.end(err)
	if err != nil {
		return &terraformError{err}
	}
	return nil
}

// step runs one command of Terraform under a span of its own.
func (s *scanning) step(ctx context.Context, binary, name string, do func(*terraformcli.Runner, context.Context) error) error {
	ctx, end := s.trace.Phase(ctx, name)
	err := do(s.runner(ctx, binary), ctx)
	end(err)
	if err != nil {
		return &terraformError{err}
	}
	return nil
}

// maxSocketFolder leaves room for the name of a plugin's socket, in bytes.
const maxSocketFolder = 100 - len("/plugin1234567890")

// runner runs Terraform in the trace of ctx.
func (s *scanning) runner(ctx context.Context, binary string) *terraformcli.Runner {
	var env []string
	for _, entry := range s.trace.Environment(ctx, s.env) {
		// Our key is none of its business, nor that of what it runs.
		if !strings.HasPrefix(entry, "DRIFTSENTRY_API_KEY") {
			env = append(env, entry)
		}
	}
	// A plugin that is killed leaves its socket behind. The path of one may not be
	// longer than about a hundred bytes.
	if len(s.temp) <= maxSocketFolder {
		env = append(env, "TMPDIR="+s.temp) // the last of several wins
	}
	r := &terraformcli.Runner{Binary: binary, Dir: s.dir, Env: env, Kill: s.kill, Guard: s.guard}
	if screen := s.screen(s.stderr); screen.terminal {
		r.Progress, r.Color = s.stderr, screen.Color
	}
	return r
}

// failed shows what went wrong as whoever failed has put it, and records it when
// asked to.
func (s *scanning) failed(ctx context.Context, scan client.Scan, err error) error {
	if ctx.Err() != nil { // somebody stopped us: that says nothing about the stack
		return context.Cause(ctx)
	}
	if _, ours := errors.AsType[*terraformError](err); !ours {
		return err
	}
	message := err.Error()
	if failure, ok := errors.AsType[*terraformcli.Error](err); ok && failure.Output != "" {
		message = failure.Output
		if !failure.Shown {
			s.say("%s\n", failure.Output)
		}
	}
	if !s.reportErrors {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, min(s.timeout, time.Minute))
	defer cancel()
	answer, reportErr := s.client.ReportError(ctx, scan, cmp.Or(s.errorMessage(message), err.Error()))
	if reportErr != nil {
		return errors.Join(err, fmt.Errorf("record that on the server: %w", reportErr))
	}
	s.say("driftsentry: recorded as scan %s, correlation id %s\n", answer.ID, correlation.From(ctx).Correlation)
	return err
}

// variable is the value of a variable of env, the last of several.
func variable(env []string, name string) string {
	value := ""
	for _, entry := range env {
		if n, v, ok := strings.Cut(entry, "="); ok && n == name {
			value = v
		}
	}
	return value
}
