package devpg

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeBinaries makes a folder whose postgres reports a version.
func fakeBinaries(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	for _, program := range []string{"postgres", "initdb"} {
		script := "#!/bin/sh\necho \"" + program + " (PostgreSQL) " + version + "\"\n"
		if err := os.WriteFile(filepath.Join(dir, program), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestBinariesAreTakenInOrder(t *testing.T) {
	named, fromPath := fakeBinaries(t, "17.2"), fakeBinaries(t, "16.1 (Debian)")
	t.Setenv("PATH", fromPath+":"+os.Getenv("PATH"))
	for _, tc := range []struct {
		name, variable string
		opts           Options
		wantDir        string
		wantMajor      int
	}{
		{"PATH", "", Options{}, fromPath, 16},
		{"variable", named, Options{}, named, 17},
		{"option", fromPath, Options{Binaries: named}, named, 17},
	} {
		t.Setenv(binariesVariable, tc.variable)
		got, err := findBinaries(t.Context(), &tc.opts)
		if err != nil || got.dir != tc.wantDir || got.major != tc.wantMajor {
			t.Errorf("%s: findBinaries() = %+v, %v, want %s of version %d", tc.name, got, err, tc.wantDir, tc.wantMajor)
		}
	}
}

func TestUnusableBinariesAreNotPassedOver(t *testing.T) {
	t.Setenv(binariesVariable, "")
	for name, tc := range map[string]struct{ dir, want string }{
		"empty":    {t.TempDir(), "not a folder of PostgreSQL binaries"},
		"missing":  {"/nonexistent", "not a folder of PostgreSQL binaries"},
		"too old":  {fakeBinaries(t, "9.6.24"), "too old"},
		"not ours": {fakeBinaries(t, "nine"), "is not PostgreSQL"},
	} {
		if _, err := Start(t.Context(), Options{Binaries: tc.dir}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: Start() = %v, want it to say %q", name, err, tc.want)
		}
		t.Setenv(binariesVariable, tc.dir)
		if _, err := Start(t.Context(), Options{}); err == nil || !strings.Contains(err.Error(), binariesVariable) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: Start() = %v, want it to name %s and say %q", name, err, binariesVariable, tc.want)
		}
		t.Setenv(binariesVariable, "")
	}
}

func TestNewestVersionComesFirst(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]int{
		"/usr/lib/postgresql/17/bin": 17, "/usr/pgsql-15/bin": 15, "/opt/homebrew/opt/postgresql@16/bin": 16, "/usr/local/opt/postgresql/bin": 0,
	} {
		if got := versionIn(path); got != want {
			t.Errorf("versionIn(%q) = %d, want %d", path, got, want)
		}
	}
}

func TestNoBinariesNamesEveryWay(t *testing.T) {
	t.Parallel()
	for _, way := range []string{binariesVariable, "PATH", "/usr/lib/postgresql", "/usr/pgsql-", "Homebrew", "Postgres.app", "download", "apt install postgresql", "dnf install", "brew install"} {
		if !strings.Contains(ErrNoBinaries.Error(), way) {
			t.Errorf("ErrNoBinaries does not mention %s: %v", way, ErrNoBinaries)
		}
	}
	// Who asked for a private server is not helped by somebody's own.
	if strings.Contains(ErrNoBinaries.Error(), "DATABASE_URL") {
		t.Errorf("ErrNoBinaries sends to a database that nobody here writes to: %v", ErrNoBinaries)
	}
}

// TestAnInterruptedSearchIsNotAFailedOne: there may well be a PostgreSQL here.
func TestAnInterruptedSearchIsNotAFailedOne(t *testing.T) {
	t.Setenv(binariesVariable, "")
	t.Setenv("PATH", fakeBinaries(t, "17.2")+":"+os.Getenv("PATH"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, download := range []bool{false, true} {
		_, err := findBinaries(ctx, &Options{Download: download})
		if !errors.Is(err, context.Canceled) || errors.Is(err, ErrNoBinaries) {
			t.Errorf("findBinaries() with its context over, download %v = %v, want only that", download, err)
		}
	}
}
