//go:build e2e && !linux

package e2e

import "syscall"

// dieWithParent does nothing: only Linux can ask its kernel for that.
func dieWithParent() *syscall.SysProcAttr { return nil }
