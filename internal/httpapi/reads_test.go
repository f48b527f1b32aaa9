package httpapi_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestListsPageByPage walks every list with a page size that does not fit, and
// expects everything once.
func TestListsPageByPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, stack := range []string{"prod/a", "prod/b", "prod/c"} {
		h.upload(stack, bucket(minute(0), map[string]string{"x": "public-read", "y": "public-read"}), http.StatusCreated)
	}
	for target, want := range map[string]int{
		"/api/v1/stacks?": 3, "/api/v1/scans?": 3, "/api/v1/scans?stack=prod/a": 1, "/api/v1/drifts?": 6, "/api/v1/drifts?stack=prod/b": 2,
		"/api/v1/drifts?sort=address": 6, "/api/v1/drifts?sort=-severity": 6, "/api/v1/stacks?q=b": 1,
		"/api/v1/audit?action=detected": 6, "/api/v1/audit?stack=prod/c": 2, "/api/v1/api-keys?": 1, "/api/v1/users?": 0,
	} {
		seen, cursor := map[string]bool{}, ""
		for pages := 0; ; pages++ {
			got := get[page[struct{ ID, Name string }]](h, target+"&limit=2"+cursor)
			for _, item := range got.Items {
				seen[item.ID+item.Name] = true
			}
			if got.NextCursor == nil {
				break
			}
			if cursor = "&cursor=" + *got.NextCursor; pages > want {
				t.Fatalf("%s goes on for ever", target)
			}
		}
		if len(seen) != want {
			t.Errorf("%s has %d items, want %d", target, len(seen), want)
		}
	}
}

func TestFiltersOfDrifts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	drifts := h.upload("prod/a", bucket(minute(0), map[string]string{"x": "public-read", "y": "public-read"}), http.StatusCreated).Drifts
	h.upload("aws", planFile(t, "aws-ec2/normal.json"), http.StatusCreated)
	h.do(http.MethodPost, "/api/v1/drifts/"+drifts[0].ID.String()+"/triage", "").is(http.StatusOK)
	count := func(query string) int { return len(get[page[driftOf]](h, "/api/v1/drifts?limit=100&"+query).Items) }
	all := count("")
	if triaged, rest := count("status=triaged"), count("status=detected,approved"); triaged != 1 || triaged+rest != all {
		t.Errorf("%d are triaged, %d detected or approved, of %d", triaged, rest, all)
	}
	if outside, pending := count("origin=outside"), count("origin=pending"); outside < 2 || pending == 0 || outside+pending != all {
		t.Errorf("%d from outside, %d pending, of %d", outside, pending, all)
	}
	if got := count("severity=critical,warning") + count("severity=info"); got != all {
		t.Errorf("%d by severity, of %d", got, all)
	}
	if got := count("type=aws_s3_bucket&stack=prod/a"); got != 2 {
		t.Errorf("%d buckets, want 2", got)
	}
	if got := count("q=BUCKET.x"); got != 1 {
		t.Errorf("%d found by a part of the address, want 1", got)
	}
	if got := get[page[driftOf]](h, "/api/v1/drifts?stack=prod/a&sort=-address&noise=true").Items; got[0].Address != "aws_s3_bucket.y" || got[0].Noise == nil {
		t.Errorf("first by -address = %s, noise %v", got[0].Address, got[0].Noise)
	}
}

func TestStacksScansAndTheSummary(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.upload("prod/network", planFile(t, "aws-ec2/refresh-only.json"), http.StatusCreated)
	scan := get[struct {
		Stack, Status, Format, Tool, UploadedBy string
		Covers                                  []string
		Counts                                  counts
	}](h, "/api/v1/scans/"+r.ID.String())
	if scan.Stack != "prod/network" || scan.Format != "terraform-plan" || scan.Counts != r.Counts || len(scan.Covers) == 0 || scan.UploadedBy == "" {
		t.Errorf("scan = %+v, receipt %+v", scan, r)
	}
	for _, name := range []string{"prod/network", "prod%2Fnetwork"} {
		stack := get[struct {
			Name      string
			Freshness struct {
				LastScanStatus string
				AgeSeconds     *int
			}
			Open struct{ Outside severities }
		}](h, "/api/v1/stacks/"+name)
		if stack.Name != "prod/network" || stack.Freshness.AgeSeconds == nil || stack.Open.Outside != r.Open.Outside {
			t.Errorf("stack = %+v, want the counts of %+v", stack, r.Open)
		}
	}
	empty := newHouse(t)
	if got := get[struct{ OldestOpen *struct{ ID string } }](empty, "/api/v1/summary"); got.OldestOpen != nil {
		t.Errorf("the oldest drift of an empty house = %v", got.OldestOpen)
	}
	type summary struct {
		Outside struct {
			Open     int
			ByStatus map[string]int
		}
		OldestOpen        *struct{ Stack string }
		TimeToAcknowledge struct{ Drifts int }
	}
	sum := get[summary](h, "/api/v1/summary")
	if sum.Outside.Open != r.Counts.Detected || sum.Outside.ByStatus["detected"] != r.Counts.Detected || sum.OldestOpen == nil || sum.OldestOpen.Stack != "prod/network" {
		t.Errorf("summary = %+v, receipt %+v", sum, r.Counts)
	}
	h.do(http.MethodPost, "/api/v1/drifts/"+r.Drifts[0].ID.String()+"/triage", "").is(http.StatusOK)
	if got := get[summary](h, "/api/v1/summary").TimeToAcknowledge.Drifts; got != 1 {
		t.Errorf("%d acknowledged, want 1", got)
	}
}

