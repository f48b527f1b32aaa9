package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/telemetry/otlptest"
)

// decided is what a drift shows of its life.
type decided struct {
	listedDrift
	CorrelationID, TraceID string
	Decisions              []event
}

type event struct{ Action, Actor, From, To, Reason, CorrelationID, TraceID, SpanID string }

// post sends a JSON body and wants a status.
func (h *house) post(path, body string, want int, header ...string) answer {
	h.t.Helper()
	a := h.do(http.MethodPost, path, strings.NewReader(body), append([]string{"Content-Type", "application/json"}, header...)...)
	if a.status != want {
		h.t.Fatalf("POST %s %s = %d %s, want %d", path, body, a.status, a.body, want)
	}
	return a
}

// find is the one open drift at an address.
func (h *house) find(stack, address string) decided {
	h.t.Helper()
	list := get[listOf[listedDrift]](h, "/api/v1/drifts?status=detected,triaged,approved,rejected&origin=outside&limit=100&stack="+stack)
	for _, d := range list.Items {
		if d.Address == address {
			return get[decided](h, "/api/v1/drifts/"+d.ID)
		}
	}
	h.t.Fatalf("no open drift at %s of %s", address, stack)
	return decided{}
}

func (h *house) actions(id string) string {
	h.t.Helper()
	var actions []string
	for _, e := range get[listOf[event]](h, "/api/v1/drifts/"+id+"/timeline").Items {
		actions = append(actions, e.Action)
	}
	return strings.Join(actions, " ")
}

// TestOneDriftFromScanToResolution is the life of a drift as a team has it:
// a scan finds a drift, somebody approves, a second scan still sees it, and it is
// resolved; then its timeline, its dossier and the audit trail tell the same.
func TestOneDriftFromScanToResolution(t *testing.T) {
	t.Parallel()
	collector := otlptest.Start(t, nil)
	h := program(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL, "JAEGER_URL=https://jaeger.example.com")
	const stack, address = "prod/edge", `local_file.site["shop.example.com/checkout"]`
	h.upload(stack, demoPlan(t, "prod-edge/plan-1.json"), "X-Correlation-ID", "scan-1")
	d := h.find(stack, address)
	approved := h.post("/api/v1/drifts/"+d.ID+"/approve", `{"reason":"terraform apply runs tonight"}`, 200, "X-Correlation-ID", "approval-1")
	h.post("/api/v1/drifts/"+d.ID+"/approve", `{"reason":"terraform apply runs tonight"}`, 409)
	second, _ := h.upload(stack, demoPlan(t, "prod-edge/plan-2.json"), "X-Correlation-ID", "scan-2")
	if second.Counts.Known != 2 {
		t.Errorf("the second scan = %+v, want 2 known drifts", second.Counts)
	}
	h.post("/api/v1/drifts/"+d.ID+"/resolve", `{"reason":"applied, see the pipeline"}`, 200,
		"X-Correlation-ID", "resolution-1", "If-Match", approved.header.Get("ETag"))
	if got := h.actions(d.ID); got != "detected approved resolved" {
		t.Errorf("the timeline is %q, want detected approved resolved", got)
	}
	is := get[decided](h, "/api/v1/drifts/"+d.ID)
	if is.Status != "resolved" || is.Resolution != "resolved" || is.TimesSeen != 2 || is.CorrelationID != "scan-1" || len(is.Decisions) != 2 ||
		is.Decisions[0].CorrelationID != "approval-1" || is.Decisions[1].CorrelationID != "resolution-1" {
		t.Errorf("the drift = %+v, want it resolved, seen twice, with the ids of its scan and of both decisions", is)
	}

	dossier := get[struct {
		CorrelationID string
		Scans, Drifts []struct{ ID string }
		Events        []event
		Traces        []struct{ TraceID, URL string }
		Links         struct{ Traces string }
	}](h, "/api/v1/correlations/approval-1")
	if len(dossier.Scans) != 0 || len(dossier.Events) != 1 || dossier.Events[0].Action != "approved" || len(dossier.Traces) != 1 ||
		dossier.Traces[0].URL != "https://jaeger.example.com/trace/"+dossier.Traces[0].TraceID || !strings.Contains(dossier.Links.Traces, "approval-1") {
		t.Errorf("the approval's dossier = %+v, want its event, its trace and where to find it", dossier)
	}
	scanned := get[struct{ Scans, Drifts, Events []json.RawMessage }](h, "/api/v1/correlations/scan-1")
	if len(scanned.Scans) != 1 || len(scanned.Drifts) != 4 || len(scanned.Events) != 4 {
		t.Errorf("the scan's dossier has %d scans, %d drifts, %d events, want 1, 4, 4", len(scanned.Scans), len(scanned.Drifts), len(scanned.Events))
	}
	verified := get[struct {
		OK            bool
		Events, Seals int
	}](h, "/api/v1/audit/verify")
	if !verified.OK || verified.Events < 8 {
		t.Errorf("the audit trail = %+v, want it whole", verified)
	}

	if code := h.stop(); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, h.out)
	}
	// In Jaeger one gets from the approval to the scan that found the drift, and
	// from the resolution to both.
	links := map[string][]string{}
	for _, s := range received(collector) {
		links[s.name] = append(links[s.name], s.links...)
	}
	if !slices.Contains(links["POST /api/v1/drifts/{id}/approve"], d.TraceID) ||
		!slices.Contains(links["POST /api/v1/drifts/{id}/resolve"], d.TraceID) ||
		!slices.Contains(links["POST /api/v1/drifts/{id}/resolve"], is.Decisions[0].TraceID) {
		t.Errorf("span links = %v, want the approval linked to trace %s, the resolution also to %s", links, d.TraceID, is.Decisions[0].TraceID)
	}
}

