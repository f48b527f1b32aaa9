package devpg

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"unsafe"

	"golang.org/x/sys/windows"
)

// authMethod is how the server checks who connects: a port of this machine can
// be reached by every user of it, so there is a password.
const authMethod = "scram-sha-256"

// account is the user of this process. PostgreSQL refuses to run as an
// administrator here and says so itself; there is nobody to become instead.
type account struct{}

func (a *account) String() string { return "the current user" }

func chooseAccount(string) (*account, error) { return &account{}, nil }

func (a *account) apply(*exec.Cmd) {}

func (a *account) tempDir(bool) (string, error) {
	dir, err := os.MkdirTemp("", "driftsentry-pg-")
	if err != nil {
		return "", fmt.Errorf("temporary folder: %w", err)
	}
	return dir, nil
}

func (a *account) own(string) error { return nil }

func (a *account) makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	return nil
}

// listener is where the server listens and how to get there.
type listener struct {
	addresses, socketDir, port, url string
}

// chooseListener takes a port that is free just now. The password stays in a
// file beside the server's log, so that the URL holds no secret.
func chooseListener(base string) (*listener, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	if err := l.Close(); err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	q := url.Values{"sslmode": {"disable"}, "passfile": {filepath.Join(base, "pgpass")}}
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Host: "127.0.0.1:" + port, Path: "/postgres", RawQuery: q.Encode()}
	return &listener{addresses: "127.0.0.1", port: port, url: u.String()}, nil
}

// initdbSecret makes the superuser's password and leaves it where chooseListener's URL
// says. A kept cluster keeps its password beside its data.
func (c *cluster) initdbSecret() ([]string, error) {
	password := rand.Text()
	plain := filepath.Join(c.base, "password")
	if err := os.WriteFile(plain, []byte(password), 0o600); err != nil {
		return nil, fmt.Errorf("password file: %w", err)
	}
	if err := os.WriteFile(c.keptPassfile(), []byte("*:*:*:"+superuser+":"+password+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("password file: %w", err)
	}
	return []string{"--pwfile=" + plain}, nil
}

// keptPassfile is a sibling of the data directory: initdb wants that one empty.
func (c *cluster) keptPassfile() string { return c.data + ".pgpass" }

// process is the postmaster, in a job that ends with us.
type process struct {
	cmd     *exec.Cmd
	cluster *cluster
	job     windows.Handle
	done    chan struct{} // closed when it has ended
}

// startProcess puts the server into a job object whose last handle is ours:
// when this process goes, however it goes, Windows ends the server too. Its
// temporary folder stays behind then; here only Stop removes that.
func startProcess(cmd *exec.Cmd, c *cluster) (*process, error) {
	passfile, err := os.ReadFile(c.keptPassfile())
	if err != nil {
		return nil, fmt.Errorf("password file: %w", err)
	}
	if err := os.WriteFile(filepath.Join(c.base, "pgpass"), passfile, 0o600); err != nil {
		return nil, fmt.Errorf("password file: %w", err)
	}
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return nil, fmt.Errorf("job object: %w", err)
	}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	if _, err := windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits))); err != nil {
		return nil, errors.Join(fmt.Errorf("job object: %w", err), windows.CloseHandle(job))
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, windows.CloseHandle(job))
	}
	p := &process{cmd: cmd, cluster: c, job: job, done: make(chan struct{})}
	if err := p.join(); err != nil {
		return nil, errors.Join(fmt.Errorf("job object: %w", err), cmd.Process.Kill(), windows.CloseHandle(job))
	}
	go func() {
		// How it ended is in its log; that it ended is all we act on.
		_ = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

func (p *process) join() error {
	h, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(p.cmd.Process.Pid))
	if err != nil {
		return err
	}
	return errors.Join(windows.AssignProcessToJobObject(p.job, h), windows.CloseHandle(h))
}

// interrupt ends a program; there is no way to ask one here.
func interrupt(p *os.Process) error { return p.Kill() }

func (p *process) pid() string { return strconv.Itoa(p.cmd.Process.Pid) }

func (p *process) askFast() error      { return p.pgCtlStop("fast") }
func (p *process) askImmediate() error { return p.pgCtlStop("immediate") }

// pgCtlStop has pg_ctl speak to the server: PostgreSQL emulates signals on
// Windows over a pipe of its own.
func (p *process) pgCtlStop(mode string) error {
	return exec.Command(p.cluster.bin.path("pg_ctl"), "stop", "-W", "-D", p.cluster.data, "-m", mode).Run()
}

func (p *process) kill() error { return windows.TerminateJobObject(p.job, 1) }

// guard has nothing to do here: the job object ends the server.
type guard struct{}

func startGuard(*account, string, string) (*guard, error) { return &guard{}, nil }

func (g *guard) dismiss() error { return nil }
