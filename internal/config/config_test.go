package config_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/driftsentry/driftsentry/internal/config"
	"github.com/driftsentry/driftsentry/internal/secret"
)

// Values that must never come out again, in error texts or anywhere else.
const (
	databaseURL = "postgres://app:s3cr3t-pw@db.internal:5432/drift?sslmode=verify-full"
	jwtSecret   = "Zk3vQ9xT1mB7sL0cW5yH8nR2dF6gJ4aE"
	sentryDSN   = "https://s3ntrypublickey@o0.ingest.sentry.io/42"
)

// production is the least that production asks for.
func production(more ...string) []string {
	return append([]string{"APP_ENV=production", "DATABASE_URL=" + databaseURL, "JWT_SECRET=" + jwtSecret}, more...)
}

func TestLoadDefaultsInDevelopment(t *testing.T) {
	t.Parallel()
	got, err := config.Load(nil)
	if err != nil {
		t.Fatal(err)
	}

	if n := len(got.JWTSecret.Reveal()); n < 32 {
		t.Errorf("made up a JWT secret of %d bytes, want 32 at least", n)
	}
	if n := len(got.FingerprintKey.Reveal()); n != 32 {
		t.Errorf("derived a fingerprint key of %d bytes, want 32", n)
	}
	again, err := config.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.JWTSecret.Equal(again.JWTSecret) {
		t.Error("two processes made up the same JWT secret")
	}

	got.JWTSecret, got.FingerprintKey, got.CursorKey = secret.String{}, secret.String{}, secret.String{}
	want := config.Config{
		Environment:          config.Development,
		Listen:               config.Listen{Port: 3001},
		Database:             config.Database{URL: secret.New("postgres://localhost:5432/driftsentry"), MaxConns: 10},
		JWTAccessTTL:         15 * time.Minute,
		Log:                  config.Log{Level: config.LevelInfo, Format: config.FormatPretty},
		EnableMetrics:        true,
		RequestTimeout:       30 * time.Second,
		UploadTimeout:        10 * time.Minute,
		MaxUploadBytes:       2 << 30,
		RateLimitPerMinute:   6000,
		SlowRequestThreshold: time.Second,
		ShutdownTimeout:      30 * time.Second,
		ShutdownDelay:        0,
	}
	if diff := diff(want, got); diff != "" {
		t.Errorf("Load(nil) differs (-want +got):\n%s", diff)
	}
}

func TestLoadDefaultsInProduction(t *testing.T) {
	t.Parallel()
	got, err := config.Load(production())
	if err != nil {
		t.Fatal(err)
	}
	if got.Log.Format != config.FormatJSON || got.ShutdownDelay != 5*time.Second {
		t.Errorf("Format, ShutdownDelay = %s, %s, want json, 5s", got.Log.Format, got.ShutdownDelay)
	}
	if got.Database.URL.Reveal() != databaseURL || got.JWTSecret.Reveal() != jwtSecret {
		t.Error("the secrets are not those of the environment")
	}
}

