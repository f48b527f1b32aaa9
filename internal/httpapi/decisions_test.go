package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/httpapi"
)

const reason = "nobody knows who opened it"

func TestADecision(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	drift := h.upload("prod/network", bucket(minute(0), map[string]string{"logs": "public-read"}), http.StatusCreated).Drifts[0]
	path := "/api/v1/drifts/" + drift.ID.String()
	alice := h.as(h.token(h.user(auth.Engineer)))

	seen := alice.do(http.MethodGet, path, "").is(http.StatusOK)
	etag := seen.header.Get("ETag")
	triaged := alice.do(http.MethodPost, path+"/triage", "", "If-Match", etag).is(http.StatusOK)
	if d := into[driftOf](triaged); d.Status != "triaged" || triaged.header.Get("ETag") == etag {
		t.Errorf("after triage: %s, ETag %s as before", d.Status, triaged.header.Get("ETag"))
	}
	alice.do(http.MethodPost, path+"/approve", `{"reason":"`+reason+`"}`, "If-Match", etag).refused(412, "PRECONDITION_FAILED", "triaged")
	alice.do(http.MethodPost, path+"/approve", `{"reason":"`+reason+`"}`, "If-Match", "W/"+etag).refused(412, "PRECONDITION_FAILED", "ETag")
	alice.do(http.MethodPost, path+"/approve", `{"reason":"`+reason+`"}`, "If-Match", "etag").refused(400, "VALIDATION_ERROR", "If-Match")
	alice.do(http.MethodPost, path+"/resolve", `{"reason":"`+reason+`"}`).refused(409, "CONFLICT", "triaged")
	rejected := into[driftOf](alice.do(http.MethodPost, path+"/reject", `{"reason":"`+reason+`","until":"2027-01-31"}`,
		"If-Match", triaged.header.Get("ETag"), "User-Agent", "review/1").is(http.StatusOK))
	if rejected.QuietUntil == nil || *rejected.QuietUntil != "2027-02-01T00:00:00.000Z" {
		t.Errorf("quietUntil = %v, want the end of the day", rejected.QuietUntil)
	}
	var got []string
	for _, e := range get[driftOf](alice, path).Decisions {
		got = append(got, e.Action+" by "+e.Actor)
	}
	if diff := cmp.Diff([]string{"triaged by user:engineer@example.com", "rejected by user:engineer@example.com"}, got); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
	// One more scan that sees the same is no other version.
	before := alice.do(http.MethodGet, path, "").header.Get("ETag")
	h.upload("prod/network", bucket(minute(1), map[string]string{"logs": "public-read"}), http.StatusCreated)
	if after := alice.do(http.MethodGet, path, "").header.Get("ETag"); after != before {
		t.Errorf("ETag %s after one more scan, was %s", after, before)
	}
	resolved := into[driftOf](alice.do(http.MethodPost, path+"/resolve", `{"reason":"`+reason+`"}`, "If-Match", "*").is(http.StatusOK))
	if resolved.Status != "resolved" {
		t.Errorf("status = %s, want resolved", resolved.Status)
	}
	alice.do(http.MethodPost, path+"/approve", `{"reason":"`+reason+`"}`).refused(409, "CONFLICT", "resolved")

	var actions []string
	first := get[page[eventOf]](alice, path+"/timeline?limit=2")
	rest := get[page[eventOf]](alice, path+"/timeline?limit=2&cursor="+*first.NextCursor)
	for _, e := range append(first.Items, rest.Items...) {
		actions = append(actions, e.Action)
	}
	if diff := cmp.Diff([]string{"detected", "triaged", "rejected", "resolved"}, actions); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
}

