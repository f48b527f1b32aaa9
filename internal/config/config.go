// Package config turns the environment into one checked, typed struct.
//
// It reads nothing but the environment it is handed and the files that NAME_FILE
// variables point at; it knows no flags, no configuration file and no other
// package's types. Every problem is found and reported in one go, by variable
// name, and no message ever repeats a secret.
//
// An empty variable counts as unset, as the OpenTelemetry specification has it
// too, so that a line of .env.example may stay without a value. That file lists
// exactly the variables read here; a test compares the two.
package config

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/driftsentry/driftsentry/internal/secret"
)

// Config is everything the service can be told, checked.
type Config struct {
	Environment Environment
	Listen      Listen
	Database    Database

	// JWTSecret signs access tokens. In development it is made up at start when
	// unset, so tokens die with the process.
	JWTSecret secret.String
	// JWTPrevious is what older tokens may be signed with; zero when JWTSecret
	// was never changed.
	JWTPrevious  secret.String
	JWTAccessTTL time.Duration
	// FingerprintKey keys the fingerprints of values too secret to store,
	// CursorKey signs the places in lists, SealKey seals the audit trail. They are
	// 32 bytes each, not text. SealKey is zero in development when no secret was
	// given: a seal nobody can check later is none.
	FingerprintKey, CursorKey, SealKey secret.String

	Log           Log
	EnableMetrics bool

	CORSOrigins    []string // "*" alone, or origins as a browser sends them
	TrustedProxies []netip.Prefix

	RequestTimeout time.Duration
	// UploadTimeout is what an upload has instead of RequestTimeout.
	UploadTimeout        time.Duration
	MaxUploadBytes       int64 // after decompression
	RateLimitPerMinute   int   // 0 is no limit
	SlowRequestThreshold time.Duration

	// ShutdownTimeout covers the whole of stopping, ShutdownDelay included.
	ShutdownTimeout time.Duration
	ShutdownDelay   time.Duration

	SentryDSN secret.String // empty: errors stay here

	// Where people find us and our neighbours, for links; empty means no links.
	// PublicURL and JaegerURL never end in a slash.
	PublicURL string
	JaegerURL string
	LogsURL   string

	settings []Setting
	secrets  []secret.String
}

// uploadTimeout is a constant and not a variable of the environment: what an
// operator wants to limit is size, and MAX_UPLOAD_BYTES does. Ten minutes carry
// the default 2 GiB over some 30 Mbit/s, even uncompressed.
const uploadTimeout = 10 * time.Minute

// Environment is where the service runs. Everything but Development is held to
// the rules of production.
type Environment string

// The environments.
const (
	Development Environment = "development"
	Staging     Environment = "staging"
	Production  Environment = "production"
)

// Listen is where the service accepts connections.
type Listen struct {
	Host string // empty means every address of the machine, IPv4 and IPv6
	Port int    // 0 means any free port
}

// Address is host:port, as net.Listen takes it.
func (l Listen) Address() string { return net.JoinHostPort(l.Host, strconv.Itoa(l.Port)) }

// LocalAddress is host:port as a process on the same machine reaches it.
func (l Listen) LocalAddress() string {
	host := cmp.Or(l.Host, "localhost")
	if addr, err := netip.ParseAddr(host); err == nil && addr.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, strconv.Itoa(l.Port))
}

// Database is how to reach PostgreSQL.
type Database struct {
	URL      secret.String // a postgres:// URL or a keyword=value connection string
	MaxConns int32
}

// Log is what is logged and in which shape.
type Log struct {
	Level  Level
	Format Format
}

// Level is a lower-case level name of the log contract.
type Level string

// The levels, most talkative first.
const (
	LevelTrace Level = "trace"
	LevelDebug Level = "debug"
	LevelInfo  Level = "info"
	LevelWarn  Level = "warn"
	LevelError Level = "error"
	LevelFatal Level = "fatal"
)

// Levels lists the names of the levels, most talkative first.
func Levels() []string {
	return []string{
		string(LevelTrace), string(LevelDebug), string(LevelInfo), string(LevelWarn), string(LevelError), string(LevelFatal),
	}
}

// Format is the shape of a log line.
type Format string

// The formats: one JSON object a line for machines, coloured lines for people.
const (
	FormatJSON   Format = "json"
	FormatPretty Format = "pretty"
)

// Load reads the whole configuration from environ, which is in the form of
// os.Environ. Its error is a *[Error] with every problem found.
func Load(environ []string) (Config, error) {
	r := newReader(environ)
	cfg := r.everything()
	if err := r.err(); err != nil {
		return Config{}, err
	}
	return cfg, nil
}

