package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/driftsentry/driftsentry/internal/client"
	"github.com/driftsentry/driftsentry/internal/config"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/pipeline"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/report"
	"github.com/driftsentry/driftsentry/internal/telemetry"
	"github.com/driftsentry/driftsentry/internal/terraformcli"
)

// exitDrift says that open drifts count, like terraform plan -detailed-exitcode.
const exitDrift = 2

// errDrift ends a scan that went well and found what it was told to fail on.
var errDrift = errors.New("open drift")

// scanOptions are the flags of scan.
type scanOptions struct {
	stack, file string

	dir, terraform      string
	init, configChanges bool
	planArgs            []string

	failOn, origin string
	outputs, facts []string
	reportErrors   bool
	timeout        time.Duration
}

func (p process) scanCommand() *cobra.Command {
	var o scanOptions
	scan := &cobra.Command{
		Use:   "scan --stack NAME [FILE | - | --dir DIR [-- PLAN-FLAGS]]",
		Short: "Upload a plan from a pipeline, or make it with Terraform, and say what has drifted",
		Long: "Uploads a plan in JSON, as `terraform show -json` prints it, from a file or from standard\n" +
			"input. With --dir it runs terraform or tofu itself: a plan that refreshes, changes nothing\n" +
			"and locks nothing. The server is DRIFTSENTRY_URL, the key DRIFTSENTRY_API_KEY or the file\n" +
			"that DRIFTSENTRY_API_KEY_FILE names.\n\n" +
			"Exit code 0: nothing open counts. 2: there is open drift that counts. 1: it went wrong.\n" +
			"A drift that somebody has rejected is not open.",
		Example: "  terraform show -json tfplan | driftsentry scan --stack prod/network -\n" +
			"  driftsentry scan --stack prod/network --dir infra/network --init -- -var-file=prod.tfvars\n" +
			"  driftsentry scan --stack prod/network plan.json --output sarif=drift.sarif --output markdown=drift.md",
		RunE: func(cmd *cobra.Command, args []string) error {
			if n := cmd.ArgsLenAtDash(); n >= 0 {
				args, o.planArgs = args[:n], args[n:]
			}
			if len(args) > 1 {
				return fmt.Errorf("one plan at a time, not %d", len(args))
			}
			o.file = strings.Join(args, "")
			return p.scan(cmd.Context(), o)
		},
	}
	f := scan.Flags()
	f.StringVar(&o.stack, "stack", "", "the stack's `NAME`, such as prod/network (required)")
	f.StringVar(&o.dir, "dir", "", "run Terraform in this `DIR`")
	f.BoolVar(&o.init, "init", false, "with --dir: run init first")
	f.BoolVar(&o.configChanges, "config-changes", false, "with --dir: plan what the code asks for as well, and report it as pending")
	f.StringVar(&o.terraform, "terraform", "", "with --dir: the `PROGRAM` to run (default terraform, else tofu)")
	f.StringVar(&o.failOn, "fail-on", string(drift.Info), "the least `SEVERITY` that counts: critical, warning, info or none")
	f.StringVar(&o.origin, "origin", "", "the `ORIGIN` that counts: outside, pending or all (default outside, with --config-changes all)")
	f.StringArrayVarP(&o.outputs, "output", "o", nil,
		"`FORMAT` or FORMAT=FILE, again for more: table, json, sarif, junit, markdown (default table). "+
			"FILE is written anew; only markdown for $GITHUB_STEP_SUMMARY, which steps share, is appended")
	f.StringArrayVar(&o.facts, "ci", nil, "a fact about this run as `KEY=VALUE`, over what the CI system says; "+
		"again for more: "+strings.Join(pipeline.Keys(), " "))
	f.BoolVar(&o.reportErrors, "report-errors", false, "with --dir: record on the server that Terraform failed")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "how long the upload may take, all attempts together")
	return scan
}

// scanning is one scan under way.
type scanning struct {
	process
	scanOptions
	server  config.Scan
	policy  report.Policy
	outputs []output
	facts   pipeline.Facts
	trace   *telemetry.Command
	client  *client.Client
	// kill is closed when a second signal says "at once".
	kill <-chan struct{}
	// temp is Terraform's folder for files for a while, and guard what ends it
	// should we be killed.
	temp  string
	guard *terraformcli.Guard
}

