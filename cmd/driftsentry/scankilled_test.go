//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/driftsentry/driftsentry/internal/terraformcli/tftest"
)

// TestAKilledScanLeavesNothing, where there is a way to find out: Terraform, whose
// terminal is gone, would die of a broken pipe without ending its plugins.
func TestAKilledScanLeavesNothing(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		return
	}
	h := serve(t)
	for _, tool := range slices.Concat(tftest.Tools(t)[1:], tftest.Tools(t)[1:], []tftest.Tool{tftest.StandIn(t, tftest.PlanWaits)}) {
		t.Run(tool.Name, func(t *testing.T) {
			t.Parallel()
			pipe := blocks(t, tool)
			cmd := scanProgram(t, h.scanEnv(tool.Env...), "--stack", "prod/files", "--dir", tool.Dir)
			start := inTerminal
			if strings.HasSuffix(t.Name(), "#01") { // the second of its name
				start = inPipe
			}
			_, shown, ended := start(t, cmd, 80)
			if tool.Name == "terraform" {
				until(t, shown, func() bool { return opened(t, pipe) })
			} else {
				until(t, shown, func() bool { return len(children(tool)) == 2 })
			}
			if pids := workingIn(t, tool.Dir); len(pids) != 2 {
				t.Fatalf("processes %v work in the module, want Terraform and a plugin", pids)
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			await(t, ended, shown)
			until(t, shown, func() bool { return len(workingIn(t, tool.Dir)) == 0 })
			until(t, shown, func() bool {
				left, err := os.ReadDir(variable(cmd.Env, "TMPDIR"))
				return err == nil && len(left) == 0
			})
		})
	}
}

// blocks gives a module a data source that waits for a file nobody writes.
func blocks(t *testing.T, tool tftest.Tool) (pipe string) {
	t.Helper()
	pipe = filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	source := "data \"local_file\" \"slow\" {\n  filename = \"" + pipe + "\"\n}\n"
	if err := os.WriteFile(filepath.Join(tool.Dir, "slow.tf"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return pipe
}

// opened tells whether somebody reads the pipe. The end to write to stays open,
// so that what reads goes on waiting.
func opened(t *testing.T, pipe string) bool {
	t.Helper()
	file, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ENXIO) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return true
}

// workingIn are the processes in a folder that run.
func workingIn(t *testing.T, dir string) (pids []int) {
	t.Helper()
	folders, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(folder)))
		if at, e := os.Readlink(folder); err == nil && e == nil && at == dir && running(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// TestATerminalThatGoesAway stops the scan as a Ctrl-C does, unless nohup said
// otherwise.
func TestATerminalThatGoesAway(t *testing.T) {
	t.Parallel()
	h := serve(t)
	for _, outlives := range []bool{false, true} {
		t.Run(strconv.FormatBool(outlives), func(t *testing.T) {
			t.Parallel()
			tool := tftest.StandIn(t, tftest.PlanWaits)
			hangups, signals := make(chan os.Signal, 1), make(chan os.Signal, 1)
			var out, errs lockedBuffer
			ended := make(chan int, 1)
			go func() {
				ended <- run(t.Context(), process{
					args: []string{"scan", "--stack", "prod/files", "--dir", tool.Dir}, env: h.scanEnv(tool.Env...),
					stdin: strings.NewReader(""), stdout: &out, stderr: &errs,
					signals: signals, hangups: hangups, outlivesTerminal: outlives,
				})
			}()
			until(t, &errs, func() bool { return len(children(tool)) == 2 })
			hangups <- syscall.SIGHUP
			if outlives {
				signals <- syscall.SIGTERM // nothing but this is to end it
			}
			if code := await(t, ended, &errs); code != exitFailure || !strings.Contains(errs.String(), "stopped") {
				t.Errorf("scan = %d\n%s%s", code, &out, &errs)
			}
			if left := len(hangups); (left == 1) != outlives {
				t.Errorf("%d hangups are left unread, of a scan that outlives its terminal: %v", left, outlives)
			}
			for _, pid := range children(tool) {
				until(t, &errs, func() bool { return !running(pid) })
			}
		})
	}
}

// inPipe starts cmd without a terminal, otherwise as inTerminal does.
func inPipe(t *testing.T, cmd *exec.Cmd, _ uint16) (leash *os.File, shown *lockedBuffer, ended chan int) {
	t.Helper()
	stdin, leash, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { leash.Close() })
	shown, ended = new(lockedBuffer), make(chan int, 1)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, shown, shown
	err = cmd.Start()
	stdin.Close()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // its exit code is what counts
		ended <- cmd.ProcessState.ExitCode()
	}()
	return leash, shown, ended
}
