//go:build unix

package devpg

import (
	"fmt"
	"io"
	"os/exec"
	"syscall"
)

// guardScript waits on a pipe that only this process holds the other end of.
// A line means that all went in order; the end of the pipe without one means
// that this process is gone, however it went: then it ends the server and
// removes what is temporary. Only a server whose pid file names our socket
// folder (its fifth line) is ended, because a named data directory may be in
// use by somebody else's.
const guardScript = `
if read -r _; then exit 0; fi
pidfile=$1/postmaster.pid base=$2 i=0
while [ "$(sed -n 5p "$pidfile" 2>/dev/null)" = "$base" ]; do
	pid=$(head -n 1 "$pidfile")
	kill -0 "$pid" 2>/dev/null || break
	case $i in 0) kill -INT "$pid" ;; 50) kill -QUIT "$pid" ;; 100) kill -KILL "$pid" ;; esac
	i=$((i + 1))
	sleep 0.1
done
rm -rf -- "$base" || { sleep 1; rm -rf -- "$base"; }
`

// guard cleans up when this process is killed. The kernel closes a killed
// process's pipes on every Unix; a parent-death signal exists only on Linux
// and removes no folder.
type guard struct {
	cmd  *exec.Cmd
	pipe io.WriteCloser
}

func startGuard(acct *account, data, base string) (*guard, error) {
	//nolint:noctx // it must outlive everything of ours
	cmd := exec.Command("/bin/sh", "-c", guardScript, "driftsentry-guard", data, base)
	// A session of its own, and no parent-death signal: it outlives us by design.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: acct.credential, Setsid: true}
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("pipe to the guard: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	return &guard{cmd: cmd, pipe: pipe}, nil
}

// dismiss tells the guard that there is nothing left to do.
func (g *guard) dismiss() error {
	if _, err := io.WriteString(g.pipe, "stopped\n"); err != nil {
		return fmt.Errorf("dismiss the guard: %w", err)
	}
	if err := g.pipe.Close(); err != nil {
		return fmt.Errorf("dismiss the guard: %w", err)
	}
	if err := g.cmd.Wait(); err != nil {
		return fmt.Errorf("dismiss the guard: %w", err)
	}
	return nil
}