func TestLoadEverything(t *testing.T) {
	t.Parallel()
	got, err := config.Load([]string{
		"APP_ENV=staging",
		"HOST=::1",
		"PORT=0",
		"DATABASE_URL=host=/var/run/postgresql user=app password='with space' dbname=drift",
		"DATABASE_MAX_CONNS=25",
		"JWT_SECRET=" + jwtSecret,
		"JWT_ACCESS_TTL=5m",
		"FINGERPRINT_KEY=" + strings.ToUpper(jwtSecret),
		"LOG_LEVEL=Trace",
		"LOG_FORMAT=pretty",
		"ENABLE_METRICS=false",
		"CORS_ORIGINS=https://App.Example.com:443, http://localhost:5173,",
		"TRUSTED_PROXIES=10.1.2.3/8, 192.0.2.7,2001:db8::1,::ffff:198.51.100.1",
		"REQUEST_TIMEOUT=1m30s",
		"MAX_UPLOAD_BYTES=512 MiB",
		"RATE_LIMIT_PER_MINUTE=0",
		"SLOW_REQUEST_THRESHOLD=250ms",
		"SHUTDOWN_TIMEOUT=1m",
		"SHUTDOWN_DELAY=59s",
		"SENTRY_DSN=" + sentryDSN,
		"PUBLIC_URL=https://drift.example.com/",
		"JAEGER_URL=http://jaeger:16686/ui/",
		"LOGS_URL=https://logs.example.com/explore?left=%7B%7D#now",
		"OTEL_RESOURCE_ATTRIBUTES=team=platform, service.name=drift%20watch",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318",
		"OTEL_LOGS_EXPORTER=none",
		"OTEL_BSP_EXPORT_TIMEOUT=1000",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		Environment: config.Staging,
		Listen:      config.Listen{Host: "::1", Port: 0},
		Database: config.Database{
			URL:      secret.New("host=/var/run/postgresql user=app password='with space' dbname=drift"),
			MaxConns: 25,
		},
		JWTSecret:      secret.New(jwtSecret),
		JWTAccessTTL:   5 * time.Minute,
		FingerprintKey: got.FingerprintKey, // TestKeysAreDerived looks at these
		CursorKey:      got.CursorKey,
		SealKey:        got.SealKey,
		Log:            config.Log{Level: config.LevelTrace, Format: config.FormatPretty},
		CORSOrigins:    []string{"https://app.example.com", "http://localhost:5173"},
		TrustedProxies: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32"),
			netip.MustParsePrefix("2001:db8::1/128"), netip.MustParsePrefix("198.51.100.1/32"),
		},
		RequestTimeout:       90 * time.Second,
		UploadTimeout:        10 * time.Minute,
		MaxUploadBytes:       512 << 20,
		SlowRequestThreshold: 250 * time.Millisecond,
		ShutdownTimeout:      time.Minute,
		ShutdownDelay:        59 * time.Second,
		SentryDSN:            secret.New(sentryDSN),
		PublicURL:            "https://drift.example.com",
		JaegerURL:            "http://jaeger:16686/ui",
		LogsURL:              "https://logs.example.com/explore?left=%7B%7D#now",
	}
	if diff := diff(want, got); diff != "" {
		t.Errorf("Load differs (-want +got):\n%s", diff)
	}
}

// diff compares what is exported; secrets compare by their Equal method.
func diff(want, got config.Config) string {
	return cmp.Diff(want, got,
		cmp.FilterPath(func(p cmp.Path) bool {
			field, ok := p.Last().(cmp.StructField)
			return ok && (field.Name() == "settings" || field.Name() == "secrets")
		}, cmp.Ignore()),
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }))
}

func TestValues(t *testing.T) {
	t.Parallel()
	tests := []struct {
		variable string
		good     []string
		bad      []string
	}{
		{"APP_ENV", []string{"development", "Production", " staging "}, []string{"prod", "test"}},
		{"HOST", []string{"0.0.0.0", "::", "localhost", "drift-1.example.com", "fe80::1%eth0"}, []string{"[::1]", "localhost:80", "http://x", "a b", "-x"}},
		{"PORT", []string{"0", "1", "65535", " 80 "}, []string{"-1", "65536", "http", "3001.0", "0x10"}},
		{"DATABASE_URL", []string{
			"postgres://localhost", "postgresql://u:p%40ss@[::1]:5432/db", "postgres:///db?host=/run/postgresql",
			"postgres://u@a:5432,b:5433,[::1]:5434/db?target_session_attrs=read-write", "host=localhost dbname=x",
			"user=jack password='it\\'s secret' sslmode = require", "postgres://db/x?sslmode=disable",
		}, []string{
			"mysql://localhost/x", "localhost:5432", "postgres://u:p%zz@db/x", "postgres://u:pa/ss@db/x", "postgres://u:pa#ss@db/x",
			"postgres://db:port/x", "postgres://db/x?sslmode=verify", "host=x sslmode=on", "host=x 'dbname", "postgres://db/x?a=%zz",
		}},
		{"DATABASE_MAX_CONNS", []string{"2", "1000"}, []string{"0", "1", "1001", "ten", "99999999999999999999"}},
		{"JWT_SECRET", []string{jwtSecret, strings.Repeat("x", 32)}, []string{"short", strings.Repeat("x", 31)}},
		{"JWT_ACCESS_TTL", []string{"1s", "24h", "15m"}, []string{"0s", "-5m", "25h", "900", "15 m"}},
		{"FINGERPRINT_KEY", []string{jwtSecret}, []string{"short"}},
		{"LOG_LEVEL", []string{"trace", "debug", "info", "warn", "error", "fatal", "WARN"}, []string{"warning", "verbose", "3"}},
		{"LOG_FORMAT", []string{"json", "pretty", "JSON"}, []string{"text", "logfmt"}},
		{"ENABLE_METRICS", []string{"true", "false", "0", "1", "True"}, []string{"yes", "on", "2"}},
		{"CORS_ORIGINS", []string{"*", "https://a.example", "http://localhost:3000,https://[2001:db8::1]:8443"}, []string{
			"*,https://a.example", "a.example", "https://a.example/", "https://a.example/path", "https://a.example?x", "https://u:p@a.example",
			"ftp://a.example", "https://", "https://*.example.com:0", "null",
		}},
		{"TRUSTED_PROXIES", []string{"10.0.0.0/8", "127.0.0.1,::1", "0.0.0.0/0"}, []string{"10.0.0.0/33", "proxy.internal", "10.0.0", "fe80::1%eth0"}},
		{"REQUEST_TIMEOUT", []string{"1ms", "1h"}, []string{"0", "0s", "-1s", "30", "2h", "soon"}},
		{"MAX_UPLOAD_BYTES", []string{"1", "1048576", "2GiB", "500MB", "1 tib", "10kB"}, []string{"0", "-1", "1.5GiB", "2GX", "GiB", "9999999TiB", "99999999999999999999"}},
		{"RATE_LIMIT_PER_MINUTE", []string{"0", "1000000"}, []string{"-1", "1000001", "many"}},
		{"SLOW_REQUEST_THRESHOLD", []string{"1ms"}, []string{"0s", "1"}},
		{"SHUTDOWN_TIMEOUT", []string{"1s", "1h"}, []string{"0s", "90", "2h"}},
		{"SHUTDOWN_DELAY", []string{"0", "0s", "29.999s"}, []string{"30s", "31s", "-1s", "5"}},
		{"SENTRY_DSN", []string{sentryDSN, "http://key@sentry.internal:9000/path/7"}, []string{"https://o0.ingest.sentry.io/42", "https://key@host", "key@host/1", "https://key@/1"}},
		{"PUBLIC_URL", []string{"https://drift.example.com", "http://localhost:3001/drift/"}, []string{
			"drift.example.com", "//drift.example.com", "https://", "https://drift.example.com?x=1", "https://drift.example.com#x",
			"https://me:pw@drift.example.com", "javascript:alert(1)", "https://drift.example.com:0", "https://drift.example.com:99999", "http://%zz",
		}},
		{"JAEGER_URL", []string{"http://localhost:16686"}, []string{"localhost:16686"}},
		{"LOGS_URL", []string{"http://localhost:3000/explore?x=1#y"}, []string{"localhost:3000", "https://me:pw@logs"}},

		{"OTEL_SDK_DISABLED", []string{"true", "false", "TRUE"}, []string{"1", "yes", "ture"}},
		{"OTEL_SERVICE_NAME", []string{"drift"}, nil},
		{"OTEL_RESOURCE_ATTRIBUTES", []string{"a=b", "a=b, c=d%20e", "a="}, []string{"a", "=b", "a=b,", "a=%zz"}},
		{"OTEL_TRACES_SAMPLER", []string{"always_on", "parentbased_traceidratio"}, []string{"ratio", "parentbased_jaeger_remote"}},
		{"OTEL_TRACES_EXPORTER", []string{"otlp", "none", "console"}, []string{"OTLP", "otlp,console", "jaeger"}},
		{"OTEL_LOGS_EXPORTER", []string{"otlp"}, []string{"stdout"}},
		{"OTEL_METRICS_EXPORTER", []string{"otlp", "none", "prometheus"}, []string{"otlp,prometheus"}},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", []string{"http://localhost:4317", "https://otel.example.com/in/"}, []string{"localhost:4317", "grpc://collector:4317", "http://key:x@collector", "http://collector?x=1", "http:/collector"}},
		{"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", []string{"http://localhost:4318/v1/logs"}, []string{"/v1/logs"}},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", []string{"grpc", "http/protobuf"}, []string{"http", "http/json", "GRPC"}},
		{"OTEL_EXPORTER_OTLP_HEADERS", []string{"authorization=Bearer%20abc,x-tenant=1"}, []string{"authorization: Bearer abc", "a=%zz"}},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", []string{"1", "3000"}, []string{"0", "3s", "-1"}},
		{"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", []string{"gzip", "none"}, []string{"zstd"}},
		{"OTEL_EXPORTER_OTLP_INSECURE", []string{"true", "false"}, []string{"1"}},
		{"OTEL_EXPORTER_OTLP_CERTIFICATE", nil, []string{"/nowhere/ca.pem", "/"}},
		{"OTEL_METRICS_EXEMPLAR_FILTER", []string{"trace_based"}, []string{"traces"}},
		{"OTEL_BSP_MAX_QUEUE_SIZE", []string{"1"}, []string{"0", "2k"}},
		{"OTEL_SPAN_EVENT_COUNT_LIMIT", []string{"-1", "0", "128"}, []string{"-2", "all"}},
	}
	// Development, because it takes any key; the rest is for a test of APP_ENV.
	base := slices.Clip(production()[1:])
	for _, test := range tests {
		t.Run(test.variable, func(t *testing.T) {
			t.Parallel()
			for _, value := range test.good {
				if _, err := config.Load(append(base, test.variable+"="+value)); err != nil {
					t.Errorf("%s=%s: %v, want no error", test.variable, value, err)
				}
			}
			for _, value := range test.bad {
				_, err := config.Load(append(base, test.variable+"="+value))
				if got := variables(err); !cmp.Equal(got, []string{test.variable}) {
					t.Errorf("%s=%s: problems with %v (%v), want one with %s", test.variable, value, got, err, test.variable)
				}
			}
		})
	}
}