// TestRequestsAreLinkedToWhatTheyAreAbout: whoever reads or decides is led to
// the upload that found the drift and to the decisions before.
func TestRequestsAreLinkedToWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	var links []string
	h := newHouse(t, func(o *httpapi.Options) {
		o.Linked = func(_ context.Context, trace, span string) { links = append(links, trace+"/"+span) }
	})
	trace := func(c string) string { return strings.Repeat(c, 32) }
	span := func(c string) string { return strings.Repeat(c, 16) }
	ask := func(c, method, target, body string) answer {
		ctx := correlation.With(t.Context(), correlation.IDs{Correlation: "run-" + c, Trace: trace(c), Span: span(c)})
		r := httptest.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-API-Key", h.credential)
		w := exchange(t, h, r)
		return answer{t: t, what: target, status: w.Code, header: w.Header(), body: w.Body.Bytes()}
	}
	drift := into[receipt](ask("a", http.MethodPost, "/api/v1/scans?stack=s", bucket(minute(0), map[string]string{"logs": "public-read"})).is(201)).Drifts[0]
	path := "/api/v1/drifts/" + drift.ID.String()
	ask("b", http.MethodPost, path+"/triage", "{}").is(200)
	links = nil
	ask("c", http.MethodPost, path+"/approve", `{"reason":"`+reason+`"}`).is(200)
	if diff := cmp.Diff([]string{trace("a") + "/" + span("a"), trace("b") + "/" + span("b")}, links); diff != "" {
		t.Errorf("links of a decision: the scan, the decision before (-want +got):\n%s", diff)
	}
	links = nil
	d := into[driftOf](ask("d", http.MethodGet, path, "").is(200))
	if diff := cmp.Diff([]string{trace("a") + "/" + span("a"), trace("c") + "/" + span("c")}, links); diff != "" {
		t.Errorf("links of a read: the scan, the last decision (-want +got):\n%s", diff)
	}
	if d.CorrelationID != "run-a" || d.TraceID != trace("a") || d.SpanID != span("a") || d.Decisions[1].SpanID != span("c") {
		t.Errorf("read: ids %s %s %s; want those of the scan", d.CorrelationID, d.TraceID, d.SpanID)
	}
}

func TestKeysForSomeStacksStayThere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	here := h.upload("prod/network", bucket(minute(0), map[string]string{"a": "public-read"}), http.StatusCreated)
	there := h.upload("dev/network", bucket(minute(0), map[string]string{"a": "public-read"}), http.StatusCreated)
	k := h.as(h.key(auth.Engineer, "prod/**"))
	for _, target := range []string{
		"/api/v1/drifts?stack=prod/network", "/api/v1/scans?stack=prod/network", "/api/v1/noise?stack=prod/network",
		"/api/v1/stacks/prod/network", "/api/v1/scans/" + here.ID.String(),
		"/api/v1/drifts/" + here.Drifts[0].ID.String(), "/api/v1/drifts/" + here.Drifts[0].ID.String() + "/timeline",
		"/api/v1/correlations/" + here.CorrelationID,
	} {
		k.do(http.MethodGet, target, "").is(http.StatusOK)
	}
	for _, target := range []string{
		"/api/v1/drifts", "/api/v1/drifts?stack=dev/network", "/api/v1/scans", "/api/v1/stacks", "/api/v1/summary",
		"/api/v1/noise?stack=dev/network",
	} {
		k.do(http.MethodGet, target, "").refused(403, "FORBIDDEN", "prod/**")
	}
	for _, target := range []string{
		"/api/v1/stacks/dev/network", "/api/v1/scans/" + there.ID.String(),
		"/api/v1/drifts/" + there.Drifts[0].ID.String(), "/api/v1/drifts/" + there.Drifts[0].ID.String() + "/timeline",
	} {
		k.do(http.MethodGet, target, "").refused(404, "NOT_FOUND", "no such")
	}
	k.do(http.MethodPost, "/api/v1/drifts/"+there.Drifts[0].ID.String()+"/triage", "{}").refused(404, "NOT_FOUND", "no such drift")
	k.do(http.MethodPost, "/api/v1/scans?stack=dev/network", bucket(minute(1), nil)).refused(403, "FORBIDDEN", "prod/**")
	k.upload("prod/other", bucket(minute(1), nil), http.StatusCreated)
}
