package main

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/driftsentry/driftsentry/internal/devpg"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// demoPlans are untouched outputs of terraform show -json, three for each of
// two stacks; the READMEs beside them tell how they were made.
//
//go:embed demodata/*/plan-*.json
var demoPlans embed.FS

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

// demoScan is one bundled plan and the stack it belongs to.
type demoScan struct{ stack, file string }

// demoScans lists the bundled plans, each stack's in the order they were made.
func demoScans() ([]demoScan, error) {
	files, err := fs.Glob(demoPlans, "demodata/*/plan-*.json")
	if err != nil {
		return nil, fmt.Errorf("list the bundled plans: %w", err)
	}
	scans := make([]demoScan, len(files))
	for i, file := range files {
		scans[i] = demoScan{stack: strings.Replace(path.Base(path.Dir(file)), "-", "/", 1), file: file}
	}
	return scans, nil
}

// present loads the bundled plans over the API, as anybody would, and says
// what came of it and what to try next.
func (p process) present(ctx context.Context, url string, credentials demoCredentials, dir string) error {
	client := demoClient{url: url, key: credentials.key, http: &http.Client{Timeout: time.Minute}}
	scans, err := demoScans()
	if err != nil {
		return err
	}
	p.print("\nReal plans, made by Terraform after somebody had changed things behind its back:\n\n")
	before := false
	for _, scan := range scans {
		plan, err := demoPlans.ReadFile(scan.file)
		if err != nil {
			return fmt.Errorf("read a bundled plan: %w", err)
		}
		receipt, loaded, err := client.upload(ctx, scan.stack, plan)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("  %-13s %s", scan.stack, path.Base(scan.file))
		if loaded {
			before = true
			p.print("%s   loaded before\n", name)
			continue
		}
		for _, o := range drift.Origins() {
			if c := receipt.ByOrigin[o]; o == drift.Outside || c != (demoCounts{}) {
				p.print("%s   %-7s  %2d new  %2d known  %2d resolved  %2d noise\n",
					name, o, c.Detected, c.Known, c.Resolved, c.Noise)
				name = strings.Repeat(" ", len(name))
			}
		}
	}
	worst, err := client.worst(ctx)
	if err != nil {
		return err
	}
	if len(worst) == 0 && !before {
		return errors.New("the bundled plans left no open drift")
	}
	if len(worst) == 0 { // everything has been decided
		p.print("\nNothing from outside is open.\n\n  Serving on %s, with X-API-Key: %s\n", url, credentials.key.Reveal())
		return nil
	}
	p.print("\nOpen now, the worst first:\n\n")
	for _, d := range worst {
		p.print("  %-8s  %-7s  %-12s  %s\n            %s\n", d.Severity, d.Origin, d.Stack, d.Address, d.SeverityReason)
	}
	kept := "nothing is left behind"
	if dir != "" {
		kept = "the database stays in " + dir
	}
	p.print(demoHints, url, worst[0].ID, kept, credentials.key.Reveal(), demoAdmin, credentials.password.Reveal())
	return nil
}

const demoHints = `
Try it, in another terminal:

  export DRIFTSENTRY_URL=%[1]s DRIFTSENTRY_API_KEY=%[4]s
  ask() { curl -s -H "X-API-Key: $DRIFTSENTRY_API_KEY" "$@"; }

  # what is wrong outside of the code, the worst first
  ask '%[1]s/api/v1/drifts?status=detected&origin=outside&sort=-severity'

  # decide about one, then read its history
  ask '%[1]s/api/v1/drifts/%[2]s/approve' -H 'Content-Type: application/json' \
    -d '{"reason":"not ours; bring it back to the code"}'
  ask '%[1]s/api/v1/drifts/%[2]s/timeline'

  # your own: run these where your Terraform code is
  terraform plan -refresh-only -out=tfplan
  terraform show -json tfplan | ask --data-binary @- '%[1]s/api/v1/scans?stack=my/stack'

  Serving on %[1]s, metrics on %[1]s/metrics
  Log in as %[5]s with the password %[6]s
  Ctrl-C stops it; %[3]s.
`

// print writes for a person on stdout; a reader that went away wants no more.
func (p process) print(format string, args ...any) {
	_, _ = fmt.Fprintf(p.stdout, format, args...)
}
