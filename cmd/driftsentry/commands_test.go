package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

// command runs one command to its end.
func command(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs lockedBuffer
	code = run(t.Context(), process{args: args, env: env, stdin: strings.NewReader(""), stdout: &out, stderr: &errs})
	return code, out.String(), errs.String()
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	env := []string{"DATABASE_URL=" + pgtest.EmptyURL(t)}
	if code, out, errs := command(t, env, "migrate", "status"); code != exitFailure || !strings.Contains(out, "missing") || !strings.Contains(errs, "migrate up") {
		t.Errorf("status of an empty database = %d\n%s%s", code, out, errs)
	}
	if code, out, errs := command(t, env, "migrate", "up"); code != exitOK || !strings.Contains(out, "applied initial") {
		t.Errorf("up = %d\n%s%s", code, out, errs)
	}
	if code, out, errs := command(t, env, "migrate", "up"); code != exitOK || !strings.Contains(out, "up to date") {
		t.Errorf("up again = %d\n%s%s", code, out, errs)
	}
	if code, out, errs := command(t, env, "migrate", "status"); code != exitOK || strings.Contains(out, "missing") {
		t.Errorf("status afterwards = %d\n%s%s", code, out, errs)
	}
	if code, _, errs := command(t, []string{"DATABASE_URL=postgres://u:planted@127.0.0.1:1/x"}, "migrate", "up"); code != exitFailure ||
		!strings.Contains(errs, "database") || strings.Contains(errs, "planted") {
		t.Errorf("up without a database = %d\n%s", code, errs)
	}
}

// TestASecondSignalEndsAMigrationAtOnce, even with a database that does not
// care for the first.
func TestASecondSignalEndsAMigrationAtOnce(t *testing.T) {
	t.Parallel()
	signals := make(chan os.Signal, 2)
	p := process{env: []string{"DATABASE_URL=postgres://127.0.0.1/x"}, signals: signals}
	hangs := make(chan struct{})
	defer close(hangs)
	_, err := p.migrations(t.Context(), func(ctx context.Context, _ string) ([]postgres.Migration, error) {
		signals <- syscall.SIGINT
		<-ctx.Done()
		signals <- syscall.SIGINT
		<-hangs
		return nil, nil
	})
	if err == nil || !strings.Contains(err.Error(), "stopped at once") {
		t.Errorf("migrations() after two signals = %v, want that it stopped at once", err)
	}
	_, err = p.migrations(t.Context(), func(ctx context.Context, _ string) ([]postgres.Migration, error) {
		signals <- syscall.SIGINT
		<-ctx.Done()
		return nil, ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("migrations() after one signal = %v, want what came of it", err)
	}
}

func TestHealthcheck(t *testing.T) {
	t.Parallel()
	h := serve(t)
	port := h.url[strings.LastIndexByte(h.url, ':')+1:]
	if code, _, errs := command(t, []string{"HOST=127.0.0.1", "PORT=" + port}, "healthcheck"); code != exitOK {
		t.Errorf("healthcheck of a service that is there = %d\n%s", code, errs)
	}
	if code, _, errs := command(t, []string{"HOST=127.0.0.1", "PORT=1"}, "healthcheck"); code != exitFailure || !strings.Contains(errs, "not alive") {
		t.Errorf("healthcheck of nothing = %d\n%s", code, errs)
	}
}

func TestVersionAndHelp(t *testing.T) {
	t.Parallel()
	if code, out, _ := command(t, nil, "version"); code != exitOK || !strings.HasPrefix(out, "driftsentry ") || !strings.Contains(out, "go1.") {
		t.Errorf("version = %d %q", code, out)
	}
	if code, out, _ := command(t, nil, "--help"); code != exitOK || !strings.Contains(out, "driftsentry demo") {
		t.Errorf("--help = %d %q", code, out)
	}
	if code, _, errs := command(t, nil, "srve"); code != exitFailure || !strings.Contains(errs, `"srve"`) {
		t.Errorf("a misspelt command = %d %q", code, errs)
	}
}