// scan uploads one plan and tells what came of it.
func (p process) scan(ctx context.Context, o scanOptions) error {
	s := &scanning{process: p, scanOptions: o}
	if err := s.check(); err != nil {
		return err
	}
	ctx, stop := s.obeySignals(ctx)
	defer stop()
	build := readBuild()
	ctx, trace, err := telemetry.StartCommand(ctx, telemetry.CommandOptions{
		Service: "driftsentry-scan", Name: "driftsentry scan", Version: build.Version, Commit: build.Commit,
		Environ: p.env, Facts: s.facts, Secrets: []string{s.server.APIKey.Reveal()},
		Trouble: func(err error) { p.say("driftsentry: telemetry could not be sent: %v\n", err) },
	})
	if err != nil { // a scan without its trace is better than none
		p.say("driftsentry: %v\n", err)
	}
	s.trace = trace
	s.client = client.New(client.Options{
		URL: s.server.ServerURL, Key: s.server.APIKey, UserAgent: "driftsentry/" + build.Version, Wrap: trace.Transport,
		Retrying: func(err error, wait time.Duration) {
			p.say("driftsentry: %v; trying again in %s\n", err, wait.Round(time.Second/10))
		},
	})

	code := exitOK
	err = s.work(ctx)
	switch {
	case errors.Is(err, errDrift):
		code = exitDrift
	case err != nil:
		code = exitFailure
		ids := correlation.From(ctx)
		defer p.say("driftsentry: correlation id %s%s\n", ids.Correlation, prefixed(", trace id ", ids.Trace))
	}
	failure := err
	if code == exitDrift {
		failure = nil // finding drift is no failure
	}
	if err := trace.End(ctx, code, failure); err != nil {
		p.say("driftsentry: telemetry could not be sent: %v\n", err)
	}
	return err
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// work is everything between the first span and the last.
func (s *scanning) work(ctx context.Context) error {
	ids := correlation.From(ctx)
	scan := client.Scan{Stack: s.stack, Correlation: ids.Correlation, Metadata: s.facts.Header()}
	source, release, err := s.plan(ctx)
	defer release()
	if err == nil {
		scan.Plan = source
		var answer *client.Answer
		if answer, err = s.upload(ctx, scan); err == nil {
			return s.tell(ctx, answer)
		}
	}
	return s.failed(ctx, scan, err)
}

// ask finds out whether the server is there and knows us, before Terraform runs
// for a quarter of an hour.
func (s *scanning) ask(ctx context.Context) (err error) {
	ctx, cancel := s.within(ctx, "asking the server")
	defer cancel()
	ctx, end := s.trace.Phase(ctx, "check")
	defer func() { end(err) }()
	return s.client.Check(ctx, correlation.From(ctx).Correlation)
}

// within is ctx for as long as --timeout says.
func (s *scanning) within(ctx context.Context, what string) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("%s took longer than %s (--timeout)", what, s.timeout))
}

// upload sends the plan.
func (s *scanning) upload(ctx context.Context, scan client.Scan) (answer *client.Answer, err error) {
	ctx, cancel := s.within(ctx, "the upload")
	defer cancel()
	ctx, end := s.trace.Phase(ctx, "upload")
	defer func() { end(err) }()
	return s.client.Upload(ctx, scan)
}

// check refuses what makes no sense before anything is run, all flags at their
// own names.
func (s *scanning) check() error {
	var errs []error
	if s.stack == "" {
		errs = append(errs, errors.New("--stack is missing: name the stack, such as --stack prod/network"))
	}
	if s.stack != "" && s.dir != "" { // the server says so as well, but only after the plan
		if err := postgres.CheckStackName(s.stack); err != nil {
			errs = append(errs, fmt.Errorf("--stack: %w", err))
		}
	}
	switch {
	case s.file != "" && s.dir != "":
		errs = append(errs, fmt.Errorf("--dir makes a plan of its own: leave %s away", s.file))
	case s.file == "" && s.dir == "":
		errs = append(errs, errors.New("there is no plan: name a file, - for standard input, or --dir"))
	}
	if s.dir == "" && (s.init || s.configChanges || s.terraform != "" || s.reportErrors || len(s.planArgs) > 0) {
		errs = append(errs, errors.New("--init, --config-changes, --terraform, --report-errors and flags of plan go with --dir"))
	}
	if s.timeout <= 0 {
		errs = append(errs, errors.New("--timeout must be more than nothing"))
	}
	if s.failOn != "none" {
		if s.policy.FailOn = drift.Severity(s.failOn); !slices.Contains(drift.Severities(), s.policy.FailOn) {
			errs = append(errs, fmt.Errorf("--fail-on %q is none of critical, warning, info, none", s.failOn))
		}
	}
	switch s.origin {
	case string(drift.Outside), string(drift.Pending):
		s.policy.Origins = []drift.Origin{drift.Origin(s.origin)}
	case "all":
		s.policy.Origins = drift.Origins()
	case "":
		s.policy.Origins = []drift.Origin{drift.Outside}
		if s.configChanges {
			s.policy.Origins = drift.Origins()
		}
	default:
		errs = append(errs, fmt.Errorf("--origin %q is none of outside, pending, all", s.origin))
	}
	var err error
	if s.outputs, err = parseOutputs(s.scanOptions.outputs); err != nil {
		errs = append(errs, err)
	}
	s.facts = pipeline.From(s.env, os.ReadFile)
	for _, assignment := range s.scanOptions.facts {
		if err := s.facts.Set(assignment); err != nil {
			errs = append(errs, fmt.Errorf("--ci %w", err))
		}
	}
	if s.server, err = config.LoadScan(s.env); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// errStoppedScan is why a scan ends that somebody stopped.
var errStoppedScan = errors.New("stopped")

// obeySignals ends the context at the first signal, and s.kill at the second. A
// terminal that goes away is one, as for any program that its shell waits for.
func (s *scanning) obeySignals(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	kill, done := make(chan struct{}), make(chan struct{})
	s.kill = kill
	hangups := s.hangups
	if s.outlivesTerminal {
		hangups = nil
	}
	go func() {
		select {
		case <-done:
			return
		case <-s.signals:
		case <-hangups:
		}
		s.say("driftsentry: stopping; a second time stops at once\n")
		cancel(errStoppedScan)
		select {
		case <-done:
		case <-s.signals:
			close(kill)
		case <-hangups:
			close(kill)
		}
	}()
	return ctx, func() {
		close(done)
		cancel(nil)
	}
}
