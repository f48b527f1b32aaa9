// Package pipeline finds out what the CI system that runs us says about the run
// and the code, and names it by OpenTelemetry's semantic conventions for CI/CD
// and version control.
//
// It is handed the environment and reads no more than that and the file in which
// GitHub describes what happened. It never takes a credential along: what it
// returns is stored and shown.
package pipeline

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// The keys, all there are.
const (
	System     = "cicd.system.name"
	Name       = "cicd.pipeline.name"
	RunID      = "cicd.pipeline.run.id"
	RunURL     = "cicd.pipeline.run.url.full"
	Task       = "cicd.pipeline.task.name"
	Repository = "vcs.repository.url.full"
	RepoName   = "vcs.repository.name"
	Ref        = "vcs.ref.head.name"
	Revision   = "vcs.ref.head.revision"
	Change     = "vcs.change.id"
	Title      = "vcs.change.title"
)

// Keys lists the keys, those that matter most first.
func Keys() []string {
	return []string{System, RunURL, RunID, Revision, Change, Repository, RepoName, Name, Task, Ref, Title}
}

// Facts are what is known of a run, by key. What is not known is missing.
type Facts map[string]string

const (
	// maxValue is the longest value, in bytes.
	maxValue = 500
	// maxHeader is the longest Header, in bytes.
	maxHeader = 4 << 10
)

// environment looks a variable up; empty means that there is none.
type environment func(name string) string

// first is the first of these variables that says something.
func (e environment) first(names ...string) string {
	for _, name := range names {
		if value := e(name); value != "" {
			return value
		}
	}
	return ""
}

// all is a text with ${NAME} replaced, or nothing if one of them is missing.
func (e environment) all(template string) string {
	missing := false
	var b strings.Builder
	for rest := template; rest != ""; {
		before, after, found := strings.Cut(rest, "${")
		b.WriteString(before)
		if !found {
			break
		}
		name, remaining, _ := strings.Cut(after, "}")
		value := e(name)
		missing = missing || value == ""
		b.WriteString(value)
		rest = remaining
	}
	if missing {
		return ""
	}
	return b.String()
}

// From reads the facts from environ, which is in the form of os.Environ. read
// reads a file of the CI system's; an error means that nothing is known from it.
// Outside of any CI system the facts are empty.
func From(environ []string, read func(path string) ([]byte, error)) Facts {
	values := make(map[string]string, len(environ))
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok {
			values[name] = value
		}
	}
	env := environment(func(name string) string { return values[name] })
	for _, s := range systems {
		if !s.runs(env) {
			continue
		}
		facts := s.facts(env, read)
		facts[System] = s.name
		return facts.clean()
	}
	return Facts{}
}

// Set adds what the user says as key=value; it wins over what was found.
func (f Facts) Set(assignment string) error {
	key, value, ok := strings.Cut(assignment, "=")
	if !ok {
		return fmt.Errorf("%q is not of the form KEY=VALUE", assignment)
	}
	if !slices.Contains(Keys(), key) {
		return fmt.Errorf("%q is not one of %s", key, strings.Join(slices.Sorted(slices.Values(Keys())), ", "))
	}
	f[key] = value
	f.clean()
	return nil
}

// clean drops what is empty, takes credentials out of URLs, and cuts what is
// too long.
func (f Facts) clean() Facts {
	if f[RepoName] == "" && f[Repository] != "" {
		f[RepoName] = f[Repository]
	}
	for key, value := range f {
		value = strings.TrimSpace(value)
		switch key {
		case Repository:
			value = repositoryURL(value)
		case RunURL:
			value = withoutCredentials(value)
		case RepoName:
			// Without whom it belongs to, as the conventions want it.
			value = strings.TrimSuffix(strings.TrimRight(value, "/"), ".git")
			value = value[strings.LastIndexAny(value, "/:")+1:]
		case Ref:
			value = strings.TrimPrefix(strings.TrimPrefix(value, "refs/heads/"), "refs/tags/")
		}
		if value = clip(value); value == "" {
			delete(f, key)
			continue
		}
		f[key] = value
	}
	return f
}

// repositoryURL is what a browser opens: of git@host:owner/name.git too.
func repositoryURL(text string) string {
	if !strings.Contains(text, "://") {
		if _, rest, ok := strings.Cut(text, "@"); ok {
			text = rest
		}
		host, path, ok := strings.Cut(text, ":")
		if !ok || host == "" || strings.ContainsRune(host, '/') {
			return ""
		}
		text = "https://" + host + "/" + strings.TrimPrefix(path, "/")
	}
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	switch u.Scheme {
	case "http", "https":
	case "ssh", "git", "git+ssh":
		u.Scheme, u.Host = "https", u.Hostname() // the port is that of ssh
	default:
		return "" // a folder of the build machine tells nobody anything
	}
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), ".git")
	return withoutCredentials(u.String())
}

// withoutCredentials is a URL without user, password, query and fragment: CI
// systems put tokens there.
func withoutCredentials(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	u.User, u.Fragment = nil, ""
	query := u.Query()
	for name := range query {
		if name != "buildId" { // Azure names the run there
			query.Del(name)
		}
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// clip cuts a value to maxValue bytes, between characters, and drops what is
// not text.
func clip(value string) string {
	value = strings.ToValidUTF8(value, "�")
	value = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, value)
	if len(value) <= maxValue {
		return value
	}
	cut := maxValue - len("…")
	for !utf8.RuneStart(value[cut]) {
		cut--
	}
	return value[:cut] + "…"
}

// Header is the facts as one JSON object of strings in plain ASCII, fit for an
// HTTP header and at most 4 KiB long; empty when there are none. What matters
// least is left out when there is too much.
func (f Facts) Header() string {
	var b strings.Builder
	for _, key := range Keys() {
		value, ok := f[key]
		if !ok {
			continue
		}
		member := quote(key) + ":" + quote(value)
		if b.Len()+len(",")+len(member)+len("}") > maxHeader {
			continue
		}
		if b.Len() == 0 {
			b.WriteByte('{')
		} else {
			b.WriteByte(',')
		}
		b.WriteString(member)
	}
	if b.Len() == 0 {
		return ""
	}
	return b.String() + "}"
}

// quote is a JSON string of ASCII characters alone: headers carry nothing else
// safely.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r >= ' ' && r < 0x7f:
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
