package telemetry

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/telemetry/otlptest"
)

// TestTraceOfOneRequest follows a request to what the collector received: the
// server span, those below it, and the log records, all with one trace and one
// correlation id.
func TestTraceOfOneRequest(t *testing.T) {
	tel, out, got, stop := collected(t, Options{Version: "1.2.3"})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/scans", func(w http.ResponseWriter, r *http.Request) {
		ctx, done := tel.Phase(r.Context(), "parse")
		done(nil, "resources", 3, "noise", int64(1))
		_, done = tel.Phase(ctx, "store")
		done(&brokenError{"no"})
		tel.Link(r.Context(), "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
		tel.Logger().ErrorContext(r.Context(), "it broke", "error", errTest, "took", 2500000)
		w.WriteHeader(http.StatusCreated)
	})
	w := serve(tel.Handler(mux, HTTPOptions{}), "POST", "/api/v1/scans?stack=prod", header(correlation.Header, "ci-run-7"))
	stop()

	server, parse, store := spanOf(t, got, "POST /api/v1/scans"), spanOf(t, got, "scan parse"), spanOf(t, got, "scan store")
	for _, s := range []*tracepb.Span{server, parse, store} {
		if id := otlptest.Attributes(s.GetAttributes())["correlation_id"]; id != "ci-run-7" {
			t.Errorf("span %s has correlation_id %v, want ci-run-7", s.GetName(), id)
		}
		if hex.EncodeToString(s.GetTraceId()) != hex.EncodeToString(server.GetTraceId()) {
			t.Errorf("span %s is in another trace", s.GetName())
		}
	}
	if timing := w.Header().Get("Server-Timing"); !strings.Contains(timing, hex.EncodeToString(server.GetTraceId())) || !strings.HasSuffix(timing, `-01"`) {
		t.Errorf("Server-Timing = %s, want the sampled trace %x", timing, server.GetTraceId())
	}
	if a := otlptest.Attributes(server.GetAttributes()); a["http.route"] != "/api/v1/scans" || a["http.response.status_code"] != int64(201) || a["url.query"] != nil {
		t.Errorf("server span's attributes = %v", a)
	}
	if a := otlptest.Attributes(parse.GetAttributes()); a["driftsentry.resources"] != int64(3) || a["driftsentry.noise"] != int64(1) {
		t.Errorf("parse span's attributes = %v", a)
	}
	if store.GetStatus().GetCode() != tracepb.Status_STATUS_CODE_ERROR || otlptest.Attributes(store.GetAttributes())["error.type"] != "*telemetry.brokenError" {
		t.Errorf("store span = %v, want an error with its type", store)
	}
	if links := server.GetLinks(); len(links) != 1 || hex.EncodeToString(links[0].GetTraceId()) != "0af7651916cd43dd8448eb211c80319c" {
		t.Errorf("links = %v", links)
	}
	if n := len(out.lines(t)); n != len(got.Logs()) {
		t.Errorf("%d log records arrived, want the %d of stdout", len(got.Logs()), n)
	}
	for _, record := range got.Logs() {
		a := otlptest.Attributes(record.GetAttributes())
		if a["correlationId"] != "ci-run-7" || hex.EncodeToString(record.GetTraceId()) != hex.EncodeToString(server.GetTraceId()) {
			t.Errorf("log record %v is not of this request", record)
		}
		if record.GetBody().GetStringValue() == "it broke" {
			if a["exception.message"] != errTest.Error() || record.GetSeverityText() != "error" {
				t.Errorf("log record = %v, want the exception's attributes", record)
			}
		}
	}
	if text := got.Text(); !strings.Contains(text, "deployment.environment.name") || !strings.Contains(text, "1.2.3") {
		t.Error("the resource lacks environment or version")
	}
	if e := tel.Exports(); e.Traces.Exported != 3 || e.Traces.LastSuccess == nil || e.Logs.Exported == 0 {
		t.Errorf("Exports() = %+v", e)
	}
}

// recording is a Telemetry whose spans end up in the returned recorder.
func recording(t *testing.T) (*Telemetry, *tracetest.SpanRecorder, *output) {
	t.Helper()
	tel, out := start(t, Options{})
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(correlator{&exportCounts{}}), sdktrace.WithSpanProcessor(spans))
	tel.providers.traces, tel.tracer = provider, provider.Tracer(scope)
	return tel, spans, out
}

// TestTrust: a stranger's trace is linked, a trusted caller's is joined.
func TestTrust(t *testing.T) {
	t.Parallel()
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for _, trusted := range []bool{false, true} {
		tel, spans, _ := recording(t)
		mux := http.NewServeMux()
		mux.HandleFunc("GET /x", func(http.ResponseWriter, *http.Request) {})
		h := tel.Handler(mux, HTTPOptions{Trusted: func(*http.Request) bool { return trusted }})
		serve(h, "GET", "/x", header("Traceparent", parent))
		serve(h, "GET", "/x", header("Traceparent", "00-garbage-01"))
		s := spans.Ended()[0]
		joined := s.SpanContext().TraceID().String() == "0af7651916cd43dd8448eb211c80319c"
		if joined != trusted || len(s.Links()) == 1 == trusted {
			t.Errorf("trusted %v: joined %v with %d links", trusted, joined, len(s.Links()))
		}
		if s := spans.Ended()[1]; len(s.Links()) != 0 || s.Parent().IsValid() {
			t.Errorf("garbage became a parent or a link: %v", s)
		}
	}
}

