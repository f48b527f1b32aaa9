//go:build unix && !linux

package terraformcli

import "syscall"

// endWithParent does nothing: only Linux can ask its kernel for that.
func endWithParent(*syscall.SysProcAttr) {}
