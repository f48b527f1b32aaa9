//go:build unix

package terraformcli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/terraformcli"
	"github.com/driftsentry/driftsentry/internal/terraformcli/tftest"
	"github.com/driftsentry/driftsentry/internal/transcript"
)

func TestMain(m *testing.M) {
	terraformcli.GuardMain()
	tftest.Main()
	os.Exit(m.Run())
}

func runner(tool tftest.Tool) *terraformcli.Runner {
	return &terraformcli.Runner{Binary: tool.Binary, Dir: tool.Dir, Env: tool.Env}
}

// drifted are the addresses in a plan's resource_drift.
func drifted(t *testing.T, r *terraformcli.Runner, file string) string {
	t.Helper()
	plan, err := r.Show(t.Context(), file)
	if err != nil {
		t.Fatalf("Show() = %v", err)
	}
	text, err := io.ReadAll(plan)
	if err = errors.Join(err, plan.Close()); err != nil {
		t.Fatalf("reading what Show() gave: %v", err)
	}
	var document struct {
		Drift []struct{ Address string } `json:"resource_drift"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatalf("Show() gave %.200q: %v", text, err)
	}
	var addresses []string
	for _, d := range document.Drift {
		addresses = append(addresses, d.Address)
	}
	return strings.Join(addresses, " ")
}

func TestPlanAndShow(t *testing.T) {
	t.Parallel()
	for _, tool := range tftest.Tools(t) {
		t.Run(tool.Name, func(t *testing.T) {
			t.Parallel()
			r, file := runner(tool), filepath.Join(t.TempDir(), "tfplan")
			if err := r.Init(t.Context()); err != nil {
				t.Fatalf("Init() = %v", err)
			}
			if err := r.Plan(t.Context(), terraformcli.Plan{}, file); err != nil {
				t.Fatalf("Plan() = %v", err)
			}
			if got := drifted(t, r, file); got != "" {
				t.Errorf("before anything has drifted, the plan shows %s", got)
			}
			tool.Drift(t)
			// Flags of the environment that would spoil the plan are overruled.
			r.Env = append(r.Env, "TF_CLI_ARGS_plan=-lock=true -detailed-exitcode")
			var progress bytes.Buffer
			r.Progress = &progress
			if err := r.Plan(t.Context(), terraformcli.Plan{Args: []string{"-var=greeting=welcome"}}, file); err != nil {
				t.Fatalf("Plan() = %v\n%s", err, &progress)
			}
			if got := drifted(t, r, file); got != "local_file.motd" {
				t.Errorf("after the file is gone, the plan shows %q, want local_file.motd", got)
			}
			if got := drifted(t, r, file); got != "local_file.motd" {
				t.Errorf("the same plan shown again shows %q, want local_file.motd", got)
			}
			if said := progress.String(); !strings.Contains(said, "Refreshing state") || strings.Contains(said, "\x1b") {
				t.Errorf("progress without colours = %q", said)
			}
		})
	}
}

func TestAFailureIsShownAsItWasPrinted(t *testing.T) {
	t.Parallel()
	for _, tool := range tftest.Tools(t) {
		t.Run(tool.Name, func(t *testing.T) {
			t.Parallel()
			tool.Break(t)
			err := runner(tool).Plan(t.Context(), terraformcli.Plan{ConfigChanges: true}, filepath.Join(t.TempDir(), "tfplan"))
			failure, ok := errors.AsType[*terraformcli.Error](err)
			if !ok || failure.Shown || !strings.Contains(failure.Output, "Error: Reference to undeclared input variable") || !strings.Contains(failure.Output, "\n") ||
				!strings.HasSuffix(failure.Command, " plan") || !strings.Contains(err.Error(), "exit status 1") {
				t.Errorf("Plan() of a broken module = %#v", err)
			}
		})
	}
}

func TestShowThatBreaksIsNoPlan(t *testing.T) {
	t.Parallel()
	r := runner(tftest.StandIn(t, tftest.ShowBreaks))
	plan, err := r.Show(t.Context(), "tfplan")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, plan); err != nil {
		t.Fatalf("reading: %v", err)
	}
	failure, ok := errors.AsType[*terraformcli.Error](plan.Close())
	if !ok || !strings.Contains(failure.Output, "Failed to load plugin schemas") {
		t.Errorf("Close() = %v, want what Terraform said", failure)
	}
}

func TestShowThatNobodyReads(t *testing.T) {
	t.Parallel()
	tool := tftest.StandIn(t, tftest.ShowWaits)
	plan, err := runner(tool).Show(t.Context(), "tfplan")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(plan, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if err := plan.Close(); err == nil {
		t.Error("Close() of half a plan = nil, want an error")
	}
	gone(t, tool)
}

// TestWhatWasNotReadToItsEndIsNoPlan, even if the program did all it could.
func TestWhatWasNotReadToItsEndIsNoPlan(t *testing.T) {
	t.Parallel()
	plan, err := runner(tftest.StandIn(t, "")).Show(t.Context(), "tfplan")
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Close(); err == nil {
		t.Error("Close() of a plan that nobody has read = nil, want an error")
	}
}

// pids waits until the stand-in has written down its processes.
func pids(t *testing.T, tool tftest.Tool, want int) []int {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		content, _ := os.ReadFile(filepath.Join(tool.Dir, "pids"))
		fields := strings.Fields(string(content))
		if len(fields) < want {
			<-time.After(time.Millisecond)
			continue
		}
		var found []int
		for _, field := range fields {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, pid)
		}
		return found
	}
	t.Fatal("the stand-in has not started its processes")
	return nil
}

// gone checks that none of the stand-in's processes is left. What was killed may
// wait a moment for somebody to take note of it.
func gone(t *testing.T, tool tftest.Tool) {
	t.Helper()
	for _, pid := range pids(t, tool, 1) {
		deadline := time.Now().Add(30 * time.Second)
		for alive(pid) {
			if time.Now().After(deadline) {
				t.Errorf("process %d is still there", pid)
				break
			}
			<-time.After(time.Millisecond)
		}
	}
}

func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	// A dead process that its new parent has not buried yet runs no more.
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return !errors.Is(err, os.ErrNotExist) || !proc()
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func proc() bool {
	_, err := os.Stat("/proc/self/stat")
	return err == nil
}

type lockedBuffer = transcript.Buffer

func TestStopping(t *testing.T) {
	t.Parallel()
	stopped := errors.New("stopped")
	tests := []struct {
		name     string
		scenario tftest.Scenario
		grace    time.Duration
		kill     bool
		want     string
	}{
		{"in order", tftest.PlanWaits, time.Hour, false, "Error: operation canceled"},
		{"after its grace", tftest.PlanIgnores, 50 * time.Millisecond, false, ""},
		{"at once when told so", tftest.PlanIgnores, time.Hour, true, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tool := tftest.StandIn(t, tt.scenario)
			r, said, kill := runner(tool), new(lockedBuffer), make(chan struct{})
			r.Grace, r.Progress, r.Kill = tt.grace, said, kill
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() {
				pids(t, tool, 2)
				cancel(stopped)
				if tt.kill {
					close(kill)
				}
			}()
			err := r.Plan(ctx, terraformcli.Plan{}, filepath.Join(t.TempDir(), "tfplan"))
			if !errors.Is(err, stopped) {
				t.Errorf("Plan() = %v, want %v", err, stopped)
			}
			if !strings.Contains(said.String(), tt.want) || !tt.kill && !strings.Contains(said.String(), "Interrupt 1 received.") || strings.Contains(said.String(), "Interrupt 2") {
				t.Errorf("it said %q, want %q and one interrupt at most", said, tt.want)
			}
			gone(t, tool)
		})
	}
}

func TestWhatIsLeftBehindIsEnded(t *testing.T) {
	t.Parallel()
	tool := tftest.StandIn(t, tftest.Leaves)
	r := runner(tool)
	r.Progress = new(lockedBuffer)
	if err := r.Plan(t.Context(), terraformcli.Plan{}, filepath.Join(t.TempDir(), "tfplan")); err != nil {
		t.Errorf("Plan() that leaves a plugin behind = %v, want nil", err)
	}
}

func TestPlanRefusesFlagsThatSpoilIt(t *testing.T) {
	t.Parallel()
	for _, arg := range []string{"-refresh=false", "--refresh=false", "-destroy", "-out=elsewhere", "-json", "-refresh-only", "prod.tfvars"} {
		r := &terraformcli.Runner{Binary: "/nowhere"}
		if err := r.Plan(t.Context(), terraformcli.Plan{Args: []string{arg}}, "f"); err == nil || strings.Contains(err.Error(), "/nowhere") {
			t.Errorf("Plan(%s) = %v, want a refusal before anything runs", arg, err)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	dir, tofus := t.TempDir(), t.TempDir()
	for _, path := range []string{filepath.Join(dir, "terraform"), filepath.Join(dir, "tofu"), filepath.Join(tofus, "tofu")} {
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ name, path, want string }{
		{"", dir, filepath.Join(dir, "terraform")},
		{"", tofus + ":" + dir, filepath.Join(dir, "terraform")},
		{"", tofus, filepath.Join(tofus, "tofu")},
		{"tofu", dir, filepath.Join(dir, "tofu")},
		{filepath.Join(tofus, "tofu"), "", filepath.Join(tofus, "tofu")},
		{"", ".:" + t.TempDir(), ""},
		{"terragrunt", dir, ""},
		{"/nowhere/terraform", dir, ""},
	}
	for _, tt := range tests {
		got, err := terraformcli.Find(tt.name, tt.path)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("Find(%q, %q) = %q, %v, want %q", tt.name, tt.path, got, err, tt.want)
		}
	}
}
