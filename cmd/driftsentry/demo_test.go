package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

// demoing is a demo that runs in this process; it is told to stop at the
// latest when the test ends.
type demoing struct {
	*house
	stderr *watched
}

// watched is a stderr that tells when it has heard a text.
type watched struct {
	*lockedBuffer
	heard func(said string)
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.lockedBuffer.Write(p)
	w.heard(w.String())
	return n, err
}

// startDemo runs a demo. heard, if any, is called with all of stderr whenever
// something is written there.
func startDemo(t *testing.T, heard func(d *demoing, said string), args ...string) *demoing {
	t.Helper()
	pgtest.URL(t) // skips where there is no PostgreSQL
	d := &demoing{house: newHouse(t)}
	d.stderr = &watched{d.errs, func(said string) {
		if heard != nil {
			heard(d, said)
		}
	}}
	p := process{
		args: append([]string{"demo", "--port", "0"}, args...), stdin: strings.NewReader(""),
		stdout: d.out, stderr: d.stderr, signals: d.signals, hangups: d.hangups,
	}
	go func() { d.exit <- run(context.Background(), p) }()
	t.Cleanup(d.end)
	return d
}

// wait returns the exit code of a demo that ends without being told now.
func (d *demoing) wait() int {
	d.t.Helper()
	select {
	case code := <-d.exit:
		d.stopped = true
		return code
	case <-time.After(time.Minute):
		d.t.Fatalf("the demo still runs after a minute\n%s%s", d.out, d.errs)
		return -1
	}
}

// waitFor waits until the demo has written a text to stdout.
func (d *demoing) waitFor(text string) {
	d.t.Helper()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(time.Minute)
	for !strings.Contains(d.out.String(), text) {
		select {
		case <-look.C:
		case code := <-d.exit:
			d.stopped = true
			d.t.Fatalf("the demo ended with %d before it said %q\n%s%s", code, text, d.out, d.errs)
		case <-deadline:
			d.t.Fatalf("the demo does not say %q\n%s%s", text, d.out, d.errs)
		}
	}
}

// demoDir is a directory that the account PostgreSQL runs as may enter.
func demoDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "driftsentry-demo-test-") //nolint:usetesting // t.TempDir is closed to others
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
	return filepath.Join(dir, "data")
}

// TestDemoTwiceOnOneDirectory: the second start knows what the first has
// stored, hidden values included, and closing the terminal stops it.
func TestDemoTwiceOnOneDirectory(t *testing.T) {
	t.Parallel()
	dir := demoDir(t)
	var key []byte
	for i, want := range []string{" new ", "plan-1.json   loaded before"} {
		d := startDemo(t, nil, "--data", dir)
		d.waitFor("Ctrl-C stops it")
		said := d.out.String()
		if !strings.Contains(said, want) || i == 0 != strings.Contains(said, "outside   4 new") || i == 0 == strings.Contains(said, "loaded before") {
			t.Errorf("start %d says\n%s\nwant %q in it", i+1, said, want)
		}
		if i == 0 && !strings.Contains(said, "pending  10 new") {
			t.Errorf("the demo does not tell what is pending apart:\n%s", said)
		}
		file := filepath.Join(dir, "driftsentry-fingerprint.key")
		now, err := os.ReadFile(file)
		if err != nil || key != nil && !bytes.Equal(now, key) {
			t.Errorf("start %d has the key %q, %v, want the first's, %q", i+1, now, err, key)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the key file is %v, %v, want it closed to others", info, err)
		}
		key = now
		d.wantSigned()
		d.hangups <- syscall.SIGHUP
		if code := d.wait(); code != exitOK || !strings.HasSuffix(d.errs.String(), "Stopped.\n") {
			t.Errorf("after a hangup: exit code %d\n%s", code, d.errs)
		}
		if _, err := os.Stat(filepath.Join(dir, "postmaster.pid")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("PostgreSQL is left behind: %v", err)
		}
	}
}

// wantSigned asks the demo, in the way it says, for what its audit trail is like.
func (d *demoing) wantSigned() {
	d.t.Helper()
	said := regexp.MustCompile(`DRIFTSENTRY_URL=(\S+) DRIFTSENTRY_API_KEY=(\S+)`).FindStringSubmatch(d.out.String())
	if said == nil {
		d.t.Fatalf("the demo does not say how to ask it:\n%s", d.out)
	}
	d.url, d.key = said[1], said[2]
	v := get[struct {
		OK, SignaturesChecked bool
		Seals, Unsigned       int
	}](d.house, "/api/v1/audit/verify")
	if !v.OK || !v.SignaturesChecked || v.Seals == 0 || v.Unsigned > 0 {
		d.t.Errorf("the demo's audit trail = %+v, want it whole and signed", v)
	}
}

