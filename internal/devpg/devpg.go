// Package devpg runs a private PostgreSQL server on this machine for the demo
// and for tests: no Docker, no system service, nothing listening on a network.
//
// It finds the binaries, makes a cluster, runs the server as an ordinary user
// even when started by root, and leaves nothing behind, whether it is stopped
// or its parent is killed. It is not for production: it keeps no backups and
// tunes nothing, and it knows neither SQL nor our schema.
package devpg

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// Options say where a server finds its parts. The zero value is a temporary
// cluster made with whatever binaries this machine has.
type Options struct {
	// Binaries is the folder that holds postgres and initdb. Empty means
	// searching, in the order that ErrNoBinaries' message gives.
	Binaries string
	// Dir is the data directory. It is made when it is missing and kept when
	// the server stops. Empty means a temporary one that is removed, whose
	// data would not survive a power cut either.
	Dir string
	// InMemory puts a temporary cluster into memory where the system has a
	// folder for that with a gigabyte free. Making a database there takes a
	// twentieth of the time; nothing bounds what a large one would take.
	InMemory bool
	// MaxConns is the server's max_connections; 0 means 100.
	MaxConns int
	// Download allows fetching PostgreSQL (some 30 MB) when none is found here.
	Download bool
	// Progress hears, in words for people, of what takes a while. Nil means
	// nobody wants to know.
	Progress io.Writer
}

// How long each way of stopping may take before the next, rougher one.
const (
	fastShutdown      = 10 * time.Second
	immediateShutdown = 5 * time.Second
)

// Server is a running PostgreSQL server.
type Server struct {
	url     string
	data    string
	base    string // socket, log and temporary data; removed at the end
	process *process
	guard   *guard
	account *account
	stop    func() error
}

// Start finds PostgreSQL, makes or reuses a cluster and runs a server on it.
// It returns when the server accepts connections; ctx bounds only that, not
// the life of the server, which ends with Stop or with this process.
func Start(ctx context.Context, opts Options) (_ *Server, err error) {
	bin, err := findBinaries(ctx, &opts)
	if err != nil {
		return nil, err
	}
	acct, err := chooseAccount(opts.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{account: acct}
	if s.base, err = acct.tempDir(opts.InMemory && opts.Dir == ""); err != nil {
		return nil, err
	}
	s.stop = sync.OnceValue(s.shutdown)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()

	c := &cluster{bin: bin, account: acct, base: s.base, data: opts.Dir, temporary: opts.Dir == ""}
	if c.temporary {
		c.data = filepath.Join(s.base, "data")
	} else if c.data, err = filepath.Abs(opts.Dir); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	s.data = c.data
	// The guard comes before what it guards, so that no moment is unguarded.
	if s.guard, err = startGuard(acct, s.data, s.base); err != nil {
		return nil, err
	}
	c.guard = s.guard
	if err := c.prepare(ctx); err != nil {
		return nil, err
	}
	listen, err := chooseListener(s.base)
	if err != nil {
		return nil, err
	}
	s.url = listen.url
	if s.process, err = c.run(listen, opts.MaxConns); err != nil {
		return nil, err
	}
	if err := c.waitReady(ctx, s.process); err != nil {
		return nil, err
	}
	return s, nil
}

// URL is how to connect to the server's database "postgres" as its superuser.
// It holds no secret: whoever may open the server's private folder may connect.
func (s *Server) URL() string { return s.url }

// Done is closed when the server has ended, whoever ended it.
func (s *Server) Done() <-chan struct{} { return s.process.done }

// KeyFile is the path of a file beside the server's data with a random text
// that stays the same as long as the data does. It is made when it is missing;
// nobody but the user whom the data belongs to, and root, may read it.
func (s *Server) KeyFile(name string) (string, error) {
	path := filepath.Join(s.data, name)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return path, err
	}
	// Made whole or not at all: an empty one would be refused for ever.
	draft := path + ".new"
	if err := os.WriteFile(draft, []byte(rand.Text()+rand.Text()+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("key file: %w", err)
	}
	if err := s.account.own(draft); err != nil {
		return "", err
	}
	if err := os.Rename(draft, path); err != nil {
		return "", fmt.Errorf("key file: %w", err)
	}
	return path, nil
}

// Stop shuts the server down, breaking connections that are still open, and
// removes everything temporary. It may be called more than once; every call
// returns the outcome of the first.
func (s *Server) Stop() error { return s.stop() }

func (s *Server) shutdown() error {
	var errs []error
	if s.process != nil {
		errs = append(errs, s.process.end())
	}
	if s.guard != nil {
		errs = append(errs, s.guard.dismiss())
	}
	if err := os.RemoveAll(s.base); err != nil {
		errs = append(errs, fmt.Errorf("remove the temporary folder: %w", err))
	}
	return errors.Join(errs...)
}

// end asks the server ever more firmly to stop, and waits until it has.
func (p *process) end() error {
	for _, way := range []struct {
		ask  func() error
		wait time.Duration
	}{
		{p.askFast, fastShutdown},
		{p.askImmediate, immediateShutdown},
	} {
		if err := way.ask(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop PostgreSQL: %w", err)
		}
		timer := time.NewTimer(way.wait)
		select {
		case <-p.done:
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
	if err := p.kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill PostgreSQL: %w", err)
	}
	<-p.done
	return errors.New("PostgreSQL did not stop when asked and was killed")
}

// maxConns is the setting that Options.MaxConns stands for.
func maxConns(n int) string {
	if n <= 0 {
		n = 100
	}
	return strconv.Itoa(n)
}