// variables names the variables that err complains about, in its order.
func variables(err error) []string {
	var problems *config.Error
	if !errors.As(err, &problems) {
		return nil
	}
	var names []string
	for _, problem := range problems.Problems {
		names = append(names, problem.Variable)
	}
	return names
}

func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := config.Load([]string{
		"APP_ENV=production",
		"PORT=70000",
		"JWT_SECRET=too-short",
		"LOG_LEVEL=loud",
		"SHUTDOWN_DELAY=40s",
		"TRUSTED_PROXIES=10.0.0.0/8,nginx",
		"OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317",
		"OTEL_TRACES_SAMPLER_ARG=0.1",
		"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://collector:4318/v1/metrics",
		"OTEL_EXPORTER_OTLP_CLIENT_KEY=config_test.go",
		"COLOUR=red",
	})
	want := `configuration: 10 problems
  PORT is "70000"; expected a whole number from 0 to 65535
  DATABASE_URL is not set; expected a PostgreSQL connection string, such as postgres://USER:…@HOST:5432/NAME?sslmode=verify-full (outside development there is no default)
  JWT_SECRET is only 9 bytes long; expected at least 32 random bytes, such as the output of: openssl rand -base64 48
  LOG_LEVEL is "loud"; expected one of trace, debug, info, warn, error, fatal
  TRUSTED_PROXIES has "nginx" in it; expected addresses or networks separated by commas, such as 10.0.0.0/8,192.0.2.7,fd00::/8
  SHUTDOWN_DELAY is 40s; expected less than SHUTDOWN_TIMEOUT (30s), which covers it
  OTEL_EXPORTER_OTLP_ENDPOINT does not start with http:// or https://; expected an http:// or https:// URL without query or fragment, such as http://localhost:4318
  OTEL_TRACES_SAMPLER_ARG has no effect; expected OTEL_TRACES_SAMPLER to be traceidratio or parentbased_traceidratio beside it
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT has no effect; expected OTEL_METRICS_EXPORTER to be otlp beside it
  OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE is not set; expected a file, because OTEL_EXPORTER_OTLP_CLIENT_KEY is set`
	if err == nil || err.Error() != want {
		t.Errorf("Load = %v\nwant %s", err, want)
	}
}

