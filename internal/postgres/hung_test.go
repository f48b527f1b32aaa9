//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

func TestAHungServerIsNoticedInTime(t *testing.T) {
	t.Parallel()
	db, url, _ := privateServer(t)
	if err := db.Ready(t.Context()); err != nil {
		t.Fatalf("Ready() = %v", err)
	}
	processes := serverProcesses(t, url)
	signalAll(t, processes, syscall.SIGSTOP)
	// Stop cannot end a server that does not listen to it.
	t.Cleanup(func() { signalAll(t, processes, syscall.SIGCONT) })

	start := time.Now()
	for what, ask := range map[string]func(context.Context) error{
		"Ready":      db.Ready,
		"OpenCounts": func(ctx context.Context) error { _, err := db.OpenCounts(ctx); return err },
		"InTx":       func(ctx context.Context) error { return db.InTx(ctx, func(*postgres.Tx) error { return nil }) },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if err := ask(ctx); fault.KindOf(err) != fault.Timeout {
			t.Errorf("%s() of a hung server = %v, want Timeout", what, err)
		}
		cancel()
	}
	// A generous bound: the point is that nothing waits for the server.
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("three calls with 100 ms each took %v", took)
	}
	signalAll(t, processes, syscall.SIGCONT)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := db.Ready(ctx); err != nil {
		t.Errorf("Ready() of a server that goes on = %v, want nil", err)
	}
}

// serverProcesses lists the postmaster and every process below it that serves
// us. The postmaster's pid is the first line of its pid file.
func serverProcesses(t *testing.T, url string) []int {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	var dir string
	if err := conn.QueryRow(t.Context(), `SHOW data_directory`).Scan(&dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(dir + "/postmaster.pid")
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	var pids []int
	for _, row := range append([][]string{{first}}, query(t, conn, `SELECT pid FROM pg_stat_activity WHERE datname IS NOT NULL`)...) {
		pid, err := strconv.Atoi(row[0])
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

func signalAll(t *testing.T, pids []int, sig syscall.Signal) {
	t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Errorf("signal %v to %d: %v", sig, pid, err)
		}
	}
}
