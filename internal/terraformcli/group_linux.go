package terraformcli

import "syscall"

// endWithParent has the kernel ask the program to stop when we are killed.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGTERM }
