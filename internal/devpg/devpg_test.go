package devpg

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// parentVariable makes the test binary a program that starts a server and then
// does nothing, so that a test can kill it. Its value is the data directory.
const parentVariable = "DEVPG_TEST_PARENT"

func TestMain(m *testing.M) {
	dir, parent := os.LookupEnv(parentVariable)
	if !parent {
		os.Exit(m.Run())
	}
	s, err := Start(context.Background(), Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stdout, "error", err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stdout, s.base, s.process.pid())
	<-s.Done()
	os.Exit(0)
}

// start runs a server for one test, or skips where there is no PostgreSQL.
func start(t *testing.T, opts Options) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := Start(ctx, opts)
	if errors.Is(err, ErrNoBinaries) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("Start(%+v) = %v", opts, err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("Stop() = %v", err)
		}
	})
	return s
}

// openDir is a directory that the user a server runs as may enter; those of
// t.TempDir belong to root alone when root runs the tests.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "devpg-test-") //nolint:usetesting // t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func gone(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, os.ErrNotExist)
}

func TestStopLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, inMemory := range []bool{false, true} {
		s := start(t, Options{InMemory: inMemory})
		u, err := url.Parse(s.URL())
		if err != nil {
			t.Fatalf("URL() = %q: %v", s.URL(), err)
		}
		if _, secret := u.User.Password(); secret {
			t.Errorf("URL() = %q holds a password", s.URL())
		}
		if gone(filepath.Join(u.Query().Get("host"), ".s.PGSQL."+u.Query().Get("port"))) {
			t.Errorf("URL() = %q names no socket", s.URL())
		}
		if err := s.Stop(); err != nil {
			t.Errorf("Stop() = %v", err)
		}
		if err := s.Stop(); err != nil {
			t.Errorf("a second Stop() = %v", err)
		}
		if !gone(s.base) {
			t.Errorf("the folder %s is still there", s.base)
		}
		select {
		case <-s.Done():
		default:
			t.Error("Done() is open after Stop()")
		}
	}
}

func TestAKilledParentLeavesNothing(t *testing.T) {
	t.Parallel()
	start(t, Options{}) // skips where there is no PostgreSQL
	for name, dir := range map[string]string{"temporary": "", "kept": filepath.Join(openDir(t), "data")} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), parentVariable+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatalf("%s: the parent said %q: %v", name, line, err)
		}
		base, pid, _ := strings.Cut(strings.TrimSpace(line), " ")
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Errorf("%s: the parent ended by itself", name)
		}
		deadline, look := time.After(20*time.Second), time.NewTicker(10*time.Millisecond)
		for !gone(base) || running(pid) {
			select {
			case <-look.C:
			case <-deadline:
				t.Fatalf("%s: 20 s after its parent was killed, server %s or its folder %s is still there", name, pid, base)
			}
		}
		look.Stop()
		if dir != "" && (gone(filepath.Join(dir, "PG_VERSION")) || !gone(filepath.Join(dir, "postmaster.pid"))) {
			t.Errorf("%s: the data directory was not left in order", name)
		}
	}
}

// running reports whether a process lives; a zombie that nobody waits for,
// as in a container without an init, does not.
func running(pid string) bool {
	state, err := exec.Command("ps", "-o", "stat=", "-p", pid).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(state)), "Z")
}

func TestANamedDirectoryIsKept(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(openDir(t), "a", "b")
	s := start(t, Options{Dir: dir})
	if _, err := Start(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "postmaster.pid") {
		t.Errorf("Start() of a directory in use = %v, want the server's own refusal", err)
	}
	select {
	case <-s.Done():
		t.Fatal("the failed second Start() ended the first server")
	default:
	}
	keyFile, err := s.KeyFile("test.key")
	if err != nil {
		t.Fatalf("KeyFile() = %v", err)
	}
	key, err := os.ReadFile(keyFile)
	if info, statErr := os.Stat(keyFile); err != nil || statErr != nil || info.Mode().Perm() != 0o600 || len(key) < 48 {
		t.Errorf("KeyFile() = %s of %d bytes, %v, %v, %v, want a long one for its owner alone", keyFile, len(key), info, err, statErr)
	}
	if err := s.Stop(); err != nil {
		t.Fatalf("Stop() = %v", err)
	}
	made, err := os.Stat(filepath.Join(dir, "PG_VERSION"))
	if err != nil {
		t.Fatalf("the data directory is gone: %v", err)
	}
	keyFile, err = start(t, Options{Dir: dir}).KeyFile("test.key")
	if same, readErr := os.ReadFile(keyFile); err != nil || readErr != nil || !bytes.Equal(same, key) {
		t.Errorf("KeyFile() of the second start = %q, %v, %v, want the first's", same, err, readErr)
	}
	again, err := os.Stat(filepath.Join(dir, "PG_VERSION"))
	if err != nil || !again.ModTime().Equal(made.ModTime()) {
		t.Errorf("the data directory was made anew: %v", err)
	}
}

func TestADirectoryThatIsNotOursIsRefused(t *testing.T) {
	t.Parallel()
	start(t, Options{})
	other := openDir(t)
	if err := os.WriteFile(filepath.Join(other, "PG_VERSION"), []byte("9.6\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	full := openDir(t)
	if err := os.WriteFile(filepath.Join(full, "thesis.tex"), []byte("years of work"), 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{other: "was made by PostgreSQL 9.6", full: "neither empty nor a PostgreSQL data directory"} {
		if _, err := Start(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start() = %v, want it to say %q", err, want)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("Start() touched a directory it refused: %v, %v", entries, err)
		}
	}
}

func TestStartGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	start(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Start() with its context over = %v, want that", err)
	}
}

// TestAnInterruptedStartLeavesADirectoryThatCanBeUsed ends the start while
// initdb is at work.
func TestAnInterruptedStartLeavesADirectoryThatCanBeUsed(t *testing.T) {
	t.Parallel()
	start(t, Options{})
	dir := filepath.Join(openDir(t), "data")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		look := time.NewTicker(time.Millisecond)
		defer look.Stop()
		for gone(filepath.Join(dir, "PG_VERSION")) && ctx.Err() == nil {
			<-look.C
		}
		cancel()
	}()
	if s, err := Start(ctx, Options{Dir: dir}); err == nil {
		_ = s.Stop()
		t.Skip("PostgreSQL was faster than its interruption")
	} else if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "signal") {
		t.Errorf("an interrupted Start() = %v, want only that its context is over", err)
	}
	start(t, Options{Dir: dir})
}
