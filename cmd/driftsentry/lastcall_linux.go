package main

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// lastCall lets nobody new in, while l goes on accepting those who are.
//
// Closing a port at once resets every connection that the kernel has taken and
// the program has not: under load, requests that fail for nothing. After this
// the kernel ignores whoever wants to connect; they ask again a second later,
// when the port is closed, and are refused. Where the kernel won't do that, l is
// closed at once all the same.
func lastCall(l net.Listener) error {
	const flags, connect = 13, 0x02 // where a TCP header has SYN, and which bit that is
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: flags},
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: connect, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},       // ignored
		{Code: unix.BPF_RET | unix.BPF_K, K: 1 << 18}, // let through, whole
	}
	filtered := errors.ErrUnsupported
	if listener, ok := l.(syscall.Conn); ok {
		raw, err := listener.SyscallConn()
		if err != nil {
			return err
		}
		if err := raw.Control(func(fd uintptr) {
			filtered = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
				&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
		}); err != nil {
			return err
		}
	}
	if filtered != nil {
		return l.Close()
	}
	return nil
}
