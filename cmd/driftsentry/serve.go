package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/driftsentry/driftsentry/internal/accounts"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/clientip"
	"github.com/driftsentry/driftsentry/internal/config"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/httpapi"
	"github.com/driftsentry/driftsentry/internal/ingest"
	"github.com/driftsentry/driftsentry/internal/jobs"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/review"
	"github.com/driftsentry/driftsentry/internal/secret"
	"github.com/driftsentry/driftsentry/internal/telemetry"
	"github.com/driftsentry/driftsentry/internal/terraform"
)

func (p process) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run the service, configured by its environment alone",
		Long: "Serves the API, the probes and the metrics until SIGTERM or SIGINT, and then stops in\n" +
			"order: readiness fails, requests in flight are finished, telemetry is flushed. A second\n" +
			"signal stops at once. SIGHUP reads LOG_LEVEL_FILE again.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.serve(cmd.Context()) },
	}
}

// serve runs the service until it is told to stop.
func (p process) serve(ctx context.Context) error {
	cfg, err := config.Load(p.env)
	if err != nil {
		return err
	}
	keepLean()
	svc, err := p.build(ctx, cfg)
	if err != nil {
		return err
	}
	return svc.run(ctx)
}

// service is the house, wired and ready to listen.
type service struct {
	process
	cfg      config.Config
	log      *slog.Logger
	tel      *telemetry.Telemetry
	db       *postgres.DB
	accounts *accounts.Service
	review   *review.Service
	jobs     *jobs.Runner
	api      *httpapi.Server
	http     *http.Server

	listener  net.Listener // once it runs
	newcomers newcomers
}

// build wires everything on this screen. Telemetry is put round the seams
// here; what is inside only passes its context on.
func (p process) build(ctx context.Context, cfg config.Config) (*service, error) {
	b := readBuild()
	tel, err := telemetry.Start(ctx, telemetry.Options{
		Env: string(cfg.Environment), Version: b.Version, Commit: b.Commit, BuildDate: b.Date,
		Output: p.stdout, Pretty: cfg.Log.Format == config.FormatPretty, Level: levels[cfg.Log.Level],
		Secrets:   secrets(cfg),
		SentryDSN: cfg.SentryDSN.Reveal(), ScanFormats: []string{terraform.Format, ingest.FailureFormat},
	})
	if err != nil {
		return nil, err
	}
	host, port, database := postgres.Address(cfg.Database.URL.Reveal())
	db, err := postgres.Open(ctx, postgres.Options{
		URL: cfg.Database.URL.Reveal(), MaxConns: cfg.Database.MaxConns, SealKey: bytesOf(cfg.SealKey),
		Tracer: tel.SQL(telemetry.SQLOptions{Tables: postgres.Tables(), Host: host, Port: port, Database: database}),
	})
	if err != nil {
		return nil, errors.Join(err, tel.Shutdown(ctx))
	}
	s := &service{process: p, cfg: cfg, log: tel.Logger().With("module", "service"), tel: tel, db: db}
	s.review = &review.Service{DB: db, Decided: s.decided}
	var errs [2]error
	s.accounts, errs[0] = accounts.New(accounts.Options{
		DB: db, Passwords: auth.NewPasswords(min(passwordsAtOnce, runtime.GOMAXPROCS(0))),
		Signer: auth.NewSigner(bytesOf(cfg.JWTSecret), bytesOf(cfg.JWTPrevious), cfg.JWTAccessTTL),
	})
	s.jobs, errs[1] = jobs.New(ctx, jobs.Options{DB: db, Tasks: s.tasks(), Run: tel.Run, Trouble: s.jobTrouble})
	if err := errors.Join(errs[:]...); err != nil {
		return nil, errors.Join(err, s.abandon(ctx))
	}
	clients := clientip.Trusting(cfg.TrustedProxies)
	s.api = httpapi.New(httpapi.Options{
		DB: db, Clients: clients, Accounts: s.accounts, Review: s.review, Version: b.Version,
		CursorKey: bytesOf(cfg.CursorKey), SealKey: bytesOf(cfg.SealKey),
		Ingest: &ingest.Service{
			DB: db, Key: bytesOf(cfg.FingerprintKey), MaxBytes: cfg.MaxUploadBytes,
			Phase: tel.Phase, Done: s.scanDone,
		},
		MaxUploadBytes: cfg.MaxUploadBytes, RequestTimeout: cfg.RequestTimeout, UploadTimeout: cfg.UploadTimeout,
		RateLimitPerMinute: cfg.RateLimitPerMinute, CORSOrigins: cfg.CORSOrigins,
		Metrics: metricsHandler(cfg, tel), Exports: func() any { return tel.Exports() },
		Errors: func() any { return tel.Errors() }, ErrorsOf: s.errorsOf, LogLevel: s.logLevel(),
		PublicURL: cfg.PublicURL, JaegerURL: cfg.JaegerURL, LogsURL: cfg.LogsURL, Identified: tel.Identify, Linked: tel.Link, Forwarded: s.forwarded,
		Report: func(r *http.Request, f httpapi.Failure) { tel.ReportRequest(r, f.Err, f.Status, f.Code) },
	})
	s.http = &http.Server{
		Handler: tel.Handler(s.api, telemetry.HTTPOptions{
			WriteError: func(w http.ResponseWriter, r *http.Request, err error) (int, string) {
				f := httpapi.WriteError(w, r, err)
				return f.Status, f.Code
			},
			// A proxy of ours has decided already whose trace it lets through; others
			// have to be somebody.
			Trusted:     func(r *http.Request) bool { return clients.Trusts(clientip.Peer(r)) || s.api.Vouches(r) },
			ClientIP:    clients.Of,
			SlowRequest: cfg.SlowRequestThreshold,
		}),
		ErrorLog:          slog.NewLogLogger(tel.Logger().With("module", "http").Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       cfg.RequestTimeout, // uploads move it while bytes keep coming
		IdleTimeout:       2 * time.Minute,
		WriteTimeout:      cfg.UploadTimeout + time.Minute, // a reader that never reads ends here
		MaxHeaderBytes:    maxHeaderBytes,
		ConnState:         s.newcomers.observe,
	}
	if err := errors.Join(tel.Pool(db.Stat), tel.Drifts(s.openDrifts, s.stackSuccesses)); err != nil {
		return nil, errors.Join(err, s.abandon(ctx))
	}
	return s, nil
}

// maxHeaderBytes is how much of a header is read: more than the API takes, which
// refuses the rest in its own words, counted and logged, where net/http would do
// so in plain text and unseen. Every connection may hold as much memory until
// ReadHeaderTimeout, so it is no more than net/http's own default.
const maxHeaderBytes = http.DefaultMaxHeaderBytes

// forwarded warns of a proxy that TRUSTED_PROXIES does not name. Anybody can make
// it look as if there was one, which costs a line in the log, once.
func (s *service) forwarded(ctx context.Context, peer string) {
	s.log.WarnContext(ctx, "X-Forwarded-For is not believed; if this peer is a proxy of yours, name it in TRUSTED_PROXIES: "+
		"until then all its clients share one address in rate limits, login waits and the audit trail", "peer", peer)
}

// bytesOf is a key as packages take it: nil when there is none.
func bytesOf(s secret.String) []byte {
	if s.IsZero() {
		return nil
	}
	return []byte(s.Reveal())
}

// passwordsAtOnce bounds the memory that logins take: 19 MiB each.
const passwordsAtOnce = 2

// secrets are the texts that must never leave the process by any way.
func secrets(cfg config.Config) []string {
	var all []string
	for _, s := range cfg.Secrets() {
		all = append(all, s.Reveal())
	}
	all = append(all, cfg.JWTSecret.Reveal(), postgres.Password(cfg.Database.URL.Reveal()))
	if dsn, err := url.Parse(cfg.SentryDSN.Reveal()); err == nil && dsn.User != nil {
		password, _ := dsn.User.Password() // of DSNs older than 2018
		all = append(all, dsn.User.Username(), password)
	}
	return all
}

func metricsHandler(cfg config.Config, tel *telemetry.Telemetry) http.Handler {
	if !cfg.EnableMetrics {
		return nil
	}
	return tel.MetricsHandler()
}

// run listens, serves and stops.
func (s *service) run(ctx context.Context) error {
	s.log.InfoContext(ctx, "Configuration validated", "settings", s.settings())
	var listen net.ListenConfig
	listen.SetMultipathTCP(false) // it takes no filter, which lastCall needs
	var err error
	if s.listener, err = listen.Listen(ctx, "tcp", s.cfg.Listen.Address()); err != nil {
		return errors.Join(fmt.Errorf("listen on %s: %w", s.cfg.Listen.Address(), err), s.abandon(ctx))
	}
	s.log.InfoContext(ctx, "Listening", "address", s.listener.Addr().String(), "version", readBuild().Version)
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(s.listener) }()
	s.jobs.Start()
	if s.listening != nil {
		s.listening(s.listener.Addr().String())
	}
	for {
		select {
		case sig := <-s.signals:
			return s.stop(ctx, sig.String())
		case <-ctx.Done():
			return s.stop(context.WithoutCancel(ctx), "context ended")
		case <-s.hangups:
			s.reloadLevel(ctx)
		case err := <-failed:
			return errors.Join(fmt.Errorf("serve: %w", err), s.abandon(ctx))
		}
	}
}

