package postgres

import (
	"context"
	"errors"
	"strings"
	"syscall"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of linux/tcp.h, which package syscall does
// not name.
const tcpUserTimeout = 18

// giveUpOnSilence bounds how long sent data may stay unacknowledged.
// Keepalives do not run while data is in flight, and without this the kernel
// retries for a quarter of an hour.
func giveUpOnSilence(_ context.Context, network, _ string, c syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var err error
	return errors.Join(c.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(deadPeer.Milliseconds()))
	}), err)
}
