package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// canaries are distinct secrets, one for every way in. Those without a shape
// must be found by where they are or by what the request said of them.
var canaries = map[string]string{
	"bearer token":        "eyJhbGciOiJIUzI1NiJ9.eyJjYW5hcnkiOiJiZWFyZXIifQ.c2lnbmF0dXJlLWNhbmFyeQ",
	"basic credential":    "Y2FuYXJ5OmJhc2lj",
	"API key":             "shapeless canary key",
	"cookie":              "canarycookievalue",
	"query token":         "canary-in-the-query",
	"query URL":           "canaryurlpassword",
	"body password":       "canary in the body",
	"panic password":      "canarypanic1",
	"error connection":    "canaryconnection",
	"SQL detail":          "canary-sql-detail",
	"SQL message":         "canary-sql-message",
	"SQL argument":        "canary-sql-argument",
	"JWT secret":          "canary jwt signing secret, 32 bytes",
	"database password":   "canary/db+password",
	"attribute by name":   "canaryattribute",
	"private key":         "MIICanaryPrivateKeyMaterial",
	"user agent":          "AKIACANARYCANARY1234",
	"OTLP header":         "canary-otlp-header",
	"background password": "canarybackground",
}

// TestCanaries plants them everywhere and looks for them in every sink.
func TestCanaries(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-collector="+canaries["OTLP header"])
	sentries := newSentryServer(t)
	tel, out, received, stop := collected(t, Options{
		Level: LevelTrace, SlowQuery: time.Nanosecond, SentryDSN: sentries.dsn,
		Secrets: []string{canaries["JWT secret"], canaries["database password"]},
	})
	plant(tel)
	metrics := scrape(t, tel, "application/openmetrics-text; version=1.0.0")
	tracked, err := json.Marshal(tel.Errors())
	if err != nil {
		t.Fatal(err)
	}
	stop()
	pretty, prettyOut := start(t, Options{Pretty: true, Level: LevelTrace, Secrets: []string{canaries["JWT secret"], canaries["database password"]}})
	plant(pretty)

	sinks := map[string]string{
		"stdout": out.String(), "pretty stdout": prettyOut.String(), "OTLP": received.Text(), "metrics": metrics,
		"error tracker": string(tracked), "Sentry": sentries.text(),
	}
	for sink, text := range sinks {
		for name, canary := range canaries {
			for _, spelling := range spellings(canary) {
				if i := strings.Index(text, spelling); i >= 0 {
					t.Errorf("%s holds the %s: …%q…", sink, name, text[max(0, i-80):min(len(text), i+len(spelling)+20)])
				}
			}
		}
		if len(text) < 200 {
			t.Errorf("%s holds only %q: the test proves nothing", sink, text)
		}
	}
	if !strings.Contains(metrics, `driftsentry_redactions_total{rule="known",sink="log"}`) {
		t.Error("the redactions were not counted")
	}
}

// plant puts every canary where it would come in.
func plant(tel *Telemetry) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/auth/login", func(w http.ResponseWriter, r *http.Request) {
		body := fmt.Sprintf(`{"email":"a@example.com","password":%q}`, canaries["body password"])
		err := fmt.Errorf("login with %s and cookie %s: key %s refused: %w",
			r.Header.Get("Authorization"), r.Header.Get("Cookie"), r.Header.Get("X-API-Key"),
			fmt.Errorf("connect postgres://app:%s@db/drift: %w", canaries["error connection"], &pgconn.PgError{
				Severity: "ERROR", Code: "22P02", Message: fmt.Sprintf("invalid input syntax for type uuid: %q", canaries["SQL message"]),
				Detail: fmt.Sprintf("Key (token)=(%s) already exists.", canaries["SQL detail"]), TableName: "users",
			}))
		tel.Report(r, Failure{Err: err, Status: http.StatusInternalServerError, Code: codeInternal, Body: []byte(body)})
		w.WriteHeader(http.StatusInternalServerError)
	})
	mux.HandleFunc("GET /panic", func(_ http.ResponseWriter, r *http.Request) {
		span := trace.SpanFromContext(r.Context())
		span.SetAttributes(attribute.String("db.connection_string", "postgres://u:"+canaries["error connection"]+"@h/"),
			attribute.String("password", canaries["attribute by name"]))
		span.RecordError(errors.New("-----BEGIN PRIVATE KEY-----\n" + canaries["private key"] + "\n-----END PRIVATE KEY-----"))
		tel.Logger().With("apiKey", canaries["attribute by name"]).InfoContext(r.Context(), "using "+canaries["JWT secret"], //nolint:sloglint // that is the test
			"url", "postgres://u:"+canaries["error connection"]+"@h/", "pem", "-----BEGIN PRIVATE KEY-----\n"+canaries["private key"])
		panic("the password is " + canaries["panic password"] + " and " + r.Header.Get("Authorization") + " for " + canaries["database password"])
	})
	h := tel.Handler(mux, HTTPOptions{})
	serve(h, "POST", "/api/v1/auth/login?token="+canaries["query token"]+"&next=https%3A%2F%2Fu%3A"+canaries["query URL"]+"%40h%2F",
		header("Authorization", "Basic "+canaries["basic credential"]), header("Cookie", "session="+canaries["cookie"]),
		header("X-API-Key", canaries["API key"]), header("User-Agent", "x "+canaries["user agent"]))
	serve(h, "GET", "/panic", header("Authorization", "Bearer "+canaries["bearer token"]))
	serve(h, "GET", "/no/"+canaries["bearer token"])

	ctx, span := tel.tracer.Start(context.Background(), "work")
	tracer := tel.SQL(SQLOptions{Tables: []string{"users"}})
	qctx := tracer.TraceQueryStart(ctx, nil, pgx.TraceQueryStartData{
		SQL: "SELECT '" + canaries["SQL argument"] + "' FROM users WHERE a = $1", Args: []any{canaries["SQL argument"]},
	})
	tracer.TraceQueryEnd(qctx, nil, pgx.TraceQueryEndData{Err: &pgconn.PgError{
		Severity: "ERROR", Code: "22P02", Message: fmt.Sprintf("invalid input %q", canaries["SQL message"]), Detail: canaries["SQL detail"],
	}})
	span.End()
	<-tel.Go(context.Background(), "work", func(context.Context) error {
		return errors.New("secret=" + canaries["background password"])
	})
	tel.complain.Handle(errors.New("export failed with header " + canaries["OTLP header"]))
}
