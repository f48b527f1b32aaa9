//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/transcript"
)

// checkout is where the project's files are, seen from here.
const checkout = "../.."

// patience is how long anything that has to happen may take: much longer than it
// does, because this machine may be busy.
const patience = time.Minute

// component is the program of this name. It was built before (.ci/run does), or
// this takes minutes.
func component(t *testing.T, name string) string {
	t.Helper()
	var complaint bytes.Buffer
	command := exec.Command(filepath.Join(checkout, ".ci", "component"), name)
	command.Stderr = &complaint
	path, err := command.Output()
	if err != nil {
		t.Fatalf("component %s: %v\n%s", name, err, complaint.String())
	}
	return strings.TrimSpace(string(path))
}

// process is a running component.
type process struct {
	name string
	log  *lockedBuffer
	exit chan struct{} // closed when it has ended
	cmd  *exec.Cmd
}

// start runs a program until the test ends. If the test fails, its last words are
// shown. Of this process's environment it gets the search path.
func start(t *testing.T, name, path string, env []string, args ...string) *process {
	t.Helper()
	p := &process{name: name, log: &lockedBuffer{}, exit: make(chan struct{})}
	// Not t.Context(): that ends before the clean-ups run.
	p.cmd = exec.Command(path, args...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "HOME=" + t.TempDir()}, env...)
	p.cmd.SysProcAttr = dieWithParent()
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is in its log
		close(p.exit)
	}()
	t.Cleanup(func() {
		// How the components stop is not asked here, and Jaeger takes ten seconds.
		_ = p.cmd.Process.Kill()
		<-p.exit
		if t.Failed() {
			t.Logf("the last lines of %s:\n%s", name, tail(p.log.String(), 20))
		}
	})
	return p
}

// healthy waits until the process answers url with 200.
func (p *process) healthy(t *testing.T, url string) {
	t.Helper()
	await(t, p.name+" at "+url, func() error {
		select {
		case <-p.exit:
			t.Fatalf("%s has ended:\n%s", p.name, tail(p.log.String(), 40))
		default:
		}
		_, err := fetch(t, url)
		return err
	})
}

// run runs a program to its end and returns what it printed.
func run(t *testing.T, env []string, stdin, path string, args ...string) string {
	t.Helper()
	var out, complaint bytes.Buffer
	command := exec.Command(path, args...)
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(stdin), &out, &complaint
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, env...)
	if err := command.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(path), strings.Join(args, " "), err, out.String(), complaint.String())
	}
	return out.String()
}

// await tries until try returns nil.
func await(t *testing.T, what string, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %v: %v", what, patience, err)
		case <-tick.C:
		}
	}
}

// outside asks whatever listens on this machine.
var outside = &http.Client{Timeout: 10 * time.Second}

// fetch is the body of a GET that was answered with 200.
func fetch(t *testing.T, url string) ([]byte, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := outside.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s = %s: %.300s", url, answer.Status, body)
	}
	return body, err
}

// freePorts are n ports of this machine that nobody listens on.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	ports, taken := make([]string, n), make([]net.Listener, n)
	for i := range ports {
		var err error
		if taken[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if _, ports[i], err = net.SplitHostPort(taken[i].Addr().String()); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range taken { // only now, so that none comes twice
		l.Close()
	}
	return ports
}

type lockedBuffer = transcript.Buffer

// tail is the last n lines of text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
