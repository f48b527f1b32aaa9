package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/driftsentry/driftsentry/internal/devpg"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// demoStart bounds getting a database from nothing, a download included.
const demoStart = 10 * time.Minute

func (p process) demoCommand() *cobra.Command {
	var dir string
	var port int
	demo := &cobra.Command{
		Use:   "demo",
		Short: "Run everything on this machine with nothing to set up",
		Long: "Starts a private PostgreSQL from the binaries on this machine, or fetches them, loads\n" +
			"real Terraform plans, serves the API on this machine alone and prints what to try.\n" +
			"Ctrl-C leaves nothing behind, unless --data names a directory to keep.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.demo(cmd.Context(), dir, port) },
	}
	demo.Flags().StringVar(&dir, "data", "", "keep the database in this `directory`")
	demo.Flags().IntVar(&port, "port", defaultPort, "serve on this port; 0 takes any free one")
	return demo
}

const defaultPort = 3001

// Why a demo ends, as the cause of its context.
var (
	errStopped      = errors.New("asked to stop")
	errDatabaseGone = errors.New("PostgreSQL has ended by itself")
)

// demo runs until it is told to stop, at whatever point that comes.
func (p process) demo(ctx context.Context, dir string, port int) error {
	running, end := context.WithCancelCause(ctx)
	defer end(nil)
	done := make(chan struct{})
	defer close(done)
	p.signals, p.hangups = p.stopSignals(done, func() { end(errStopped) }), nil
	err := p.runDemo(running, end, dir, port)
	switch {
	case errors.Is(context.Cause(running), errDatabaseGone):
		return errReported
	case err == nil:
		p.say("Stopped.\n")
	}
	return err
}

// stopSignals hands on the signals to stop, which in a demo a closed terminal
// is too, until done. At each it calls interrupted before.
func (p process) stopSignals(done <-chan struct{}, interrupted func()) <-chan os.Signal {
	stops := make(chan os.Signal, 2)
	go func() {
		for range cap(stops) { // a third changes nothing
			var s os.Signal
			select {
			case s = <-p.signals:
			case s = <-p.hangups:
			case <-done:
				return
			}
			interrupted()
			stops <- s
		}
	}()
	return stops
}

// runDemo starts a database, serves on it and loads the plans, until running
// is over; end ends it, too.
func (p process) runDemo(running context.Context, end context.CancelCauseFunc, dir string, port int) (err error) {
	// What an interruption makes fail is no failure.
	starting := func(err error) error {
		if running.Err() != nil {
			return nil //nolint:nilerr // see above
		}
		return err
	}
	start, started := context.WithTimeout(running, demoStart)
	defer started()
	if err := portIsFree(start, port); err != nil {
		return starting(err)
	}
	p.say("Starting a private PostgreSQL …\n")
	server, err := devpg.Start(start, devpg.Options{Dir: dir, Download: true, Progress: p.stderr})
	if err != nil {
		return starting(fmt.Errorf("start PostgreSQL: %w", err))
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	if _, err := postgres.Migrate(start, server.URL()); err != nil {
		return starting(err)
	}
	settings := []string{"DATABASE_URL=" + server.URL(), "PORT=" + strconv.Itoa(port)}
	if dir != "" {
		// With another key at the next start, every hidden value would look changed.
		key, err := server.KeyFile("driftsentry-fingerprint.key")
		if err != nil {
			return err
		}
		settings = append(settings, "FINGERPRINT_KEY_FILE="+key)
	} else {
		// So that the audit trail is signed, by the demo's own commands too.
		settings = append(settings, "JWT_SECRET="+rand.Text()+rand.Text(), "JWT_SECRET_PREVIOUS=")
	}
	if running.Err() != nil {
		return nil
	}

	// A signal is for the service alone, which stops in order. It also stops
	// when its database is gone or nobody wants to know any more.
	serving, abandon := context.WithCancel(context.WithoutCancel(running))
	var beside sync.WaitGroup
	defer beside.Wait()
	defer end(nil)
	beside.Go(func() {
		defer abandon()
		select {
		case <-server.Done():
			p.say("driftsentry: the demo's PostgreSQL has ended by itself; stopping\n")
			end(errDatabaseGone)
		case <-running.Done():
			if errors.Is(context.Cause(running), errStopped) {
				<-serving.Done()
			}
		}
	})
	defer abandon()
	inner := p
	inner.env = demoEnvironment(p.env, settings)
	credentials, err := inner.makeCredentials(start)
	if err != nil {
		return starting(err)
	}
	inner.listening = func(address string) {
		if p.listening != nil {
			p.listening(address)
		}
		beside.Go(func() {
			if err := p.present(running, "http://"+address, credentials, dir); err != nil && running.Err() == nil {
				p.say("driftsentry: the demo's data could not be loaded: %v\n", err)
			}
		})
	}
	return inner.serve(serving)
}

// portIsFree finds out before the database is started, which takes longer.
func portIsFree(ctx context.Context, port int) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(demoHost, strconv.Itoa(port)))
	if err != nil {
		return fmt.Errorf("port %d cannot be used (try --port 0 for any free one): %w", port, err)
	}
	return l.Close()
}

// demoHost keeps the demo to this machine.
const demoHost = "127.0.0.1"

// demoEnvironment is the caller's environment with what makes it a demo. What
// would take the demo somewhere else is left out; LOG_LEVEL, OTEL_* and a
// FINGERPRINT_KEY of the caller's stay.
func demoEnvironment(env, settings []string) []string {
	set := map[string]string{
		"APP_ENV": "development", "NODE_ENV": "", "HOST": demoHost, "PUBLIC_URL": "", "SHUTDOWN_DELAY": "0s",
	}
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		set[name] = value
	}
	set["LOG_LEVEL"] = "warn" // the output is for reading; the log would bury it
	for _, e := range env {
		switch name, value, _ := strings.Cut(e, "="); {
		case value == "":
		case name == "LOG_LEVEL", name == "LOG_LEVEL_FILE":
			delete(set, "LOG_LEVEL")
		case name == "FINGERPRINT_KEY", name == "FINGERPRINT_KEY_FILE":
			delete(set, "FINGERPRINT_KEY_FILE")
		}
	}
	var demo []string
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		_, ours := set[name]
		_, instead := set[strings.TrimSuffix(name, "_FILE")]
		if !ours && !instead && value != "" {
			demo = append(demo, e)
		}
	}
	for name, value := range set {
		demo = append(demo, name+"="+value)
	}
	return demo
}

// print writes for a person on stdout; a reader that went away wants no more.
func (p process) print(format string, args ...any) {
	_, _ = fmt.Fprintf(p.stdout, format, args...)
}
