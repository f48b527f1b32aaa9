//go:build unix

package devpg

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user the server runs as. PostgreSQL refuses to be root.
type account struct {
	name       string
	credential *syscall.Credential // nil: whoever runs this process
}

func (a *account) String() string { return "user " + a.name }

// chooseAccount is the user of this process, unless that is root: then the
// owner of dir if it belongs to somebody else, else postgres, else nobody.
func chooseAccount(dir string) (*account, error) {
	if os.Geteuid() != 0 {
		return &account{name: strconv.Itoa(os.Geteuid())}, nil
	}
	if info, err := os.Stat(dir); dir != "" && err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 {
			return &account{
				name:       strconv.FormatUint(uint64(st.Uid), 10),
				credential: &syscall.Credential{Uid: st.Uid, Gid: st.Gid},
			}, nil
		}
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("uid of %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("gid of %s: %w", name, err)
		}
		return &account{name: name, credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody to run it as")
}

// apply makes cmd run as the account, in a session of its own: a Ctrl-C in the
// terminal is for us, and we stop the server in order.
func (a *account) apply(cmd *exec.Cmd) {
	attr := &syscall.SysProcAttr{Credential: a.credential, Setsid: true}
	dieWithParent(attr)
	cmd.SysProcAttr = attr
}

// tempDir makes a private folder of the account under a path short enough for
// a socket, of which the address has room for some hundred bytes: macOS's own
// temporary folders are longer than half of that.
func (a *account) tempDir(inMemory bool) (string, error) {
	parents := []string{"/tmp", os.TempDir()}
	if shm := memoryDir(); inMemory && shm != "" {
		parents = append([]string{shm}, parents...)
	}
	var errs []error
	for _, parent := range parents {
		dir, err := os.MkdirTemp(parent, "driftsentry-pg-")
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if err := a.own(dir); err != nil {
			return "", errors.Join(err, os.Remove(dir))
		}
		return dir, nil
	}
	return "", fmt.Errorf("temporary folder: %w", errors.Join(errs...))
}

// makeDir makes dir, and folders above it, for the account alone.
func (a *account) makeDir(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("data directory: %w", err)
	}
	return a.own(dir)
}

func (a *account) own(dir string) error {
	if a.credential == nil {
		return nil
	}
	if err := os.Chown(dir, int(a.credential.Uid), int(a.credential.Gid)); err != nil {
		return fmt.Errorf("give %s to %s: %w", dir, a.name, err)
	}
	return nil
}
