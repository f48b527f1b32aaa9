package devpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// binariesVariable names the environment variable that points at the binaries.
const binariesVariable = "DRIFTSENTRY_PG_BIN"

// oldestMajor is the oldest PostgreSQL that upstream still mends.
const oldestMajor = 14

// ErrNoBinaries is returned by Start when no PostgreSQL is to be had. Its text
// names every place that was searched and what to install.
var ErrNoBinaries = errors.New(`no PostgreSQL server found on this machine; searched, in this order:
  1. the folder in ` + binariesVariable + `
  2. PATH (postgres and initdb)
  3. /usr/lib/postgresql/*/bin, /usr/pgsql-*/bin, Homebrew (/opt/homebrew, /usr/local), Postgres.app
  4. a copy downloaded earlier or just now from repo1.maven.org
install the package postgresql (Debian, Ubuntu: "apt install postgresql"; Alpine: "apk add postgresql"),
postgresql-server ("dnf install postgresql-server") or postgresql@17 ("brew install postgresql@17"),
or set ` + binariesVariable + ` to the folder that holds postgres and initdb`)

// binaries is a folder with a PostgreSQL server in it.
type binaries struct {
	dir   string
	major int
}

func (b *binaries) path(program string) string {
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	return filepath.Join(b.dir, program)
}

// findBinaries looks in the places of ErrNoBinaries, in that order. What the
// caller or the environment names is used or refused, never passed over.
func findBinaries(ctx context.Context, opts *Options) (*binaries, error) {
	if opts.Binaries != "" {
		return examine(ctx, opts.Binaries)
	}
	if dir := os.Getenv(binariesVariable); dir != "" {
		b, err := examine(ctx, dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", binariesVariable, err)
		}
		return b, nil
	}
	var unusable []error
	for _, dir := range candidateDirs() {
		b, err := examine(ctx, dir)
		if err == nil {
			return b, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			unusable = append(unusable, err)
		}
	}
	// An interrupted search has found out nothing about this machine.
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("find PostgreSQL: %w", err)
	}
	if !opts.Download {
		return nil, errors.Join(append(unusable, ErrNoBinaries)...)
	}
	cache, err := cacheDir()
	if err == nil {
		var b *binaries
		if b, err = download(ctx, mirror, cache, opts.Progress); err == nil {
			return b, nil
		}
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("download PostgreSQL: %w", ctx.Err())
	}
	return nil, errors.Join(append(unusable, fmt.Errorf("download PostgreSQL: %w", err), ErrNoBinaries)...)
}

// candidateDirs lists the folders to try, best first.
func candidateDirs() []string {
	var dirs []string
	// On Debian PATH has pg_ctl's wrappers but no postgres; a link elsewhere is
	// followed, because the server finds its libraries from where it really is.
	if p, err := exec.LookPath("postgres"); err == nil {
		if target, err := filepath.EvalSymlinks(p); err == nil {
			dirs = append(dirs, filepath.Dir(target))
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",
		"/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql@*/bin",
		"/opt/homebrew/opt/postgresql/bin",
		"/usr/local/opt/postgresql@*/bin",
		"/usr/local/opt/postgresql/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
		`C:\Program Files\PostgreSQL\*\bin`,
	} {
		// The only error is a bad pattern, and these are constants.
		found, _ := filepath.Glob(pattern)
		slices.SortFunc(found, func(a, b string) int { return versionIn(b) - versionIn(a) })
		dirs = append(dirs, found...)
	}
	return dirs
}

var lastNumber = regexp.MustCompile(`\d+`)

// versionIn is the version a path names, so that 17 comes before 9.6; 0 when
// it names none.
func versionIn(path string) int {
	numbers := lastNumber.FindAllString(path, -1)
	if len(numbers) == 0 {
		return 0
	}
	n, err := strconv.Atoi(numbers[len(numbers)-1])
	if err != nil {
		return 0
	}
	return n
}

var versionText = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// examine checks that dir holds a server we can run, and its version.
func examine(ctx context.Context, dir string) (*binaries, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("folder of binaries: %w", err)
	}
	b := &binaries{dir: dir}
	for _, program := range []string{"postgres", "initdb"} {
		if _, err := os.Stat(b.path(program)); err != nil {
			return nil, fmt.Errorf("%s is not a folder of PostgreSQL binaries: %w", dir, err)
		}
	}
	out, err := exec.CommandContext(ctx, b.path("postgres"), "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("ask %s for its version: %w", b.path("postgres"), err)
	}
	m := versionText.FindSubmatch(out)
	if m == nil {
		return nil, fmt.Errorf("%s is not PostgreSQL: its version reads %q", b.path("postgres"), strings.TrimSpace(string(out)))
	}
	if b.major, err = strconv.Atoi(string(m[1])); err != nil || b.major < oldestMajor {
		return nil, fmt.Errorf("PostgreSQL %s in %s is too old: %d or newer is needed", m[1], dir, oldestMajor)
	}
	return b, nil
}
