//go:build e2e

package e2e

import "syscall"

// dieWithParent has the kernel end what a crashed test leaves behind.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
