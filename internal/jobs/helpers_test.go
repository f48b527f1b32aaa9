package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/driftsentry/driftsentry/internal/jobs"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// TestMain also finds what a stopped Runner left running. The server of the
// tests ends with their process.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/driftsentry/driftsentry/internal/devpg.startProcess.func1"))
}

// patience bounds every wait: far longer than anything takes.
const patience = time.Minute

// receive is the next value of c.
func receive[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s within %v", what, patience)
		panic("unreachable")
	}
}

func open(t *testing.T, address string) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Options{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// report is what the hook round a run was told.
type report struct {
	task string
	err  error
}

// replica is a Runner with a database of its own to itself, as a process has.
type replica struct {
	*jobs.Runner
	db      *postgres.DB
	reports chan report
	trouble chan string
}

// replicaOf makes one that is not started. It is stopped with the test.
func replicaOf(t *testing.T, address string, tasks ...jobs.Task) *replica {
	t.Helper()
	r := &replica{db: open(t, address), reports: make(chan report, 1000), trouble: make(chan string, 1000)}
	var err error
	r.Runner, err = jobs.New(t.Context(), jobs.InAHurry(r.options(tasks...)))
	if err != nil {
		t.Fatalf("New() = %v", err)
	}
	t.Cleanup(func() { r.stop(t) })
	return r
}

// options has a small telemetry round the runs.
func (r *replica) options(tasks ...jobs.Task) jobs.Options {
	return jobs.Options{
		DB: r.db, Tasks: tasks,
		Trouble: func(_ context.Context, err error) { r.trouble <- err.Error() },
		Run: func(ctx context.Context, name string, work func(context.Context) error) (err error) {
			defer func() {
				if v := recover(); v != nil {
					err = fmt.Errorf("panic: %v", v)
				}
				r.reports <- report{name, err}
			}()
			return work(ctx)
		},
	}
}

func (r *replica) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.Stop(ctx); err != nil {
		t.Errorf("Stop() = %v, want nil", err)
	}
}

// line is the network between a replica and the database, which can be cut.
type line struct {
	address string
	listen  net.Listener
	back    func() (net.Conn, error)

	mu    sync.Mutex
	down  bool
	conns []net.Conn
	done  sync.WaitGroup
}

func newLine(t *testing.T, address string) *line {
	t.Helper()
	host, port, _ := postgres.Address(address)
	network, to := "tcp", net.JoinHostPort(host, strconv.Itoa(port))
	if strings.HasPrefix(host, "/") {
		network, to = "unix", fmt.Sprintf("%s/.s.PGSQL.%d", host, port)
	}
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{listen: listen, back: func() (net.Conn, error) { return net.Dial(network, to) }}
	_, front, err := net.SplitHostPort(listen.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	l.address = address + " host=127.0.0.1 port=" + front // a DSN of key=value settings
	if u, err := url.Parse(address); err == nil && u.Scheme != "" {
		q := u.Query()
		q.Set("host", "127.0.0.1")
		q.Set("port", front)
		u.RawQuery = q.Encode()
		l.address = u.String()
	}
	l.done.Go(l.serve)
	t.Cleanup(func() {
		listen.Close()
		l.cut()
		l.done.Wait()
	})
	return l
}

func (l *line) serve() {
	for {
		front, err := l.listen.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			l.join(front)
		}
	}
}

func (l *line) join(front net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	back, err := l.back()
	if err != nil || l.down {
		front.Close()
		if err == nil {
			back.Close()
		}
		return
	}
	l.conns = append(l.conns, front, back)
	for from, to := range map[net.Conn]net.Conn{front: back, back: front} {
		l.done.Go(func() {
			defer to.Close()
			// Whatever ends one way ends the other.
			_, _ = io.Copy(to, from)
		})
	}
}

// cut breaks every connection and lets none be made.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for _, c := range l.conns {
		c.Close()
	}
	l.conns = nil
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}
