package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/driftsentry/driftsentry/internal/client"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/report"
)

// output is one way in which a scan is told of.
type output struct {
	format report.Format
	file   string // empty is standard output
}

// parseOutputs reads FORMAT and FORMAT=FILE. Standard output takes one; it is
// the table when none is named.
func parseOutputs(texts []string) ([]output, error) {
	var outputs []output
	onStdout := 0
	for _, text := range texts {
		format, file, toFile := strings.Cut(text, "=")
		o := output{report.Format(format), file}
		switch {
		case !slices.Contains(report.Formats(), o.format):
			return nil, fmt.Errorf("--output %q is none of %s", format, joined(report.Formats()))
		case toFile && file == "":
			return nil, fmt.Errorf("--output %s names no file", text)
		case !toFile:
			onStdout++
		default:
			// Found out before Terraform runs for a quarter of an hour.
			if info, err := os.Stat(filepath.Dir(file)); err != nil || !info.IsDir() {
				return nil, fmt.Errorf("--output %s: there is no folder %s", text, filepath.Dir(file))
			}
		}
		outputs = append(outputs, o)
	}
	if onStdout > 1 {
		return nil, errors.New("--output: only one goes to standard output; give the others a file, as in sarif=drift.sarif")
	}
	if onStdout == 0 {
		outputs = append(outputs, output{format: report.FormatTable})
	}
	return outputs, nil
}

func joined[T ~string](words []T) string {
	var b strings.Builder
	for i, word := range words {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(word))
	}
	return b.String()
}

// tell writes every output. Its error is errDrift when open drift counts.
func (s *scanning) tell(ctx context.Context, answer *client.Answer) error {
	ids := correlation.From(ctx)
	r := &report.Report{
		Answer: answer, Policy: s.policy, Correlation: ids.Correlation, Trace: ids.Trace, Pipeline: s.facts,
		Dir: s.moduleDir(), Version: readBuild().Version, At: time.Now(),
	}
	if r.Trace == "" && !r.Repeated { // nothing is traced here
		r.Trace = answer.TraceID
	}
	var errs []error
	for _, o := range s.outputs {
		if err := s.write(r, o); err != nil {
			errs = append(errs, fmt.Errorf("write the %s: %w", o.format, err))
		}
		if o.file == "" && o.format != report.FormatTable {
			s.say("driftsentry: correlation id %s%s%s\n", r.Correlation, prefixed(", trace id ", r.Trace), prefixed(", ", r.URL))
		}
	}
	switch {
	case len(errs) > 0:
		return errors.Join(errs...)
	case answer.Status == drift.Errored:
		return errors.New("the plan has errors: whether there is more drift is not known")
	case r.Failing() > 0:
		return errDrift
	}
	return nil
}

func (s *scanning) write(r *report.Report, o output) error {
	if o.file == "" {
		return r.Write(s.stdout, o.format, s.screen(s.stdout).Screen)
	}
	mode := os.O_TRUNC
	if o.format == report.FormatMarkdown && o.file == variable(s.env, "GITHUB_STEP_SUMMARY") {
		mode = os.O_APPEND // what an earlier command of the step wrote is in it as well
	}
	file, err := os.OpenFile(o.file, os.O_WRONLY|os.O_CREATE|mode, 0o666) //nolint:gosec // G302: no secrets; others read it, as the umask lets them
	if err != nil {
		return err
	}
	return errors.Join(r.Write(file, o.format, report.Screen{}), file.Close())
}

// screen is what w shows its text on.
type screen struct {
	report.Screen
	terminal bool
}

// screen finds out about w. Colours are for a terminal that has them, and whose
// owner does not mind: https://no-color.org.
func (s *scanning) screen(w io.Writer) screen {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return screen{}
	}
	found := screen{terminal: true}
	found.Color = variable(s.env, "NO_COLOR") == "" && variable(s.env, "TERM") != "dumb"
	if width, _, err := term.GetSize(int(file.Fd())); err == nil {
		found.Width = width
	}
	return found
}

// moduleDir is where the module is in its repository, with slashes; empty if nobody
// knows. The repository is what the CI system says it is, else what git does.
func (s *scanning) moduleDir() string {
	if s.dir == "" {
		return ""
	}
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return ""
	}
	for _, root := range []string{variable(s.env, "GITHUB_WORKSPACE"), gitRoot(dir)} {
		if root == "" {
			continue
		}
		if inside, err := filepath.Rel(root, dir); err == nil && filepath.IsLocal(inside) {
			return filepath.ToSlash(inside)
		}
	}
	if filepath.IsLocal(s.dir) && filepath.Clean(s.dir) != "." {
		return filepath.ToSlash(filepath.Clean(s.dir))
	}
	return ""
}

// gitRoot is the folder round dir that git keeps; empty if none is.
func gitRoot(dir string) string {
	for {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil { // a worktree has a file there
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}
