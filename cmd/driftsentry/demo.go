package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/driftsentry/driftsentry/internal/devpg"
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

func (p process) demo(ctx context.Context, dir string, port int) (err error) {
	// Everything this process is told to stop by must reach the server it
	// becomes, so the signals are only borrowed until that runs.
	starting, stopStarting := context.WithTimeout(ctx, demoStart)
	defer stopStarting()
	interrupted := p.interrupts(starting, stopStarting)

	if err := portIsFree(starting, port); err != nil {
		return err
	}
	p.say("Starting a private PostgreSQL …\n")
	server, err := devpg.Start(starting, devpg.Options{Dir: dir, Download: true, Progress: p.stderr})
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	if _, err := postgres.Migrate(starting, server.URL()); err != nil {
		return err
	}
	if interrupted() {
		return nil
	}

	inner := p
	inner.env = demoEnvironment(p.env, server.URL(), port)
	inner.listening = func(address string) {
		go func() {
			if err := p.present(ctx, "http://"+address, dir); err != nil {
				p.say("driftsentry: the demo's data could not be loaded: %v\n", err)
			}
		}()
	}
	return inner.serve(ctx)
}

// interrupts cancels the start at the first signal. The returned function
// stops listening and reports whether there was one.
func (p process) interrupts(ctx context.Context, cancel context.CancelFunc) func() bool {
	stop, done := make(chan struct{}), make(chan bool, 1)
	go func() {
		select {
		case <-p.signals:
			cancel()
			done <- true
		case <-stop:
			done <- false
		case <-ctx.Done():
			done <- false
		}
	}()
	return func() bool {
		close(stop)
		return <-done
	}
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
// would take the demo somewhere else is left out; LOG_LEVEL and OTEL_* stay.
func demoEnvironment(env []string, database string, port int) []string {
	set := []string{
		"APP_ENV=development", "HOST=" + demoHost, "PORT=" + strconv.Itoa(port), "DATABASE_URL=" + database,
		"PUBLIC_URL=", "SHUTDOWN_DELAY=0s",
	}
	level := "LOG_LEVEL=warn" // the output is for reading; the log would bury it
	inherited := make([]string, 0, len(env)+len(set))
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		switch strings.TrimSuffix(name, "_FILE") {
		case "APP_ENV", "NODE_ENV", "HOST", "PORT", "DATABASE_URL", "PUBLIC_URL", "SHUTDOWN_DELAY":
			continue
		case "LOG_LEVEL":
			level = e
			continue
		}
		inherited = append(inherited, e)
	}
	return append(append(inherited, set...), level)
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
func (p process) present(ctx context.Context, url, dir string) error {
	client := demoClient{url: url, http: &http.Client{Timeout: time.Minute}}
	scans, err := demoScans()
	if err != nil {
		return err
	}
	p.print("\nReal plans, made by Terraform after somebody had changed things behind its back:\n\n")
	for _, scan := range scans {
		plan, err := demoPlans.ReadFile(scan.file)
		if err != nil {
			return fmt.Errorf("read a bundled plan: %w", err)
		}
		receipt, err := client.upload(ctx, scan.stack, plan)
		if err != nil {
			return err
		}
		c := receipt.Counts
		p.print("  %-13s %s   %2d new  %2d known  %2d resolved  %2d noise\n",
			scan.stack, path.Base(scan.file), c.Detected, c.Known, c.Resolved, c.Noise)
	}
	worst, err := client.worst(ctx)
	if err != nil {
		return err
	}
	p.print("\nOpen now, the worst first:\n\n")
	for _, d := range worst {
		p.print("  %-8s  %-7s  %-12s  %s\n            %s\n", d.Severity, d.Origin, d.Stack, d.Address, d.SeverityReason)
	}
	if len(worst) == 0 {
		return errors.New("the bundled plans left no open drift")
	}
	kept := "nothing is left behind"
	if dir != "" {
		kept = "the database stays in " + dir
	}
	p.print(demoHints, url, worst[0].ID, kept)
	return nil
}

const demoHints = `
Try it, in another terminal:

  # what is wrong outside of the code, the worst first
  curl -s '%[1]s/api/v1/drifts?status=detected&origin=outside&sort=-severity'

  # one drift: what changed, and its history
  curl -s '%[1]s/api/v1/drifts/%[2]s'
  curl -s '%[1]s/api/v1/drifts/%[2]s/timeline'

  # your own: run these where your Terraform code is
  terraform plan -refresh-only -out=tfplan
  terraform show -json tfplan | curl -s --data-binary @- '%[1]s/api/v1/scans?stack=my/stack'

  Serving on %[1]s, metrics on %[1]s/metrics
  Ctrl-C stops it; %[3]s.
`

// print writes for a person on stdout; a reader that went away wants no more.
func (p process) print(format string, args ...any) {
	_, _ = fmt.Fprintf(p.stdout, format, args...)
}