// TestADemoOfNothingSigns: what is gone afterwards is an example all the same.
func TestADemoOfNothingSigns(t *testing.T) {
	t.Parallel()
	d := startDemo(t, nil)
	d.waitFor("Ctrl-C stops it")
	d.wantSigned()
}

// TestAnInterruptedDemoIsNoFailure interrupts the start at once, as it begins
// with PostgreSQL, and while the data is loaded.
func TestAnInterruptedDemoIsNoFailure(t *testing.T) {
	t.Parallel()
	quiet := func(d *demoing, when string) {
		t.Helper()
		code := d.wait()
		said := d.errs.String()
		rest := strings.NewReplacer("Starting a private PostgreSQL …\n", "", "Stopped.\n", "").Replace(said)
		if code != exitOK || rest != "" || !strings.HasSuffix(said, "Stopped.\n") {
			t.Errorf("interrupted %s: exit code %d, stderr\n%s", when, code, said)
		}
		if d.out.String() != "" && when != "while loading" {
			t.Errorf("interrupted %s, it went on:\n%s", when, d.out)
		}
	}
	quiet(startDemo(t, func(d *demoing, said string) {
		if strings.HasSuffix(said, "…\n") {
			d.signals <- syscall.SIGINT
		}
	}), "at the start of PostgreSQL")

	dir := demoDir(t)
	d := startDemo(t, nil, "--data", dir)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		<-look.C
	}
	d.signals <- syscall.SIGINT
	quiet(d, "in initdb")

	d = startDemo(t, nil)
	d.waitFor("Real plans")
	d.signals <- syscall.SIGINT
	quiet(d, "while loading")
}

// TestADemoWithoutItsDatabaseEnds: the server alone would answer 503 for ever.
func TestADemoWithoutItsDatabaseEnds(t *testing.T) {
	t.Parallel()
	dir := demoDir(t)
	d := startDemo(t, nil, "--data", dir)
	d.waitFor("Ctrl-C stops it")
	text, err := os.ReadFile(filepath.Join(dir, "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	postmaster, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := postmaster.Kill(); err != nil {
		t.Fatal(err)
	}
	if code := d.wait(); code != exitFailure || !strings.Contains(d.errs.String(), "PostgreSQL has ended by itself") {
		t.Errorf("exit code %d, want 1 and the reason\n%s", code, d.errs)
	}
}

func TestDemoEnvironment(t *testing.T) {
	t.Parallel()
	settings := []string{"DATABASE_URL=postgres://demo", "PORT=0", "FINGERPRINT_KEY_FILE=/key"}
	base := []string{
		"APP_ENV=development", "DATABASE_URL=postgres://demo", "FINGERPRINT_KEY_FILE=/key", "HOST=127.0.0.1",
		"LOG_LEVEL=warn", "NODE_ENV=", "PORT=0", "PUBLIC_URL=", "SHUTDOWN_DELAY=0s",
	}
	without := func(name string, more ...string) []string {
		kept := slices.DeleteFunc(slices.Clone(base), func(e string) bool { return strings.HasPrefix(e, name+"=") })
		return append(kept, more...)
	}
	for _, tt := range []struct{ env, want []string }{
		{nil, base},
		{[]string{"DATABASE_URL=postgres://mine", "DATABASE_URL_FILE=/mine", "APP_ENV=production", "PORT=1", "HOST_FILE=/x"}, base},
		{[]string{"OTEL_SDK_DISABLED=true"}, append(slices.Clone(base), "OTEL_SDK_DISABLED=true")},
		{[]string{"LOG_LEVEL=debug"}, without("LOG_LEVEL", "LOG_LEVEL=debug")},
		{[]string{"LOG_LEVEL_FILE=/level"}, without("LOG_LEVEL", "LOG_LEVEL_FILE=/level")},
		{[]string{"FINGERPRINT_KEY=mine"}, without("FINGERPRINT_KEY_FILE", "FINGERPRINT_KEY=mine")},
		{[]string{"FINGERPRINT_KEY_FILE=/mine"}, without("FINGERPRINT_KEY_FILE", "FINGERPRINT_KEY_FILE=/mine")},
		{[]string{"FINGERPRINT_KEY=", "FINGERPRINT_KEY_FILE="}, base},
	} {
		got := demoEnvironment(tt.env, settings)
		slices.Sort(got)
		slices.Sort(tt.want)
		if !slices.Equal(got, tt.want) {
			t.Errorf("demoEnvironment(%q) = %q, want %q", tt.env, got, tt.want)
		}
	}
}
