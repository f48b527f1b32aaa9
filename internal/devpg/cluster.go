package devpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// superuser owns the clusters made here. It has no password: the server can
// only be reached through a folder that is private to its account.
const superuser = "driftsentry"

// cluster is a data directory with the binaries that understand it.
type cluster struct {
	bin       *binaries
	account   *account
	guard     *guard
	base      string
	data      string
	temporary bool
}

// prepare makes the cluster, or checks that one which is there can be used.
func (c *cluster) prepare(ctx context.Context) error {
	version, err := os.ReadFile(filepath.Join(c.data, "PG_VERSION"))
	if err == nil {
		if have := strings.TrimSpace(string(version)); have != fmt.Sprint(c.bin.major) {
			return fmt.Errorf("data directory %s was made by PostgreSQL %s and the binaries in %s are version %d: "+
				"set %s to those of version %s, or name another directory",
				c.data, have, c.bin.dir, c.bin.major, binariesVariable, have)
		}
		return nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read the data directory: %w", err)
	}
	if entries, err := os.ReadDir(c.data); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is neither empty nor a PostgreSQL data directory; nothing in it was touched", c.data)
	}
	if err := c.account.makeDir(c.data); err != nil {
		return err
	}
	return c.initdb(ctx)
}

// initdbCleanup is how long an interrupted initdb may take to clean up.
const initdbCleanup = 5 * time.Second

func (c *cluster) initdb(ctx context.Context) error {
	args := []string{
		"--pgdata=" + c.data, "--username=" + superuser, "--encoding=UTF8",
		// The same order and the same English messages on every machine.
		"--locale=C", "--auth=" + authMethod,
	}
	if c.temporary {
		args = append(args, "--no-sync")
	}
	more, err := c.initdbSecret()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, c.bin.path("initdb"), append(args, more...)...)
	c.account.apply(cmd)
	cmd.Dir = c.base
	cmd.Env = cleanEnv(c.base)
	// Asked, and not killed, initdb removes what it has made so far: a named
	// directory can be used the next time.
	cmd.Cancel = func() error { return interrupt(cmd.Process) }
	cmd.WaitDelay = initdbCleanup
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return fmt.Errorf("initdb in %s: %w", c.data, ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("initdb in %s as %s: %w\n%s", c.data, c.account, err, bytes.TrimSpace(out))
	}
	return nil
}

// run starts the server. It does not wait until it accepts connections.
func (c *cluster) run(l *listener, conns int) (*process, error) {
	settings := map[string]string{
		"listen_addresses":        l.addresses,
		"unix_socket_directories": l.socketDir,
		"unix_socket_permissions": "0700",
		"port":                    l.port,
		"max_connections":         maxConns(conns),
		"cluster_name":            "driftsentry-dev",
		"timezone":                "UTC",
		"log_timezone":            "UTC",
		"log_line_prefix":         "%m [%p] %d ",
		"logging_collector":       "off",
		"jit":                     "off", // compiles longer than our queries run
	}
	if c.temporary {
		// A power cut loses the directory's purpose along with its data.
		settings["fsync"] = "off"
		settings["synchronous_commit"] = "off"
		settings["full_page_writes"] = "off"
		settings["max_wal_size"] = "256MB"
	}
	args := []string{"-D", c.data}
	for name, value := range settings {
		args = append(args, "-c", name+"="+value)
	}
	log, err := os.OpenFile(c.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("server log: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(c.bin.path("postgres"), args...) //nolint:noctx // ctx bounds the start, Stop ends the server
	c.account.apply(cmd)
	cmd.Dir = c.base
	cmd.Env = cleanEnv(c.base)
	cmd.Stdout, cmd.Stderr = log, log
	p, err := startProcess(cmd, c)
	if err != nil {
		return nil, fmt.Errorf("start %s as %s: %w", cmd.Path, c.account, err)
	}
	return p, nil
}

func (c *cluster) logFile() string { return filepath.Join(c.base, "server.log") }

// waitReady waits until the server has written into its pid file that it
// accepts connections, as pg_ctl does. Connecting instead would need a driver.
func (c *cluster) waitReady(ctx context.Context, p *process) error {
	const readyLine = 7 // LOCK_FILE_LINE_PM_STATUS of PostgreSQL's miscadmin.h, from 0
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.done:
			return fmt.Errorf("PostgreSQL ended while starting; its log says:\n%s", c.logTail())
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL was not ready in time: %w; its log says:\n%s", ctx.Err(), c.logTail())
		case <-tick.C:
		}
		text, err := os.ReadFile(filepath.Join(c.data, "postmaster.pid"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("read the server's pid file: %w", err)
		}
		lines := strings.Split(string(text), "\n")
		// A pid file of another process is one left by a server that died.
		if len(lines) > readyLine && lines[0] == p.pid() && strings.TrimSpace(lines[readyLine]) == "ready" {
			return nil
		}
	}
}

// logTail is the end of the server's log, which says why it would not start.
func (c *cluster) logTail() string {
	const most = 2000
	text, err := os.ReadFile(c.logFile())
	if err != nil {
		return err.Error()
	}
	if len(text) > most {
		text = text[len(text)-most:]
	}
	return strings.TrimSpace(string(text))
}

// cleanEnv is the environment without what would bend PostgreSQL (PGDATA,
// PGPORT, PGOPTIONS, a locale that translates its messages).
func cleanEnv(home string) []string {
	env := []string{"LC_ALL=C", "HOME=" + home}
	for _, v := range os.Environ() {
		switch name, _, _ := strings.Cut(v, "="); {
		case name == "PATH", name == "SYSTEMROOT", name == "SystemRoot", name == "TMP", name == "TEMP",
			name == "LD_LIBRARY_PATH", name == "DYLD_LIBRARY_PATH":
			env = append(env, v)
		}
	}
	return env
}
