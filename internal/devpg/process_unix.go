//go:build unix

package devpg

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
)

// process is the postmaster.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// startProcess starts cmd and waits for its end in the background.
//
// It does both on one locked thread, because Linux ties Pdeathsig to the
// thread that started the child, not to the process: were the goroutine's
// thread to end, the server would be told to stop for no reason.
func startProcess(cmd *exec.Cmd, c *cluster) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		// How it ended is in its log; that it ended is all we act on.
		_ = cmd.Wait()
		close(p.done)
		// A Server that nobody holds any more must not lose its guard's pipe to
		// the garbage collector: closing it means that we are gone.
		runtime.KeepAlive(c.guard)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// interrupt asks a program to end in order.
func interrupt(p *os.Process) error { return p.Signal(syscall.SIGINT) }

func (p *process) pid() string { return strconv.Itoa(p.cmd.Process.Pid) }

// askFast asks for a shutdown that breaks off what clients are doing.
func (p *process) askFast() error { return p.cmd.Process.Signal(syscall.SIGINT) }

// askImmediate asks for one without a checkpoint: the next start recovers.
func (p *process) askImmediate() error { return p.cmd.Process.Signal(syscall.SIGQUIT) }

func (p *process) kill() error { return p.cmd.Process.Kill() }