func TestNoise(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.upload("prod/network", planFile(t, "aws-ec2/refresh-only.json"), http.StatusCreated)
	items := get[page[struct{ Address, Origin string }]](h, "/api/v1/noise?stack=prod/network&limit=100").Items
	if len(items) != r.Counts.Noise || len(items) == 0 {
		t.Errorf("%d are noise, the receipt says %d; want some", len(items), r.Counts.Noise)
	}
	first := get[page[struct{ Address string }]](h, "/api/v1/noise?stack=prod/network&limit=1")
	if len(first.Items) != 1 || first.Items[0].Address != items[0].Address {
		t.Errorf("first page = %+v, want %s", first.Items, items[0].Address)
	}
}

func TestErrorsAndTheDocument(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.do(http.MethodGet, "/api/v1/errors", "").is(http.StatusOK)
	doc := h.as("").do(http.MethodGet, "/openapi.yaml", "").is(http.StatusOK)
	if got := doc.header.Get("Content-Type"); got != "application/yaml" || len(doc.body) < 10_000 {
		t.Errorf("the document is %d bytes of %s", len(doc.body), got)
	}
	h.as("").do(http.MethodGet, "/metrics", "").is(http.StatusOK)
}

// TestReadsThatMakeNoSense: a clear answer each, and SQL in every parameter is
// only text.
func TestReadsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.upload("prod/a", bucket(minute(0), map[string]string{"x": "public-read", "y": "public-read"}), http.StatusCreated)
	cursor := *get[page[driftOf]](h, "/api/v1/drifts?limit=1").NextCursor
	flipped := []byte(cursor)
	flipped[3] ^= 1
	sql := url.QueryEscape(`'; DROP TABLE drifts; --`)
	const nobody = "0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a"
	for _, tt := range []struct {
		target     string
		status     int
		code, says string
	}{
		{"/api/v1/drifts?cursor=" + string(flipped), 400, "VALIDATION_ERROR", "nextCursor"},
		{"/api/v1/drifts?status=detected&cursor=" + cursor, 400, "VALIDATION_ERROR", "nextCursor"},
		{"/api/v1/audit?cursor=" + cursor, 400, "VALIDATION_ERROR", "nextCursor"},
		{"/api/v1/audit/verify?cursor=" + cursor, 400, "VALIDATION_ERROR", "nextCursor"},
		{"/api/v1/users?cursor=AAAA", 400, "VALIDATION_ERROR", "nextCursor"},
		{"/api/v1/drifts/42", 400, "VALIDATION_ERROR", "UUID"},
		{"/api/v1/drifts/{" + nobody + "}", 400, "VALIDATION_ERROR", "UUID"},
		{"/api/v1/drifts/" + nobody, 404, "NOT_FOUND", "drift"},
		{"/api/v1/drifts/" + nobody + "/timeline", 404, "NOT_FOUND", "drift"},
		{"/api/v1/scans/" + nobody, 404, "NOT_FOUND", "scan"},
		{"/api/v1/stacks/prod/b", 404, "NOT_FOUND", "stack"},
		{"/api/v1/correlations/never-heard-of", 404, "NOT_FOUND", "correlation"},
		{"/api/v1/correlations/" + url.PathEscape(`"><script>`), 400, "VALIDATION_ERROR", "correlation id"},
		{"/api/v1/audit?since=yesterday", 400, "VALIDATION_ERROR", "since"},
		{"/api/v1/audit?drift=42", 400, "VALIDATION_ERROR", "UUID"},
		{"/api/v1/audit?action=danced", 400, "VALIDATION_ERROR", "detected"},
		{"/api/v1/audit?actor=" + sql, 200, "", ""},
		{"/api/v1/audit?correlation=" + sql, 200, "", ""},
		{"/api/v1/audit?stack=" + sql, 404, "NOT_FOUND", "stack"},
		{"/api/v1/drifts?q=" + sql, 200, "", ""},
		{"/api/v1/drifts?type=" + sql, 200, "", ""},
		{"/api/v1/drifts?stack=" + sql, 404, "NOT_FOUND", "stack"},
		{"/api/v1/drifts?sort=" + sql, 400, "VALIDATION_ERROR", "sort"},
		{"/api/v1/stacks?q=" + sql, 200, "", ""},
		{"/api/v1/stacks/" + url.PathEscape(`'; DROP TABLE drifts; --`), 404, "NOT_FOUND", "stack"},
		{"/api/v1/scans?stack=" + sql, 404, "NOT_FOUND", "stack"},
		{"/api/v1/noise?stack=" + sql, 404, "NOT_FOUND", "stack"},
		{"/api/v1/noise", 400, "VALIDATION_ERROR", "stack"},
		{"/api/v1/me?verbose=true", 400, "VALIDATION_ERROR", "verbose"},
		{"/api/v1/summary?x=1", 400, "VALIDATION_ERROR", "x"},
	} {
		a := h.do(http.MethodGet, tt.target, "")
		if tt.status == http.StatusOK {
			a.is(http.StatusOK)
			continue
		}
		a.refused(tt.status, tt.code, tt.says)
	}
	if diff := cmp.Diff(2, len(get[page[driftOf]](h, "/api/v1/drifts?").Items)); diff != "" {
		t.Errorf("drifts after all that (-want +got):\n%s", diff)
	}
}
