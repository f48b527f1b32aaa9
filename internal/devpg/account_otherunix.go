//go:build unix && !linux

package devpg

import "syscall"

// dieWithParent does nothing: only Linux can ask its kernel for that. Here the
// guard alone ends the server.
func dieWithParent(*syscall.SysProcAttr) {}

// memoryDir is empty: only Linux has a folder in memory everywhere.
func memoryDir() string { return "" }
