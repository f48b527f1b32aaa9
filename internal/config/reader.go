package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/driftsentry/driftsentry/internal/secret"
)

// Setting is one variable as it was understood.
type Setting struct {
	Name   string
	Value  string // "***" stands for a secret that is set
	Source Source
}

// Source is where a setting came from.
type Source string

// The sources.
const (
	SourceDefault     Source = "default"
	SourceEnvironment Source = "environment"
	SourceFile        Source = "file"
)

const mask = "***"

// reader walks through the variables once, remembering what it asked for, what
// it found and what was wrong, so that the caller reads like a list.
type reader struct {
	environ  map[string]string
	asked    []string
	settings []Setting
	secrets  []secret.String
	problems []Problem
}

func newReader(environ []string) *reader {
	r := &reader{environ: make(map[string]string, len(environ))}
	for _, entry := range environ {
		// The last of several wins, as it does for exec.Cmd.Env.
		if name, value, ok := strings.Cut(entry, "="); ok {
			r.environ[name] = value
		}
	}
	return r
}

// lookup is the only place that reads a variable: what it was asked for is what
// .env.example must list.
func (r *reader) lookup(name string) string {
	r.asked = append(r.asked, name)
	return r.environ[name]
}

func (r *reader) record(name, value string, source Source) {
	r.settings = append(r.settings, Setting{Name: name, Value: value, Source: source})
}

func (r *reader) problem(variable, wrong, expected string) {
	r.problems = append(r.problems, Problem{Variable: variable, Wrong: wrong, Expected: expected})
}

// wrong reports whether there already is a problem with a variable.
func (r *reader) wrong(variable string) bool {
	return slices.ContainsFunc(r.problems, func(p Problem) bool { return p.Variable == variable })
}

func (r *reader) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	return &Error{Problems: r.problems}
}

// kind is a kind of value: what it looks like, for people and for code. Its
// parse is never given an empty text; its error completes "PORT …" and must not
// repeat the text if that can be a secret.
type kind[T any] struct {
	expected string
	parse    func(text string) (T, error)
}

// read reads a variable whose default is written the way a user would write it,
// and goes through the same check. Without a value and a default it is zero.
func read[T any](r *reader, name, fallback string, k kind[T]) T {
	text, source := strings.TrimSpace(r.lookup(name)), SourceEnvironment
	if text == "" {
		text, source = fallback, SourceDefault
	}
	r.record(name, text, source)
	return parsed(r, name, text, k)
}

// readFile is read for a variable that may also be given as name_FILE.
func readFile[T any](r *reader, name, fallback string, k kind[T]) T {
	text, source := r.valueOrFile(name)
	text = strings.TrimSpace(text)
	if text == "" {
		text, source = fallback, SourceDefault
	}
	r.record(name, text, source)
	return parsed(r, name, text, k)
}

func parsed[T any](r *reader, name, text string, k kind[T]) T {
	if text == "" {
		return *new(T)
	}
	value, err := k.parse(text)
	if err != nil {
		r.problem(name, err.Error(), k.expected)
	}
	return value
}

// secret reads a secret from name or name_FILE. Empty is a value here: whether
// that will do is for the caller to say.
func (r *reader) secret(name string, k kind[string]) secret.String {
	text, source := r.valueOrFile(name)
	r.record(name, pick(text == "", "", mask), source)
	value := secret.New(parsed(r, name, text, k))
	r.secrets = append(r.secrets, value)
	return value
}

// valueOrFile returns the value of name, or of the file that name_FILE names.
func (r *reader) valueOrFile(name string) (string, Source) {
	file := name + "_FILE"
	value, path := r.lookup(name), r.lookup(file)
	switch {
	case value != "" && path != "":
		r.problem(file, "is set beside "+name, "one of the two")
		return value, SourceEnvironment
	case path != "":
		content, err := readSmallFile(path)
		if err != nil {
			r.problem(file, err.Error(), "a readable file that holds the value of "+name)
		}
		return content, SourceFile
	case value != "":
		return value, SourceEnvironment
	}
	return "", SourceDefault
}

// maxFileBytes is far above any secret and far below what a mistaken path (a
// log, a device) could feed us.
const maxFileBytes = 64 << 10

// readSmallFile returns a file's text without the line break editors put at its
// end. The error completes "NAME_FILE …".
func readSmallFile(path string) (string, error) {
	file, err := os.Open(path) //nolint:gosec // G304: naming the file is what the variable is for.
	if err != nil {
		return "", fmt.Errorf("cannot be read (%w)", err)
	}
	content, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err = errors.Join(err, file.Close()); err != nil {
		return "", fmt.Errorf("cannot be read (%w)", err)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	switch {
	case len(content) > maxFileBytes:
		return "", fmt.Errorf("names %s, which is larger than %d bytes", path, maxFileBytes)
	case text == "":
		return "", fmt.Errorf("names %s, which is empty", path)
	}
	return text, nil
}