// TestStrangersDoNotChooseOurSampling: an unsampled stranger is sampled all
// the same.
func TestStrangersDoNotChooseOurSampling(t *testing.T) {
	t.Parallel()
	tel, spans, _ := recording(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /x", func(http.ResponseWriter, *http.Request) {})
	serve(tel.Handler(mux, HTTPOptions{}), "GET", "/x", header("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"))
	if len(spans.Ended()) != 1 {
		t.Error("a stranger's unsampled flag silenced our span")
	}
}

// TestSpanSaysWhatOtelhttpCannot: the route, our ids and an address that the
// caller could not choose, under the name of the route.
func TestSpanSaysWhatOtelhttpCannot(t *testing.T) {
	t.Parallel()
	tests := []struct {
		method, path string
		name         string
		route        any
	}{
		{http.MethodGet, "/api/v1/drifts/x", "GET /api/v1/drifts/{id}", "/api/v1/drifts/{id}"},
		{http.MethodGet, "/api/v1/nothing/here", "GET", nil},
		{"BREW", "/nope", "HTTP", nil},
	}
	for _, tt := range tests {
		tel, spans, _ := recording(t)
		serve(api(tel), tt.method, tt.path, header(correlation.Header, "run-1"), header("X-Forwarded-For", "203.0.113.1"))
		s := spans.Ended()[0]
		a := plainAttributes(s.Attributes())
		if s.Name() != tt.name || s.SpanKind() != trace.SpanKindServer || a["http.route"] != tt.route || a["correlation_id"] != "run-1" {
			t.Errorf("%s %s: %v span %q with %v, want a server's named %q and route %v", tt.method, tt.path, s.SpanKind(), s.Name(), a, tt.name, tt.route)
		}
		if a["client.address"] == "203.0.113.1" || a["http.response.status_code"] == nil || a["url.path"] != tt.path || a["url.query"] != nil {
			t.Errorf("%s %s: attributes %v", tt.method, tt.path, a)
		}
	}
}

func plainAttributes(kvs []attribute.KeyValue) map[string]any {
	all := map[string]any{}
	for _, kv := range kvs {
		all[string(kv.Key)] = kv.Value.AsInterface()
	}
	return all
}

// TestErrorsOnSpans: a client's mistake is no error of the span's, ours is,
// with the type of what happened.
func TestErrorsOnSpans(t *testing.T) {
	t.Parallel()
	tel, spans, _ := recording(t)
	h := api(tel)
	serve(h, "POST", "/api/v1/drifts/x/approve")
	serve(h, "GET", "/api/v1/summary", func(r *http.Request) {
		*r = *r.WithContext(context.WithValue(r.Context(), errorKey{}, errors.Join(&brokenError{"x"})))
	})
	client, server := spans.Ended()[0], spans.Ended()[1]
	if client.Status().Code.String() != "Unset" || plainAttributes(client.Attributes())["driftsentry.error.code"] != "CONFLICT" {
		t.Errorf("409: status %v, attributes %v", client.Status(), client.Attributes())
	}
	if server.Status().Code.String() != "Error" || plainAttributes(server.Attributes())["error.type"] != "*telemetry.brokenError" {
		t.Errorf("500: status %v, attributes %v", server.Status(), server.Attributes())
	}
}

// TestSpanCleaning: what reaches the exporter has no secrets, and a span
// without any is passed on as it is.
func TestSpanCleaning(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("x")
	_, span := tracer.Start(context.Background(), "dial postgres://u:planted-1@h/", trace.WithLinks(trace.Link{
		SpanContext: trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}}),
		Attributes:  []attribute.KeyValue{attribute.String("token", "planted-2")},
	}))
	span.SetAttributes(attribute.String("password", "planted-3"), attribute.StringSlice("args", []string{"secret=planted-4", "ok"}), attribute.Int("n", 1))
	span.RecordError(errors.New("password=planted-5"))
	span.SetStatus(1, "token: planted-6")
	span.End()
	_, span = tracer.Start(context.Background(), "clean")
	span.SetAttributes(attribute.String("path", "/x"), attribute.StringSlice("list", []string{"a"}))
	span.AddEvent("e")
	span.End()

	r := testRedactor(map[string]int{})
	was := spans.Ended()
	s := r.span(was[0])
	var all strings.Builder
	all.WriteString(s.Name() + s.Status().Description)
	for _, kv := range s.Attributes() {
		all.WriteString(kv.Value.String())
	}
	for _, e := range s.Events() {
		for _, kv := range e.Attributes {
			all.WriteString(kv.Value.String())
		}
	}
	for _, l := range s.Links() {
		for _, kv := range l.Attributes {
			all.WriteString(kv.Value.String())
		}
	}
	if strings.Contains(all.String(), "planted") || !strings.Contains(all.String(), "ok") {
		t.Errorf("clean span holds %s", all.String())
	}
	if clean := r.span(was[1]); clean != was[1] {
		t.Error("a clean span was copied")
	}
}