// TestARejectedDriftStaysQuietUntilItIsAnother: the same values do not come up
// again, other ones do, and a decision about an attribute does not silence a
// deletion.
func TestARejectedDriftStaysQuietUntilItIsAnother(t *testing.T) {
	t.Parallel()
	h := serve(t)
	const stack, address = "prod/quiet", "aws_s3_bucket.logs"
	n := 0
	scan := func(actions, after string) receipt {
		t.Helper()
		n++
		plan := `{"format_version":"1.2","terraform_version":"1.11.4","timestamp":"2026-11-23T10:00:0` + string(rune('0'+n)) + `Z",
			"planned_values":{"root_module":{}},"configuration":{"root_module":{}},"complete":true,"errored":false,"applyable":true,
			"resource_drift":[{"address":"` + address + `","mode":"managed","type":"aws_s3_bucket","name":"logs",
			"provider_name":"registry.terraform.io/hashicorp/aws","change":{"actions":["` + actions + `"],
			"before":{"acl":"private","bucket":"logs"},"after":` + after + `,"after_unknown":{},"before_sensitive":{},"after_sensitive":{}}}]}`
		r, status := h.upload(stack, []byte(plan))
		if status != http.StatusCreated {
			t.Fatalf("scan %d = %d, want 201", n, status)
		}
		return r
	}
	const public, open = `{"acl":"public-read","bucket":"logs"}`, `{"acl":"public-read-write","bucket":"logs"}`
	scan("update", public)
	d := h.find(stack, address)
	reject := func() {
		t.Helper()
		h.post("/api/v1/drifts/"+d.ID+"/reject", `{"reason":"a website, on purpose","until":"2030-01-01"}`, 200)
	}
	reject()
	if r := scan("update", public); r.Counts.Known != 1 || r.Counts.Reopened != 0 {
		t.Errorf("the same values = %+v, want the drift known and quiet", r.Counts)
	}
	if r := scan("update", open); r.Counts.Reopened != 1 {
		t.Errorf("other values = %+v, want the drift reopened", r.Counts)
	}
	reject()
	if r := scan("delete", "null"); r.Counts.Reopened != 1 {
		t.Errorf("the bucket gone = %+v, want the drift reopened", r.Counts)
	}
	if got := h.actions(d.ID); got != "detected rejected changed reopened rejected changed reopened" {
		t.Errorf("the timeline is %q", got)
	}
	if is := h.find(stack, address); is.Status != "detected" || is.Action != "delete" {
		t.Errorf("the drift = %s, %s, want a deletion that is detected", is.Status, is.Action)
	}
}

// TestTwoReviewersAtOnce: whoever decides about what has changed is told.
func TestTwoReviewersAtOnce(t *testing.T) {
	t.Parallel()
	h := serve(t)
	h.upload("prod/edge", demoPlan(t, "prod-edge/plan-1.json"))
	d := h.find("prod/edge", "local_file.motd")
	seen := h.do(http.MethodGet, "/api/v1/drifts/"+d.ID, nil).header.Get("ETag")
	path := "/api/v1/drifts/" + d.ID
	h.post(path+"/triage", "", 200, "If-Match", seen)
	late := h.post(path+"/reject", `{"reason":"we like it as it is"}`, 412, "If-Match", seen)
	if !bytes.Contains(late.body, []byte("PRECONDITION_FAILED")) || !bytes.Contains(late.body, []byte("triaged")) {
		t.Errorf("the second reviewer hears %s, want PRECONDITION_FAILED and what it is now", late.body)
	}
}
