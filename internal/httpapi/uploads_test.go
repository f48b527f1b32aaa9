package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/driftsentry/driftsentry/internal/auth"
)

func TestAnUploadTellsHowTheStackStands(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ci := h.as(h.key(auth.Ingest, ""))
	plan := bucket(minute(0), map[string]string{"logs": "public-read", "tmp": "public-read"})
	first := ci.upload("prod/storage", plan, http.StatusCreated)
	if first.Counts != (counts{Resources: 2, Detected: 2}) || first.Open.Outside == (severities{}) || first.Open.Pending != (severities{}) {
		t.Fatalf("first receipt = %+v", first)
	}
	before := first.Open.Outside
	h.do(http.MethodPost, "/api/v1/drifts/"+first.Drifts[0].ID.String()+"/reject", `{"reason":"`+reason+`"}`).is(http.StatusOK)

	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(plan)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	again := ci.upload("prod/storage", packed.String(), http.StatusOK, "Content-Encoding", "gzip")
	total := func(s severities) int { return s.Critical + s.Warning + s.Info }
	if again.ID != first.ID || again.Counts != first.Counts || total(again.Open.Outside) != total(before)-1 {
		t.Errorf("the same plan again = %+v, want the first receipt, and one drift less that waits", again)
	}
	for _, contentType := range []string{"text/plain", "application/octet-stream", "application/x-www-form-urlencoded"} {
		ci.upload("prod/storage", plan, http.StatusOK, "Content-Type", contentType)
	}
	gone := ci.upload("prod/storage", bucket(minute(5), nil), http.StatusCreated)
	if gone.Counts.Resolved != 2 || total(gone.Open.Outside) != 0 {
		t.Errorf("receipt of a clean plan = %+v", gone)
	}
	ci.do(http.MethodGet, "/api/v1/scans/"+first.ID.String(), "").refused(403, "FORBIDDEN", "ingest")
}

func TestWhatIsKnownOfARun(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	const header = "X-CI-Metadata"
	r := h.upload("prod/storage", bucket(minute(0), map[string]string{"logs": "public-read"}), http.StatusCreated, header,
		`{"cicd.pipeline.name":"drift","cicd.pipeline.run.url.full":"https://ci.example.com/4711",
		  "vcs.change.title":"deploy with password=hunter2hunter2"}`)
	want := map[string]string{
		"cicd.pipeline.name": "drift", "cicd.pipeline.run.url.full": "https://ci.example.com/4711",
	}
	for _, target := range []string{"/api/v1/scans/" + r.ID.String(), "/api/v1/drifts/" + r.Drifts[0].ID.String()} {
		got := get[struct{ CI map[string]string }](h, target).CI
		if title := got["vcs.change.title"]; title == "" || strings.Contains(title, "hunter2") {
			t.Errorf("%s: a title with a password is kept as %q", target, title)
		}
		delete(got, "vcs.change.title")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: ci (-want +got):\n%s", target, diff)
		}
	}
	without := h.upload("prod/other", bucket(minute(0), map[string]string{"logs": "public-read"}), http.StatusCreated)
	if got := get[driftOf](h, "/api/v1/drifts/"+without.Drifts[0].ID.String()).CI; got != nil {
		t.Errorf("ci of an upload that said nothing = %v, want null", got)
	}
	for _, tt := range []struct{ name, value, field, says string }{
		{"not JSON", `drift`, header, "JSON object"},
		{"an array", `["drift"]`, header, "JSON object"},
		{"null", `null`, header, "JSON object"},
		{"a number", `{"cicd.pipeline.run.id":4711}`, header, "strings"},
		{"twice", `{"vcs.change.id":"1","vcs.change.id":"2"}`, header, "twice"},
		{"an unknown name", `{"token":"hunter2hunter2"}`, header, "cicd.pipeline.name"},
		{"a link that runs", `{"cicd.pipeline.run.url.full":"javascript:alert(1)"}`, "cicd.pipeline.run.url.full", "https://"},
		{"control characters", `{"vcs.change.title":"a\u001b[31m"}`, "vcs.change.title", "control"},
		{"too long", `{"vcs.change.title":"` + strings.Repeat("x", 4<<10) + `"}`, header, "4096"},
	} {
		a := h.do(http.MethodPost, "/api/v1/scans?stack=prod/storage", bucket(minute(1), nil), header, tt.value)
		a.refused(400, "VALIDATION_ERROR", tt.says)
		if p := into[problem](a); len(p.Errors) != 1 || p.Errors[0].Field != tt.field || strings.Contains(string(a.body), "hunter2") {
			t.Errorf("%s: %s, want one error about %s", tt.name, a.body, tt.field)
		}
	}
}

