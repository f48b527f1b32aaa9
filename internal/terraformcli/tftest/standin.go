package tftest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asStandIn makes a test binary be the stand-in; its value is the Scenario.
const asStandIn = "DRIFTSENTRY_TEST_AS_TERRAFORM"

// Scenario is what the stand-in does beside playing back. Empty is nothing.
type Scenario string

// The scenarios.
const (
	// PlanWaits prints one line and then waits until it is interrupted, with a
	// plugin that is not. It writes both process ids into the file "pids".
	PlanWaits Scenario = "plan-waits"
	// PlanIgnores is PlanWaits that does not stop when it is interrupted.
	PlanIgnores Scenario = "plan-ignores"
	// ShowBreaks fails in the middle of show.
	ShowBreaks Scenario = "show-breaks"
	// ShowWaits stops in the middle of show, for ever.
	ShowWaits Scenario = "show-waits"
	// Leaves ends well and leaves a plugin behind that holds on to its output.
	Leaves Scenario = "leaves"
)

const plugin Scenario = "plugin"

// standInName is what the stand-in must be called by: a test binary that runs it
// hands its own environment on.
const standInName = "terraform"

// StandIn is the stand-in with a module of its own.
func StandIn(t *testing.T, scenario Scenario) Tool {
	t.Helper()
	if scenario == "" {
		scenario = "plays"
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	tool := Tool{Name: "stand-in", Binary: filepath.Join(bin, standInName), Dir: newModule(t)}
	if err := os.Symlink(self, tool.Binary); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(tool.Dir, removed), "welcome\n")
	tool.Env = []string{
		asStandIn + "=" + string(scenario), "PATH=" + bin + string(os.PathListSeparator) + variable("PATH"), "TMPDIR=" + os.TempDir(),
	}
	return tool
}

// Main is called first in TestMain: it does not return when the test binary is
// run as the stand-in.
func Main() {
	if scenario := Scenario(variable(asStandIn)); scenario != "" && filepath.Base(os.Args[0]) == standInName {
		os.Exit(play(scenario, os.Args[1:]))
	}
}

// Calls are the commands that a stand-in was given so far, each with the
// TRACEPARENT it was given.
func (tool Tool) Calls(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(tool.Dir, "calls"))
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(content)), "\n")
}

func play(scenario Scenario, args []string) int {
	if scenario == plugin {
		signal.Ignore(syscall.SIGINT)
		waitForEver()
	}
	if len(args) == 0 {
		return 127
	}
	note("calls", strings.Join(args, " ")+" TRACEPARENT="+variable("TRACEPARENT")+" key="+variable("DRIFTSENTRY_API_KEY"))
	switch args[0] {
	case "init":
		fmt.Fprintln(os.Stdout, "Initializing provider plugins...")
		return 0
	case "plan":
		return playPlan(scenario, args)
	case "show":
		return playShow(scenario, args[len(args)-1])
	}
	fmt.Fprintf(os.Stderr, "Terraform has no command named %q.\n", args[0])
	return 1
}

func playPlan(scenario Scenario, args []string) int {
	fmt.Fprintln(os.Stdout, "local_file.motd: Refreshing state...")
	switch scenario {
	case PlanWaits, PlanIgnores:
		return wait(scenario)
	case Leaves:
		startPlugin()
	default:
	}
	if _, err := os.Stat("broken.tf"); err == nil {
		fmt.Fprint(os.Stderr, "\nError: Reference to undeclared input variable\n\n  on broken.tf line 2, in resource \"local_file\" \"broken\":\n"+
			"   2:   filename = var.nowhere\n\nAn input variable with the name \"nowhere\" has not been declared.\n")
		return 1
	}
	for _, arg := range args {
		if file, ok := strings.CutPrefix(arg, "-out="); ok {
			if err := os.WriteFile(file, []byte("PK"), 0o600); err != nil { //nolint:gosec // G703: where it is told to, as Terraform does
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
	}
	fmt.Fprintln(os.Stdout, "Saved the plan to: tfplan")
	return 0
}

// wait is a plan that takes long.
func wait(scenario Scenario) int {
	interrupts := make(chan os.Signal, 2)
	signal.Notify(interrupts, syscall.SIGINT, syscall.SIGTERM)
	note("pids", fmt.Sprintf("%d\n%d", os.Getpid(), startPlugin()))
	for n := 1; ; n++ {
		<-interrupts
		fmt.Fprintf(os.Stdout, "Interrupt %d received.\n", n)
		if scenario == PlanWaits {
			fmt.Fprintln(os.Stderr, "\nError: operation canceled")
			return 1
		}
	}
}

// waitForEver waits for a signal that nobody sends: the runtime would call
// anything else a deadlock.
func waitForEver() {
	never := make(chan os.Signal, 1)
	signal.Notify(never, syscall.SIGHUP)
	<-never
}

// startPlugin starts what Terraform calls a plugin: a process of its own in the
// same group, that does not care for Ctrl-C.
func startPlugin() int {
	cmd := exec.Command(os.Args[0])                              //nolint:gosec,noctx // G204: itself
	cmd.Env = append(os.Environ(), asStandIn+"="+string(plugin)) //nolint:forbidigo // as Terraform does
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return cmd.Process.Pid
}

// playShow plays back the plan in file, made when the file was.
func playShow(scenario Scenario, file string) int {
	plan := said("clean")
	if _, err := os.Stat(removed); err != nil {
		plan = said("drift")
	}
	if info, err := os.Stat(file); err == nil { //nolint:gosec // G703: what it is told to show
		plan = timestamp.ReplaceAllString(plan, `"timestamp":"`+info.ModTime().UTC().Format(time.RFC3339Nano)+`"`)
	}
	switch scenario {
	case ShowBreaks:
		_, _ = io.WriteString(os.Stdout, plan[:len(plan)/2])
		fmt.Fprint(os.Stderr, "\nError: Failed to load plugin schemas\n")
		return 1
	case ShowWaits:
		note("pids", fmt.Sprint(os.Getpid()))
		_, _ = io.WriteString(os.Stdout, plan[:len(plan)/2])
		waitForEver()
	default:
	}
	_, _ = io.WriteString(os.Stdout, plan)
	return 0
}

var timestamp = regexp.MustCompile(`"timestamp":"[^"]*"`)

// note appends a line to a file of the module's.
func note(file, line string) {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // G304: in a folder of the test
	if err == nil {
		_, err = fmt.Fprintln(f, line)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	f.Close()
}
