package terraformcli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultGrace = 20 * time.Second
	// showGrace is enough for a command that holds nothing.
	showGrace = time.Second
	// leftBehind is how long a plugin that outlives the program may hold on to
	// the program's output.
	leftBehind = 2 * time.Second
	// maxOutput is how much of what the program says on stderr is kept, in bytes.
	maxOutput = 256 << 10
)

// run runs one command to its end.
func (r *Runner) run(ctx context.Context, verb string, args ...string) error {
	cmd := r.prepare(verb, args)
	said := &tail{}
	cmd.Stderr = said
	if r.Progress != nil {
		// One writer for both keeps their order, and the copies from interleaving.
		watched := &sharedWriter{w: r.Progress}
		cmd.Stdout, cmd.Stderr = watched, io.MultiWriter(watched, said)
	}
	grace := r.Grace
	if grace == 0 {
		grace = defaultGrace
	}
	p, err := r.start(ctx, cmd, grace)
	if err != nil {
		return fmt.Errorf("%s: %w", r.command(verb), err)
	}
	if err := p.wait(); err != nil {
		return r.failure(ctx, verb, said.String(), err)
	}
	return nil
}

// stream runs a command whose output is wanted.
func (r *Runner) stream(ctx context.Context, verb string, args ...string) (io.ReadCloser, error) {
	cmd := r.prepare(verb, args)
	said := &tail{}
	cmd.Stderr = said
	// A pipe of our own: that of StdoutPipe is closed under the reader as soon as
	// the program has ended.
	out, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.command(verb), err)
	}
	cmd.Stdout = in
	ctx, cancel := context.WithCancelCause(ctx)
	p, err := r.start(ctx, cmd, showGrace)
	in.Close()
	if err != nil {
		cancel(nil)
		out.Close()
		return nil, fmt.Errorf("%s: %w", r.command(verb), err)
	}
	o := &output{File: out}
	o.end = sync.OnceValue(func() error {
		// Whoever closes before the end of the output wants no more of it.
		if !o.complete.Load() {
			cancel(errUnwanted)
		}
		// Before waiting: a program that writes what nobody reads would not end.
		out.Close()
		err := p.wait()
		if err != nil || !o.complete.Load() {
			err = r.failure(ctx, verb, said.String(), err)
		}
		cancel(nil)
		return err
	})
	return o, nil
}

var errUnwanted = errors.New("its output is not wanted any more")

// output is a program's output.
type output struct {
	*os.File
	complete atomic.Bool
	end      func() error
}

func (o *output) Read(p []byte) (int, error) {
	n, err := o.File.Read(p)
	if errors.Is(err, io.EOF) {
		o.complete.Store(true)
	}
	return n, err
}

// WriteTo hides that of the file, which would not notice the end.
func (o *output) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{o})
}

func (o *output) Close() error { return o.end() }

func (r *Runner) prepare(verb string, args []string) *exec.Cmd {
	args = append([]string{verb}, args...)
	if !r.Color {
		args = append(args[:1:1], append([]string{"-no-color"}, args[1:]...)...)
	}
	cmd := exec.Command(r.Binary, args...) //nolint:gosec,noctx // G204: running it is what this package is for; it is asked to stop in its own way
	cmd.Dir, cmd.WaitDelay = r.Dir, leftBehind
	// It must not read what is meant for us, nor wait for somebody to type.
	cmd.Stdin = nil
	cmd.Env = append(cmd.Env, r.Env...)
	// Terraform then leaves out advice to run commands that make no sense here.
	cmd.Env = append(cmd.Env, "TF_IN_AUTOMATION=1", "TF_INPUT=0")
	return cmd
}

func (r *Runner) failure(ctx context.Context, verb, said string, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return &Error{Command: r.command(verb), Output: strings.TrimRight(said, "\n"), Shown: r.Progress != nil && verb != "show", Err: err}
}

// running is a program that was started.
type running struct {
	done chan struct{}
	err  error
}

func (p *running) wait() error {
	<-p.done
	return p.err
}

// start starts cmd in a process group of its own and sees to its end: a Ctrl-C
// in the terminal reaches us alone, so that the program hears of it once (a
// second time would mean "at once, and leave the state as it is"), and what it
// started can't outlive it.
//
// All of it is done on one locked thread, because Linux ties the signal for "the
// parent has died" to the thread that started the child, not to the process.
func (r *Runner) start(ctx context.Context, cmd *exec.Cmd, grace time.Duration) (*running, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	ownGroup(cmd)
	p := &running{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		if p.err = cmd.Wait(); errors.Is(p.err, exec.ErrWaitDelay) {
			p.err = nil // the program itself has ended well
		}
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	r.Guard.watch(cmd.Process.Pid)
	go func() {
		select {
		case <-p.done:
		case <-r.Kill:
		case <-ctx.Done():
			_ = interrupt(cmd.Process) // it may just have ended
			timer := time.NewTimer(grace)
			defer timer.Stop()
			select {
			case <-p.done:
			case <-r.Kill:
			case <-timer.C:
			}
		}
		killGroup(cmd.Process) // plugins that a crash left behind, or all of it
		r.Guard.forget(cmd.Process.Pid)
	}()
	return p, nil
}

// sharedWriter lets two copies write to one place.
type sharedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

// Write drops what nobody can see: a terminal that went away must not make the
// program fail.
func (s *sharedWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.w.Write(p)
	return len(p), nil
}

// tail keeps the end of what is written.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
	cut bool
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(p)
	if more := t.buf.Len() - maxOutput; more > 0 {
		t.buf.Next(more)
		t.cut = true
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cut {
		return "…" + t.buf.String()
	}
	return t.buf.String()
}
