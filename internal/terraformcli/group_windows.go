package terraformcli

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup starts cmd in a group that a Ctrl-C does not reach.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// interrupt ends the program: Windows has no way to ask just one.
func interrupt(p *os.Process) error { return p.Kill() }

func killGroup(p *os.Process) { _ = p.Kill() }
