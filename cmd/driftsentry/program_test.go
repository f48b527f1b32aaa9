package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/driftsentry/driftsentry/internal/config"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
	"github.com/driftsentry/driftsentry/internal/terraformcli"
	"github.com/driftsentry/driftsentry/internal/terraformcli/tftest"
)

// asProgram makes the test binary be driftsentry itself. As a process of its
// own it has an environment, an exit code and memory of its own, which the
// OpenTelemetry SDK, signals and bounds on memory need; and nothing is built
// for it.
const asProgram = "DRIFTSENTRY_TEST_AS_PROGRAM"

// panics is a text with which the first question for the tracked errors panics:
// nothing that can be sent to the service makes it panic.
const panics = "DRIFTSENTRY_TEST_PANICS"

func TestMain(m *testing.M) {
	terraformcli.GuardMain()
	tftest.Main()
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	go func() { // the test holds the other end: one that crashes leaves nothing running
		_, err := io.Copy(io.Discard, os.Stdin)
		fmt.Fprintln(os.Stderr, "the test that started this is gone:", err)
		os.Exit(exitFailure)
	}()
	if text := os.Getenv(panics); text != "" {
		os.Exit(servePanicking(text))
	}
	main()
}

// servePanicking is `driftsentry serve` with one panic in it.
func servePanicking(text string) int {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	p := process{env: os.Environ(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, signals: signals}
	cfg, err := config.Load(p.env)
	if err != nil {
		p.say("%v\n", err)
		return exitFailure
	}
	svc, err := p.build(context.Background(), cfg)
	if err != nil {
		p.say("%v\n", err)
		return exitFailure
	}
	errorsNow, first := svc.api.Errors, new(sync.Once)
	svc.api.Errors = func() any {
		first.Do(func() { panic(text) })
		return errorsNow()
	}
	if err := svc.run(context.Background()); err != nil {
		return exitFailure
	}
	return exitOK
}

// raceDetector reports whether this binary has it, which multiplies memory.
func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, setting := range info.Settings {
		if setting.Key == "-race" {
			return setting.Value == "true"
		}
	}
	return false
}

// program runs `driftsentry serve` as a process on a fresh database. Of this
// process's environment it gets next to nothing.
func program(t *testing.T, env ...string) *house {
	t.Helper()
	env = append([]string{"DATABASE_URL=" + pgtest.URL(t), "LOG_FORMAT=json"}, env...)
	key := apiKey(t, env, "admin")
	h := runProgram(t, env...)
	h.key = key
	return h
}

func runProgram(t *testing.T, env ...string) *house {
	t.Helper()
	h := newHouse(t)
	// Not t.Context(): that ends before the clean-ups run, and with it the process.
	command := exec.Command(os.Args[0], "serve")
	listening := &listener{out: h.out, address: make(chan string, 1)}
	command.Stdout, command.Stderr = listening, h.errs
	command.Env = append([]string{
		asProgram + "=yes", "TMPDIR=" + os.TempDir(), "PATH=" + os.Getenv("PATH"),
		"HOST=127.0.0.1", "PORT=0", "SHUTDOWN_DELAY=0s",
	}, env...)
	leash, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { leash.Close() })
	t.Cleanup(h.end)
	gone := make(chan struct{})
	go func() {
		if err := command.Wait(); err != nil && command.ProcessState == nil {
			t.Errorf("wait for the program: %v", err)
		}
		close(gone)
		h.exit <- command.ProcessState.ExitCode()
	}()
	go func() {
		for {
			select {
			case <-gone:
				return
			case s := <-h.signals:
				if err := command.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
					t.Errorf("signal %v: %v", s, err)
				}
			}
		}
	}()
	h.await(listening.address)
	return h
}

// listener is the program's stdout. It hears where the API can be reached.
type listener struct {
	out     *lockedBuffer
	address chan string
	found   bool
}

var listensAt = regexp.MustCompile(`(?s)Listening.*?(127\.0\.0\.1:\d+)`)

func (l *listener) Write(p []byte) (int, error) {
	n, err := l.out.Write(p)
	if !l.found {
		if m := listensAt.FindStringSubmatch(l.out.String()); m != nil {
			l.found = true
			l.address <- m[1]
		}
	}
	return n, err
}

// metric is the sum of a scrape's series with this name and these parts in
// their labels.
func metric(t *testing.T, scrape, name string, labels ...string) float64 {
	t.Helper()
	sum := 0.0
line:
	for line := range strings.Lines(scrape) {
		rest, ok := strings.CutPrefix(line, name)
		if !ok || rest[0] != '{' && rest[0] != ' ' {
			continue
		}
		for _, label := range labels {
			if !strings.Contains(rest, label) {
				continue line
			}
		}
		sample, _, _ := strings.Cut(strings.TrimSpace(line), " # ") // the exemplar
		value, err := strconv.ParseFloat(sample[strings.LastIndexByte(sample, ' ')+1:], 64)
		if err != nil {
			t.Fatalf("scraped line %q: %v", line, err)
		}
		sum += value
	}
	return sum
}