// settings is the effective configuration for its log line, secrets masked.
func (s *service) settings() slog.Value {
	var attrs []slog.Attr
	for _, setting := range s.cfg.Effective() {
		attrs = append(attrs, slog.String(setting.Name, setting.Value))
	}
	return slog.GroupValue(attrs...)
}

// scanDone counts a scan that was kept.
func (s *service) scanDone(ctx context.Context, report *drift.Report, closed []postgres.Closing) {
	s.tel.ScanDone(ctx, string(report.Status), report.Format)
	for _, c := range closed {
		for range c.Drifts {
			s.tel.DriftResolved(ctx, string(c.Severity), c.Open)
		}
	}
}

// openDrifts feeds the gauges of open drifts.
func (s *service) openDrifts(ctx context.Context) ([]telemetry.OpenDrifts, error) {
	counts, err := s.db.OpenCounts(ctx)
	if err != nil {
		return nil, err
	}
	oldest, err := s.db.OldestOpen(ctx)
	if err != nil {
		return nil, err
	}
	open := make([]telemetry.OpenDrifts, len(counts))
	for i, c := range counts {
		open[i] = telemetry.OpenDrifts{
			Severity: string(c.Severity), Status: string(c.Status), Origin: string(c.Origin), Count: c.Drifts, Oldest: oldest[c.Severity],
		}
	}
	return open, nil
}

// stackSuccesses feeds the dead man's switch of every stack.
func (s *service) stackSuccesses(ctx context.Context) ([]telemetry.StackSuccess, error) {
	stacks, err := s.db.StackFreshness(ctx, telemetry.MaxStacks+1)
	if err != nil {
		return nil, err
	}
	success := make([]telemetry.StackSuccess, len(stacks))
	for i, stack := range stacks {
		success[i] = telemetry.StackSuccess{Stack: stack.Stack, At: stack.LastCompleteAt}
	}
	return success, nil
}
