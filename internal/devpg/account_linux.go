package devpg

import "syscall"

// dieWithParent has the kernel ask the child for a fast shutdown when the
// thread that started it ends: see startProcess for that thread.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }

// memoryDir is a folder in memory with room for a small cluster; empty when
// there is none. Containers have one too, by default with 64 MB.
func memoryDir() string {
	const dir, room = "/dev/shm", 1 << 30
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < room {
		return ""
	}
	return dir
}
