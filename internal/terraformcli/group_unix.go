//go:build unix

package terraformcli

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup starts cmd as the head of a new process group.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(cmd.SysProcAttr)
}

// interrupt asks the program, and it alone, to stop in order.
func interrupt(p *os.Process) error { return p.Signal(syscall.SIGINT) }

// killGroup ends whatever is left of the program's group.
func killGroup(p *os.Process) {
	// There is nobody left in it, most of the time.
	_ = syscall.Kill(-p.Pid, syscall.SIGKILL)
}
