package main

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/driftsentry/driftsentry/internal/redact"
)

// errorMessage is what the server is told of Terraform's failure: the errors and
// not the log before them, without colours, and without the secrets that Terraform
// was given.
func (s *scanning) errorMessage(said string) string {
	return hide(errorsIn(said), s.secrets())
}

var (
	// ansi are the sequences by which a terminal is coloured and steered.
	ansi = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)
	// logLine is a line of TF_LOG, as text or as JSON.
	logLine = regexp.MustCompile(`^(\d{4}[-/]\d\d[-/]\d\d[T ]\S+ (\S+ )?\[[A-Z]+\]|\{"@level":)`)
	// errorLine is the first line of an error, in a frame or without.
	errorLine = regexp.MustCompile(`^[│|\s]*Error: `)
)

// errorsIn is what Terraform printed from its first error on, without its log;
// all of it if no line says that it is an error.
func errorsIn(said string) string {
	var lines []string
	first := -1
	for line := range strings.SplitSeq(ansi.ReplaceAllString(said, ""), "\n") {
		if logLine.MatchString(line) {
			continue
		}
		if first < 0 && errorLine.MatchString(line) {
			first = len(lines)
		}
		lines = append(lines, line)
	}
	return strings.Trim(strings.Join(lines[max(first, 0):], "\n"), "\n")
}

// shortestSecret is the length below which a value is not looked for: it would be
// found in words.
const shortestSecret = 6

// hide replaces secrets by stars, the longest first: one may begin like another.
func hide(text string, secrets []string) string {
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, secret := range secrets {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return text
}

// secrets are the values that Terraform was given under a name that says secret:
// by flags, files of variables and the environment.
func (s *scanning) secrets() []string {
	found := new(secretValues)
	found.add("api_key", s.server.APIKey.Reveal())
	for _, entry := range s.env {
		name, value, _ := strings.Cut(entry, "=")
		found.add(strings.TrimPrefix(name, "TF_VAR_"), value)
		if strings.HasPrefix(name, "TF_CLI_ARGS") {
			s.secretsOfFlags(found, unquoted(value))
		}
	}
	s.secretsOfFlags(found, s.planArgs)
	for _, pattern := range []string{"terraform.tfvars", "terraform.tfvars.json", "*.auto.tfvars", "*.auto.tfvars.json"} {
		if files, err := filepath.Glob(filepath.Join(s.dir, pattern)); err == nil {
			for _, file := range files {
				found.addFile(file)
			}
		}
	}
	return found.values
}

// unquoted are the words of a variable with flags in it.
func unquoted(text string) []string {
	return strings.Fields(strings.NewReplacer(`"`, "", `'`, "").Replace(text))
}

// secretsOfFlags reads -var=NAME=VALUE, -var NAME=VALUE and the same of -var-file.
func (s *scanning) secretsOfFlags(found *secretValues, flags []string) {
	for i, flag := range flags {
		name, value, given := strings.Cut(strings.TrimLeft(flag, "-"), "=")
		if !given && i+1 < len(flags) {
			value = flags[i+1]
		}
		switch name {
		case "var":
			variable, value, _ := strings.Cut(value, "=")
			found.add(variable, value)
		case "var-file":
			if !filepath.IsAbs(value) {
				value = filepath.Join(s.dir, value)
			}
			found.addFile(value)
		}
	}
}

// secretValues collects values whose names say that they are secret.
type secretValues struct{ values []string }

func (f *secretValues) add(name, value string) {
	if redact.MeaningOf(strings.TrimSpace(name)) >= redact.Suspicious {
		f.keep(value)
		for _, inner := range quoted.FindAllStringSubmatch(value, -1) { // of a list or an object
			f.keep(unescape(inner[1]))
		}
	}
	f.addText(value)
}

// keep keeps each line of a value: Terraform quotes single lines of what it was
// given.
func (f *secretValues) keep(value string) {
	for line := range strings.Lines(value) {
		if line = strings.TrimSpace(line); len(line) >= shortestSecret && !slices.Contains(f.values, line) {
			f.values = append(f.values, line)
		}
	}
}

// addFile reads a file of variables; one that can't be read has told Terraform
// nothing either.
func (f *secretValues) addFile(path string) {
	const most = 1 << 20
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > most {
		return
	}
	if content, err := os.ReadFile(path); err == nil { //nolint:gosec // G304: Terraform reads it as well
		f.addText(string(content))
	}
}

var (
	quoted = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)
	// assigned is an assignment as HCL and JSON write it, to a text, a list or a
	// here-document.
	assigned = regexp.MustCompile(`(?m)"?([A-Za-z_][\w.-]*)"?\s*[=:]\s*(?:"((?:[^"\\]|\\.)*)"|\[([^\]]*)\]|<<[-~]?(\w+)\n)`)
)

// addText finds assignments in the text of a file or of an object. It is no parser:
// what is written in another way is not found.
func (f *secretValues) addText(text string) {
	for _, at := range assigned.FindAllStringSubmatchIndex(text, -1) {
		part := func(n int) string {
			if at[2*n] < 0 {
				return ""
			}
			return text[at[2*n]:at[2*n+1]]
		}
		if redact.MeaningOf(part(1)) < redact.Suspicious {
			continue
		}
		f.keep(unescape(part(2)))
		for _, inner := range quoted.FindAllStringSubmatch(part(3), -1) {
			f.keep(unescape(inner[1]))
		}
		if end := part(4); end != "" {
			for line := range strings.Lines(text[at[1]:]) {
				if strings.TrimSpace(line) == end {
					break
				}
				f.keep(line)
			}
		}
	}
}

// unescape is what a quoted text stands for, as far as HCL and JSON agree.
func unescape(text string) string {
	var plain string
	if json.Unmarshal([]byte(`"`+text+`"`), &plain) != nil {
		return text
	}
	return plain
}