func TestOneProblemReadsAsOne(t *testing.T) {
	t.Parallel()
	_, err := config.Load([]string{"REQUEST_TIMEOUT=30"})
	want := "configuration: 1 problem\n" +
		`  REQUEST_TIMEOUT is "30"; expected a duration with its unit from 1ms to 1h, such as 500ms, 30s or 1m30s`
	if err == nil || err.Error() != want {
		t.Errorf("Load = %v\nwant %s", err, want)
	}
}

func TestEnvironmentAlias(t *testing.T) {
	t.Parallel()
	tests := []struct {
		environ []string
		want    config.Environment
	}{
		{nil, config.Development},
		{[]string{"NODE_ENV=staging"}, config.Staging},
		{[]string{"APP_ENV=staging", "NODE_ENV=production"}, config.Staging},
		{[]string{"APP_ENV=staging", "NODE_ENV=test"}, config.Staging},
		{[]string{"APP_ENV=", "NODE_ENV=production"}, config.Production},
		{[]string{"APP_ENV=development", "APP_ENV=production"}, config.Production},
	}
	for _, test := range tests {
		got, err := config.Load(append(test.environ, production()[1:]...))
		if err != nil || got.Environment != test.want {
			t.Errorf("Load(%v).Environment = %q, %v, want %q", test.environ, got.Environment, err, test.want)
		}
	}

	_, err := config.Load([]string{"NODE_ENV=test"})
	if got := variables(err); len(got) == 0 || got[0] != "NODE_ENV" {
		t.Errorf("NODE_ENV=test: problems with %v, want NODE_ENV first", got)
	}
}

func TestProductionTakesNoPlaceholders(t *testing.T) {
	t.Parallel()
	guessable := []string{
		"change-me-in-production-please-really-now",
		"your-super-secret-jwt-key-that-is-long-enough",
		"dev_only_insecure_signing_key_of_the_team_42",
		"MyPassword-Zk3vQ9xT1mB7sL0cW5yH8nR2dF6gJ4",
		"example-Zk3vQ9xT1mB7sL0cW5yH8nR2dF6gJ4aE",
		strings.Repeat("x", 64),
		strings.Repeat("ab1", 20),
		"0123456789012345678901234567890123456789",
		"Zk3vQ9xT1mB7sL0cZk3vQ9xT1mB7sL0c",
	}
	for _, key := range guessable {
		for _, name := range []string{"JWT_SECRET", "FINGERPRINT_KEY"} {
			_, err := config.Load(production(name + "=" + key))
			if got := variables(err); !cmp.Equal(got, []string{name}) {
				t.Errorf("%s=%s in production: problems with %v, want %s", name, key, got, name)
			}
			if _, err := config.Load([]string{name + "=" + key}); err != nil {
				t.Errorf("%s=%s in development: %v, want no error", name, key, err)
			}
		}
	}

	// Random keys of every customary spelling pass, however often one is made.
	seed := []byte(jwtSecret)
	for i := range 500 {
		for j := range seed {
			seed[j] = seed[j]*31 + byte(i+j) + seed[(j+7)%len(seed)]
		}
		for _, key := range []string{base64.StdEncoding.EncodeToString(seed), fmt.Sprintf("%x", seed)} {
			if _, err := config.Load(production("JWT_SECRET=" + key)); err != nil {
				t.Errorf("JWT_SECRET=%s: %v, want no error", key, err)
			}
		}
	}
}