func TestWordOfAFailure(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	open := h.upload("prod/storage", bucket(minute(0), map[string]string{"logs": "public-read"}), http.StatusCreated)
	const target = "/api/v1/scans?stack=prod/storage&status=errored"
	const body = `{"message":"Error: No valid credential sources found, password=hunter2hunter2"}`
	first := into[receipt](h.do(http.MethodPost, target, body, "X-CI-Metadata", `{"cicd.pipeline.run.id":"4711"}`).is(http.StatusCreated))
	if first.Status != "errored" || first.Counts != (counts{}) || first.Open != open.Open ||
		!strings.HasPrefix(first.Message, "Error: No valid") || strings.Contains(first.Message, "hunter2") {
		t.Errorf("receipt = %+v", first)
	}
	// The same an hour later is news.
	second := into[receipt](h.do(http.MethodPost, target, body).is(http.StatusCreated))
	if second.ID == first.ID {
		t.Error("the second failure got the first one's receipt")
	}
	scan := get[struct {
		Status, Format, Message string
		Covers                  []string
		CI                      map[string]string
	}](h, "/api/v1/scans/"+first.ID.String())
	if scan.Status != "errored" || scan.Format != "failure" || scan.Message != first.Message || len(scan.Covers) != 0 || scan.CI["cicd.pipeline.run.id"] != "4711" {
		t.Errorf("scan = %+v", scan)
	}
	stack := get[struct {
		Freshness struct{ LastScanID, LastScanStatus, LastCompleteAt string }
	}](h, "/api/v1/stacks/prod/storage").Freshness
	if stack.LastScanID != second.ID.String() || stack.LastScanStatus != "errored" || stack.LastCompleteAt == "" {
		t.Errorf("freshness = %+v", stack)
	}
	// It supersedes no plan that was taken before it came.
	if late := h.upload("prod/storage", bucket(minute(1), nil), http.StatusCreated); late.Superseded || late.Counts.Resolved != 1 {
		t.Errorf("a plan after the failure = %+v, want it applied", late)
	}
	into[receipt](h.do(http.MethodPost, "/api/v1/scans?stack=prod/new&status=errored", body).is(http.StatusCreated))
	for _, tt := range []struct {
		target, body string
		status       int
		code, says   string
	}{
		{target, ``, 415, "UNSUPPORTED_MEDIA_TYPE", "application/json"},
		{target, `{}`, 400, "VALIDATION_ERROR", "message"},
		{target, `{"message":"  "}`, 400, "VALIDATION_ERROR", "message"},
		{target, `{"message":"` + strings.Repeat("x", 64<<10) + `"}`, 413, "PAYLOAD_TOO_LARGE", "65536"},
		{target + "&refreshed=false", body, 400, "VALIDATION_ERROR", "refreshed"},
		{"/api/v1/scans?stack=prod/storage&status=complete", body, 400, "VALIDATION_ERROR", "errored"},
		{"/api/v1/scans?stack=..&status=errored", body, 400, "VALIDATION_ERROR", "stack"},
	} {
		h.do(http.MethodPost, tt.target, tt.body).refused(tt.status, tt.code, tt.says)
	}
}