func (r *reader) everything() Config {
	environment := r.environment()
	outside := environment != Development

	cfg := Config{
		Environment: environment,
		Listen:      r.listen(),
		Database:    r.database(environment),
	}
	cfg.JWTSecret = r.jwtSecret(environment)
	cfg.JWTPrevious = r.previousJWTSecret(environment)
	cfg.JWTAccessTTL = read(r, "JWT_ACCESS_TTL", "15m", duration(time.Second, 24*time.Hour))
	derived := r.keys(environment, cfg.JWTSecret, cfg.JWTPrevious)
	cfg.FingerprintKey, cfg.CursorKey, cfg.SealKey = derived.fingerprint, derived.cursor, derived.seal

	cfg.Log.Level = r.logLevel()
	cfg.Log.Format = read(r, "LOG_FORMAT", pick(outside, "json", "pretty"), oneOf(FormatJSON, FormatPretty))
	cfg.EnableMetrics = read(r, "ENABLE_METRICS", "true", boolean)

	cfg.CORSOrigins = read(r, "CORS_ORIGINS", "", origins)
	cfg.TrustedProxies = read(r, "TRUSTED_PROXIES", "", networks)

	cfg.RequestTimeout = read(r, "REQUEST_TIMEOUT", "30s", duration(time.Millisecond, time.Hour))
	cfg.UploadTimeout = max(uploadTimeout, cfg.RequestTimeout)
	cfg.MaxUploadBytes = read(r, "MAX_UPLOAD_BYTES", "2GiB", size)
	cfg.RateLimitPerMinute = read(r, "RATE_LIMIT_PER_MINUTE", "6000", integer[int](0, 1_000_000))
	cfg.SlowRequestThreshold = read(r, "SLOW_REQUEST_THRESHOLD", "1s", duration(time.Millisecond, time.Hour))

	cfg.ShutdownTimeout = read(r, "SHUTDOWN_TIMEOUT", "30s", duration(time.Millisecond, time.Hour))
	cfg.ShutdownDelay = read(r, "SHUTDOWN_DELAY", pick(outside, "5s", "0s"), duration(0, time.Hour))
	r.shutdownFits(cfg.ShutdownDelay, cfg.ShutdownTimeout)

	cfg.SentryDSN = r.secret("SENTRY_DSN", sentryDSN)
	cfg.PublicURL = read(r, "PUBLIC_URL", "", baseURL)
	cfg.JaegerURL = read(r, "JAEGER_URL", "", baseURL)
	cfg.LogsURL = read(r, "LOGS_URL", "", anyURL)

	r.otel()

	cfg.settings, cfg.secrets = r.settings, r.secrets
	return cfg
}

// LoadDatabase reads only what a command that works on the database needs, under
// the same checks as [Load].
func LoadDatabase(environ []string) (Database, error) {
	r := newReader(environ)
	database := r.database(r.environment())
	if err := r.err(); err != nil {
		return Database{}, err
	}
	return database, nil
}

// LoadAccounts reads what a command needs that changes accounts or checks the audit
// trail: the database, and the key that entries of the trail are sealed with (zero
// when no secret is set, in development).
func LoadAccounts(environ []string) (Database, secret.String, error) {
	r := newReader(environ)
	environment := r.environment()
	database := r.database(environment)
	sealKey := r.keys(environment, r.jwtSecret(environment), r.previousJWTSecret(environment)).seal
	if err := r.err(); err != nil {
		return Database{}, secret.String{}, err
	}
	return database, sealKey, nil
}

// LoadListen reads only where the service listens, for a probe beside it.
func LoadListen(environ []string) (Listen, error) {
	r := newReader(environ)
	listen := r.listen()
	if err := r.err(); err != nil {
		return Listen{}, err
	}
	return listen, nil
}

// LoadLevel reads only the log level, for a running service that is told to look
// again. Nobody can change the environment of a running process; the file that
// LOG_LEVEL_FILE names is what changes.
func LoadLevel(environ []string) (Level, error) {
	r := newReader(environ)
	level := r.logLevel()
	if err := r.err(); err != nil {
		return "", err
	}
	return level, nil
}

// Effective lists every setting with where it came from, always in the same
// order, for the log line that shows what was understood. Secrets are masked.
// Of the OTEL_ variables it names those that are set or whose default is ours.
func (c Config) Effective() []Setting { return slices.Clone(c.settings) }

// Secrets are the secrets as they were given, for whoever keeps them out of what
// leaves the process.
func (c Config) Secrets() []secret.String { return slices.Clone(c.secrets) }

func (r *reader) environment() Environment {
	// NODE_ENV is what charts and platforms built for the Node service set. It
	// is looked at only when APP_ENV is silent, so a leftover can't hurt.
	name, text := "APP_ENV", strings.TrimSpace(r.lookup("APP_ENV"))
	if alias := strings.TrimSpace(r.lookup("NODE_ENV")); text == "" && alias != "" {
		name, text = "NODE_ENV", alias
	}
	source := pick(text == "", SourceDefault, SourceEnvironment)
	text = cmp.Or(text, string(Development))
	r.record("APP_ENV", text, source)
	return parsed(r, name, text, oneOf(Development, Staging, Production))
}

func (r *reader) listen() Listen {
	return Listen{
		Host: read(r, "HOST", "", hostOrIP),
		Port: read(r, "PORT", "3001", integer[int](0, 65535)),
	}
}

func (r *reader) logLevel() Level {
	return readFile(r, "LOG_LEVEL", "info",
		oneOf(LevelTrace, LevelDebug, LevelInfo, LevelWarn, LevelError, LevelFatal))
}

// shutdownFits refuses a delay that leaves no time for anything after it.
func (r *reader) shutdownFits(delay, timeout time.Duration) {
	if r.wrong("SHUTDOWN_DELAY") || r.wrong("SHUTDOWN_TIMEOUT") || delay < timeout {
		return
	}
	r.problem("SHUTDOWN_DELAY", "is "+delay.String(),
		"less than SHUTDOWN_TIMEOUT ("+timeout.String()+"), which covers it")
}

// pick is for defaults that differ by environment.
func pick[T any](condition bool, yes, no T) T {
	if condition {
		return yes
	}
	return no
}