func TestKeysAreDerived(t *testing.T) {
	t.Parallel()
	load := func(more ...string) [3]secret.String {
		cfg, err := config.Load(production(more...))
		if err != nil {
			t.Fatal(err)
		}
		return [3]secret.String{cfg.FingerprintKey, cfg.CursorKey, cfg.SealKey}
	}
	equal := func(a, b [3]secret.String) bool { return a[0].Equal(b[0]) && a[1].Equal(b[1]) && a[2].Equal(b[2]) }
	derived := load()
	if !equal(derived, load()) {
		t.Error("the same JWT_SECRET gave other keys")
	}
	if derived[0].Equal(derived[1]) || derived[0].Equal(derived[2]) || derived[1].Equal(derived[2]) {
		t.Error("one key serves two purposes")
	}
	rotated := strings.ToUpper(jwtSecret)
	if equal(derived, load("JWT_SECRET="+rotated)) {
		t.Error("two JWT secrets gave the same keys")
	}
	if !equal(derived, load("JWT_SECRET="+rotated, "JWT_SECRET_PREVIOUS="+jwtSecret, "FINGERPRINT_KEY="+jwtSecret)) {
		t.Error("rotating JWT_SECRET as documented changed the keys")
	}
	_, err := config.Load(production("JWT_SECRET="+rotated, "JWT_SECRET_PREVIOUS="+jwtSecret))
	if got := variables(err); !cmp.Equal(got, []string{"FINGERPRINT_KEY"}) {
		t.Errorf("rotating without FINGERPRINT_KEY: problems with %v, want FINGERPRINT_KEY", got)
	}
	if strings.Contains(derived[0].Reveal(), jwtSecret) {
		t.Error("the fingerprint key contains the JWT secret")
	}
	// Recorded so that an upgrade can't change them unnoticed: every hidden value
	// in every installation would look changed, and no seal could be checked.
	want := [3]string{
		"0c4989a04c06919e27c26ee6d9dc53268d4e63c6f66b5945a7d597217120fdba",
		"b794c6609530b83aabab08052aa2720cf00298818a9b90dfe52ea955537553e2",
		"8858956e86161c31b3cfd49ccba60cb73ba034c474d2db6f76258e0693c36325",
	}
	for i, key := range derived {
		if got := fmt.Sprintf("%x", key.Reveal()); got != want[i] {
			t.Errorf("derived key %d = %s, want %s", i, got, want[i])
		}
	}
}

func TestASealNeedsAKeyThatLasts(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load(nil)
	if err != nil || !cfg.SealKey.IsZero() || cfg.FingerprintKey.IsZero() {
		t.Errorf("in development without secrets: seal key %v, fingerprint key %v, error %v; want none, one, nil",
			!cfg.SealKey.IsZero(), !cfg.FingerprintKey.IsZero(), err)
	}
	whole, err := config.Load(production())
	if err != nil {
		t.Fatal(err)
	}
	database, sealKey, err := config.LoadAccounts(production())
	if err != nil || !sealKey.Equal(whole.SealKey) || !database.URL.Equal(whole.Database.URL) {
		t.Errorf("LoadAccounts = %v, %v, %v; want what Load says", database, sealKey, err)
	}
	if _, _, err := config.LoadAccounts([]string{"APP_ENV=production"}); !cmp.Equal(variables(err), []string{"DATABASE_URL", "JWT_SECRET"}) {
		t.Errorf("LoadAccounts in production without anything: %v, want both missing variables", err)
	}
}

func TestSecretsFromFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cfg, err := config.Load([]string{
		"APP_ENV=production",
		"DATABASE_URL_FILE=" + write("db", databaseURL+"\n"),
		"JWT_SECRET_FILE=" + write("jwt", jwtSecret+"\r\n"),
		"JWT_SECRET_PREVIOUS_FILE=" + write("previous", " "+jwtSecret+" "),
		"FINGERPRINT_KEY_FILE=" + write("fingerprint", jwtSecret+"\n"),
		"SENTRY_DSN_FILE=" + write("sentry", sentryDSN),
		"LOG_LEVEL_FILE=" + write("level", "debug\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2]string{
		"DATABASE_URL":        {cfg.Database.URL.Reveal(), databaseURL},
		"JWT_SECRET":          {cfg.JWTSecret.Reveal(), jwtSecret},
		"JWT_SECRET_PREVIOUS": {cfg.JWTPrevious.Reveal(), " " + jwtSecret + " "},
		"SENTRY_DSN":          {cfg.SentryDSN.Reveal(), sentryDSN},
		"LOG_LEVEL":           {string(cfg.Log.Level), "debug"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s from its file = %q, want %q", name, pair[0], pair[1])
		}
	}

	missing := filepath.Join(dir, "missing")
	bad := map[string]string{
		"missing":   missing,
		"directory": dir,
		"empty":     write("empty", "\n"),
		"too large": write("large", strings.Repeat("x", 1<<20)),
	}
	for name, path := range bad {
		_, err := config.Load(production("JWT_SECRET=", "JWT_SECRET_FILE="+path))
		if got := variables(err); !cmp.Equal(got, []string{"JWT_SECRET_FILE"}) {
			t.Errorf("%s: problems with %v (%v), want JWT_SECRET_FILE", name, got, err)
		}
	}

	_, err = config.Load(production("JWT_SECRET_FILE=" + missing))
	if got := variables(err); !cmp.Equal(got, []string{"JWT_SECRET_FILE"}) {
		t.Errorf("value and file at once: problems with %v, want JWT_SECRET_FILE", got)
	}
}

// Each of these is refused, and the reason must not tell what it was.
func TestErrorsKeepSecrets(t *testing.T) {
	t.Parallel()
	const pw = "hunter2-s3cr3t"
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("postgres://u:"+pw+"@h:bad/x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, entry := range []string{
		"DATABASE_URL=postgres://u:" + pw + "@h:bad/x",
		"DATABASE_URL=postgres://u:" + pw + "%zz@h/x",
		"DATABASE_URL=postgres://u:" + pw + "#@h/x",
		"DATABASE_URL=postgres://u:/" + pw + "@h/x",
		"DATABASE_URL=mysql://u:" + pw + "@h/x",
		"DATABASE_URL=" + pw,
		"DATABASE_URL=password=" + pw + " sslmode=bad",
		"DATABASE_URL_FILE=" + path,
		"JWT_SECRET=" + pw,
		"JWT_SECRET=changeme-changeme-changeme-" + pw,
		"FINGERPRINT_KEY=" + pw,
		"SENTRY_DSN=https://" + pw + "@host",
		"SENTRY_DSN=" + pw,
		"PUBLIC_URL=https://me:" + pw + "@drift.example.com",
		"CORS_ORIGINS=https://me:" + pw + "@drift.example.com",
		"LOGS_URL=https://me:" + pw + "@[logs",
		"OTEL_EXPORTER_OTLP_ENDPOINT=https://me:" + pw + "@collector",
		"OTEL_EXPORTER_OTLP_HEADERS=authorization " + pw,
		"OTEL_EXPORTER_OTLP_TRACES_HEADERS=authorization=%zz" + pw,
	} {
		_, err := config.Load([]string{"APP_ENV=production", entry})
		if err == nil {
			t.Errorf("%s: no error", entry)
			continue
		}
		encoded, jsonErr := json.Marshal(err)
		if jsonErr != nil {
			t.Fatal(jsonErr)
		}
		for _, text := range []string{err.Error(), fmt.Sprintf("%+v %#v", err, err), string(encoded)} {
			if strings.Contains(text, pw) {
				t.Errorf("%s: the error shows it: %s", entry, text)
			}
		}
	}
}

func TestConfigPrintsNoSecret(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load(production(
		"FINGERPRINT_KEY="+strings.ToUpper(jwtSecret),
		"SENTRY_DSN="+sentryDSN,
		"OTEL_EXPORTER_OTLP_HEADERS=authorization=s3cr3t-header",
	))
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%v %+v %#v %s %v", cfg, cfg, cfg, encoded, cfg.Effective())
	for _, leak := range []string{"s3cr3t", "s3ntry", jwtSecret, strings.ToUpper(jwtSecret)} {
		if strings.Contains(text, leak) {
			t.Errorf("printing the configuration shows %q", leak)
		}
	}
}

func TestEffective(t *testing.T) {
	t.Parallel()
	level := filepath.Join(t.TempDir(), "level")
	if err := os.WriteFile(level, []byte("warn"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load([]string{
		"NODE_ENV=staging", "DATABASE_URL=" + databaseURL, "JWT_SECRET=" + jwtSecret,
		"PORT=8080", "LOG_LEVEL_FILE=" + level, "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318",
		"OTEL_EXPORTER_OTLP_HEADERS=a=b",
	})
	if err != nil {
		t.Fatal(err)
	}
	const d, e, f = config.SourceDefault, config.SourceEnvironment, config.SourceFile
	want := []config.Setting{
		{"APP_ENV", "staging", e},
		{"HOST", "", d},
		{"PORT", "8080", e},
		{"DATABASE_URL", "***", e},
		{"DATABASE_MAX_CONNS", "10", d},
		{"JWT_SECRET", "***", e},
		{"JWT_SECRET_PREVIOUS", "", d},
		{"JWT_ACCESS_TTL", "15m", d},
		{"FINGERPRINT_KEY", "***", d},
		{"LOG_LEVEL", "warn", f},
		{"LOG_FORMAT", "json", d},
		{"ENABLE_METRICS", "true", d},
		{"CORS_ORIGINS", "", d},
		{"TRUSTED_PROXIES", "", d},
		{"REQUEST_TIMEOUT", "30s", d},
		{"MAX_UPLOAD_BYTES", "2GiB", d},
		{"RATE_LIMIT_PER_MINUTE", "6000", d},
		{"SLOW_REQUEST_THRESHOLD", "1s", d},
		{"SHUTDOWN_TIMEOUT", "30s", d},
		{"SHUTDOWN_DELAY", "5s", d},
		{"SENTRY_DSN", "", d},
		{"PUBLIC_URL", "", d},
		{"JAEGER_URL", "", d},
		{"LOGS_URL", "", d},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318", e},
		{"OTEL_EXPORTER_OTLP_HEADERS", "***", e},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", "3000", d},
		{"OTEL_BSP_EXPORT_TIMEOUT", "5000", d},
		{"OTEL_BLRP_EXPORT_TIMEOUT", "5000", d},
		{"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "4096", d},
		{"OTEL_GO_X_OBSERVABILITY", "true", d},
	}
	if diff := cmp.Diff(want, cfg.Effective()); diff != "" {
		t.Errorf("Effective differs (-want +got):\n%s", diff)
	}

	cfg.Effective()[0].Value = "overwritten"
	if cfg.Effective()[0].Value != "staging" {
		t.Error("Effective hands out its own memory")
	}
}

// A command that needs a part must not fail for the rest.
func TestParts(t *testing.T) {
	t.Parallel()
	broken := []string{"APP_ENV=production", "LOG_LEVEL=loud", "JWT_SECRET=short"}

	database, err := config.LoadDatabase(append(broken, "DATABASE_URL="+databaseURL, "PORT=no"))
	if err != nil || database.URL.Reveal() != databaseURL || database.MaxConns != 10 {
		t.Errorf("LoadDatabase = %+v, %v, want the URL given", database, err)
	}
	if _, err = config.LoadDatabase(broken); !cmp.Equal(variables(err), []string{"DATABASE_URL"}) {
		t.Errorf("LoadDatabase without one in production: %v, want a problem with DATABASE_URL", err)
	}

	listen, err := config.LoadListen(append(broken, "PORT=8080"))
	if err != nil || listen != (config.Listen{Port: 8080}) {
		t.Errorf("LoadListen = %+v, %v, want port 8080", listen, err)
	}
	if _, err = config.LoadListen([]string{"PORT=no"}); !cmp.Equal(variables(err), []string{"PORT"}) {
		t.Errorf("LoadListen with PORT=no: %v, want a problem with PORT", err)
	}

	level, err := config.LoadLevel([]string{"LOG_LEVEL=debug", "PORT=no"})
	if err != nil || level != config.LevelDebug {
		t.Errorf("LoadLevel = %q, %v, want debug", level, err)
	}
	if _, err = config.LoadLevel(broken); !cmp.Equal(variables(err), []string{"LOG_LEVEL"}) {
		t.Errorf("LoadLevel with LOG_LEVEL=loud: %v, want a problem with LOG_LEVEL", err)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		host           string
		address, local string
	}{
		{"", ":3001", "localhost:3001"},
		{"0.0.0.0", "0.0.0.0:3001", "localhost:3001"},
		{"::", "[::]:3001", "localhost:3001"},
		{"::1", "[::1]:3001", "[::1]:3001"},
		{"10.0.0.7", "10.0.0.7:3001", "10.0.0.7:3001"},
		{"drift.internal", "drift.internal:3001", "drift.internal:3001"},
	}
	for _, test := range tests {
		listen := config.Listen{Host: test.host, Port: 3001}
		if got := listen.Address(); got != test.address {
			t.Errorf("Listen{%q}.Address() = %q, want %q", test.host, got, test.address)
		}
		if got := listen.LocalAddress(); got != test.local {
			t.Errorf("Listen{%q}.LocalAddress() = %q, want %q", test.host, got, test.local)
		}
	}
}
