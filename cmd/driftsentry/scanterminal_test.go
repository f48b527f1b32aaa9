//go:build unix

package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/driftsentry/driftsentry/internal/terraformcli/tftest"
)

// inTerminal starts cmd in a pseudo-terminal of this width. What it shows comes
// into the buffer; the terminal is what a person types into.
func inTerminal(t *testing.T, cmd *exec.Cmd, columns uint16) (terminal *os.File, shown *lockedBuffer, ended chan int) {
	t.Helper()
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: columns})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	shown, ended = new(lockedBuffer), make(chan int, 1)
	go func() {
		// Linux says EIO when nobody holds the other end any more.
		if _, err := io.Copy(shown, terminal); err != nil && !errors.Is(err, syscall.EIO) && !errors.Is(err, os.ErrClosed) {
			t.Errorf("read the terminal: %v", err)
		}
		_ = cmd.Wait() // its exit code is what counts
		ended <- cmd.ProcessState.ExitCode()
	}()
	return terminal, shown, ended
}

func await(t *testing.T, ended chan int, shown *lockedBuffer) int {
	t.Helper()
	select {
	case code := <-ended:
		return code
	case <-time.After(time.Minute):
		t.Fatalf("still running after a minute:\n%s", shown)
		return -1
	}
}

func TestScanInATerminal(t *testing.T) {
	t.Parallel()
	h := serve(t)
	for _, tool := range tftest.Tools(t) {
		tool.Drift(t)
		for _, tt := range []struct {
			env     string
			columns uint16
			colors  bool
		}{
			{"TERM=xterm-256color", 80, true},
			{"TERM=xterm-256color", 44, true},
			{"NO_COLOR=1", 100, false},
			{"TERM=dumb", 80, false},
		} {
			cmd := scanProgram(t, h.scanEnv(append(tool.Env, tt.env)...), "--stack", "prod/files", "--dir", tool.Dir)
			_, shown, ended := inTerminal(t, cmd, tt.columns)
			code, screen := await(t, ended, shown), shown.String()
			if code != exitDrift || !strings.Contains(screen, "Refreshing state...") || !strings.Contains(screen, "local_file.motd") {
				t.Errorf("%s at %d columns, %s: scan = %d\n%s", tool.Name, tt.columns, tt.env, code, screen)
			}
			if strings.Contains(screen, "\x1b[") != tt.colors {
				t.Errorf("%s at %d columns, %s: colours %v, want %v\n%q", tool.Name, tt.columns, tt.env, !tt.colors, tt.colors, screen)
			}
			_, table, found := strings.Cut(screen, "prod/files")
			if !found {
				t.Errorf("%s at %d columns shows no table:\n%s", tool.Name, tt.columns, screen)
			}
			for line := range strings.Lines(table) {
				line = strings.TrimRight(line, "\r\n")
				if text.StringWidthWithoutEscSequences(line) > int(tt.columns) && !strings.Contains(line, "http://") {
					t.Errorf("%s at %d columns: %q is wider", tool.Name, tt.columns, line)
				}
			}
		}
	}
}

// TestCtrlCInTheMiddle: Terraform hears of it once, stops in order, and nothing
// is left of it, of its plugins or of the plan.
func TestCtrlCInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		scenario tftest.Scenario
		times    int
		want     []string
	}{
		{tftest.PlanWaits, 1, []string{"Interrupt 1 received.", "operation canceled", "stopped"}},
		{tftest.PlanIgnores, 2, []string{"Interrupt 1 received.", "stopped"}},
	} {
		t.Run(string(tt.scenario), func(t *testing.T) {
			t.Parallel()
			h := serve(t)
			tool := tftest.StandIn(t, tt.scenario)
			cmd := scanProgram(t, h.scanEnv(tool.Env...), "--stack", "prod/files", "--dir", tool.Dir, "--report-errors")
			terminal, shown, ended := inTerminal(t, cmd, 80)
			until(t, shown, func() bool { return len(children(tool)) == 2 })
			for n := range tt.times {
				if n == 1 {
					until(t, shown, func() bool { return strings.Contains(shown.String(), "Interrupt 1") })
				}
				if _, err := terminal.WriteString("\x03"); err != nil {
					t.Fatal(err)
				}
			}
			code, screen := await(t, ended, shown), shown.String()
			if code != exitFailure || strings.Contains(screen, "Interrupt 2") {
				t.Errorf("scan = %d, want 1 and one interrupt\n%s", code, screen)
			}
			for _, want := range tt.want {
				if !strings.Contains(screen, want) {
					t.Errorf("the screen lacks %q:\n%s", want, screen)
				}
			}
			for _, pid := range children(tool) {
				until(t, shown, func() bool { return !running(pid) })
			}
			if left, err := os.ReadDir(variable(cmd.Env, "TMPDIR")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
			if scans := get[listOf[struct{}]](h, "/api/v1/scans"); len(scans.Items) != 0 {
				t.Errorf("%d scans are kept; being stopped says nothing about the stack", len(scans.Items))
			}
		})
	}
}

// until waits for something that must happen.
func until(t *testing.T, shown *lockedBuffer, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !happened(); <-time.After(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it has not happened after 30 s; the screen:\n%s", shown)
		}
	}
}

// children are the processes of a stand-in that waits: itself and its plugin.
func children(tool tftest.Tool) []int {
	content, err := os.ReadFile(filepath.Join(tool.Dir, "pids"))
	if err != nil || !strings.HasSuffix(string(content), "\n") {
		return nil
	}
	var pids []int
	for field := range strings.FieldsSeq(string(content)) {
		if pid, err := strconv.Atoi(field); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// running tells a process at work from one that nobody has buried yet.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, rest, _ := strings.Cut(string(stat), ") ")
	return err != nil || !strings.HasPrefix(rest, "Z")
}
