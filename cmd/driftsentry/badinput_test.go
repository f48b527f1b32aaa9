package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestBadInputGetsAClearAnswer sends what people really send by mistake and
// what they send on purpose. Each gets a problem document that says what it
// is, and nothing is written.
func TestBadInputGetsAClearAnswer(t *testing.T) {
	t.Parallel()
	h := serve(t, "MAX_UPLOAD_BYTES=1MiB")
	plan := string(demoPlan(t, "prod-edge/plan-1.json"))
	const stack = "?stack=prod/edge"
	tests := []struct {
		name   string
		query  string
		body   string
		header []string
		status int
		code   string
		says   string // in detail
	}{
		{"nothing", stack, "", nil, 400, "VALIDATION_ERROR", "empty"},
		{"not JSON", stack, "hello", nil, 400, "VALIDATION_ERROR", "terraform show -json"},
		{"an HTML error page", stack, "<!DOCTYPE html><html>502</html>", nil, 400, "VALIDATION_ERROR", "HTML"},
		{"truncated", stack, plan[:len(plan)/2], nil, 400, "VALIDATION_ERROR", "breaks off"},
		{"an array", stack, "[]", nil, 400, "VALIDATION_ERROR", "object"},
		{"another object", stack, `{"hello":"world"}`, nil, 400, "VALIDATION_ERROR", "terraform show -json"},
		{
			"the stream of plan -json", stack, `{"@level":"info","@message":"Terraform 1.11.4","type":"version"}` + "\n" + `{"@level":"info"}`, nil,
			400, "VALIDATION_ERROR", "plan -json",
		},
		{"the plan file itself", stack, "PK\x03\x04\x14\x00\x08\x00tfplan", nil, 400, "VALIDATION_ERROR", "terraform show -json"},
		{"a newer format", stack, `{"format_version":"2.0","terraform_version":"9.9"}`, nil, 400, "VALIDATION_ERROR", "2.0"},
		{"deep nesting", stack, `{"format_version":"1.2","planned_values":` + strings.Repeat(`{"a":`, 20000), nil, 400, "VALIDATION_ERROR", "nest"},
		{"invalid UTF-8", stack, `{"format_version":"1.2","terraform_version":"` + "\xff\xfe\xfd" + `"}`, nil, 400, "VALIDATION_ERROR", "UTF-8"},
		{"a key twice", stack, `{"format_version":"1.2","format_version":"1.2"}`, nil, 400, "VALIDATION_ERROR", "twice"},
		{"too large", stack, `{"format_version":"1.2","x":"` + strings.Repeat("a", 2<<20) + `"}`, nil, 413, "PAYLOAD_TOO_LARGE", "MAX_UPLOAD_BYTES"},
		{
			"gzip bomb", stack, gzipped(t, `{"format_version":"1.2","x":"`+strings.Repeat("a", 64<<20)+`"}`),
			[]string{"Content-Encoding", "gzip"},
			413, "PAYLOAD_TOO_LARGE", "MAX_UPLOAD_BYTES",
		},
		{"gzip that is none", stack, plan, []string{"Content-Encoding", "gzip"}, 400, "VALIDATION_ERROR", "gzip"},
		{"gzip cut short", stack, gzipped(t, plan)[:200], []string{"Content-Encoding", "gzip"}, 400, "VALIDATION_ERROR", "gzip"},
		{"another encoding", stack, plan, []string{"Content-Encoding", "br"}, 415, "UNSUPPORTED_MEDIA_TYPE", "gzip"},
		{"a form", stack, plan, []string{"Content-Type", "multipart/form-data; boundary=x"}, 415, "UNSUPPORTED_MEDIA_TYPE", "--data-binary"},
		{"YAML", stack, plan, []string{"Content-Type", "application/yaml"}, 415, "UNSUPPORTED_MEDIA_TYPE", "application/json"},
		{"no stack", "", plan, nil, 400, "VALIDATION_ERROR", "stack"},
		{"an empty stack", "?stack=", plan, nil, 400, "VALIDATION_ERROR", "stack"},
		{"a stack with control characters", "?stack=prod%0a%1b[31m", plan, nil, 400, "VALIDATION_ERROR", "stack"},
		{"a stack that climbs", "?stack=..%2f..%2fetc", plan, nil, 400, "VALIDATION_ERROR", "stack"},
		{"SQL for a stack", "?stack=" + url.QueryEscape("'; DROP TABLE drifts; --"), plan, nil, 400, "VALIDATION_ERROR", "stack"},
		{"an unknown parameter", stack + "&refresh=false", plan, nil, 400, "VALIDATION_ERROR", "refresh"},
	}
	for _, tt := range tests {
		a := h.do(http.MethodPost, "/api/v1/scans"+tt.query, strings.NewReader(tt.body), tt.header...)
		var p struct{ Title, Detail, Code, CorrelationID, Timestamp string }
		if err := json.Unmarshal(a.body, &p); err != nil {
			t.Errorf("%s: %d %s: %v", tt.name, a.status, a.body, err)
			continue
		}
		if a.status != tt.status || p.Code != tt.code || !strings.Contains(p.Detail, tt.says) {
			t.Errorf("%s: %d %s %q, want %d %s and a detail with %q", tt.name, a.status, p.Code, p.Detail, tt.status, tt.code, tt.says)
		}
		if p.CorrelationID == "" || p.Timestamp == "" || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s (%s), want a whole problem document", tt.name, a.body, a.header.Get("Content-Type"))
		}
	}
	if stacks := get[listOf[struct{ Name string }]](h, "/api/v1/stacks"); len(stacks.Items) != 0 {
		t.Errorf("stacks after nothing but bad input = %+v, want none", stacks.Items)
	}
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.String()
}

func TestBadReadsGetAClearAnswer(t *testing.T) {
	t.Parallel()
	h := serve(t)
	tests := []struct {
		method, path string
		status       int
		code, says   string
	}{
		{"GET", "/api/v1/drifts?limit=0", 400, "VALIDATION_ERROR", "limit must be between 1 and 100"},
		{"GET", "/api/v1/drifts?severity=grave", 400, "VALIDATION_ERROR", "critical, warning or info"},
		{"GET", "/api/v1/drifts?status=open,closed", 400, "VALIDATION_ERROR", "detected"},
		{"GET", "/api/v1/drifts?sort=colour", 400, "VALIDATION_ERROR", "-detectedAt"},
		{"GET", "/api/v1/drifts?cursor=AAAA", 400, "VALIDATION_ERROR", "nextCursor"},
		{"GET", "/api/v1/drifts?servity=critical", 400, "VALIDATION_ERROR", "servity"},
		{"GET", "/api/v1/drifts/42", 400, "VALIDATION_ERROR", "UUID"},
		{"GET", "/api/v1/drifts/00000000-0000-7000-8000-000000000000", 404, "NOT_FOUND", "drift"},
		{"GET", "/api/v1/drifts/00000000-0000-7000-8000-000000000000/timeline", 404, "NOT_FOUND", "drift"},
		{"GET", "/api/v1/scans/00000000-0000-7000-8000-000000000000", 404, "NOT_FOUND", "scan"},
		{"GET", "/api/v1/stacks/prod/nothing", 404, "NOT_FOUND", "stack"},
		{"GET", "/api/v1/stacks/%00", 404, "NOT_FOUND", "stack"},
		{"GET", "/api/v1/drifts?stack=ghost", 404, "NOT_FOUND", "stack"},
		{"GET", "/api/v1/scans?stack=ghost", 404, "NOT_FOUND", "stack"},
		{"GET", "/api/v1/noise?stack=ghost", 404, "NOT_FOUND", "stack"},
		{"GET", "/api/v1/drifts?stack=", 400, "VALIDATION_ERROR", "must not be empty"},
		{"GET", "/api/v1/drifts?status=", 400, "VALIDATION_ERROR", "must not be empty"},
		{"GET", "/api/v1/drifts?cursor=abc&limit=x", 400, "VALIDATION_ERROR", "nextCursor"},
		{"GET", "/api/v1/noise", 400, "VALIDATION_ERROR", "stack"},
		{"GET", "/api/v1/nothing", 404, "NOT_FOUND", "nothing at this path"},
		{"DELETE", "/api/v1/drifts", 405, "METHOD_NOT_ALLOWED", "GET, HEAD"},
		{"PUT", "/api/v1/scans", 405, "METHOD_NOT_ALLOWED", "POST"},
	}
	for _, tt := range tests {
		a := h.do(tt.method, tt.path, nil)
		var p struct{ Detail, Code string }
		if err := json.Unmarshal(a.body, &p); err != nil {
			t.Errorf("%s %s: %d %s: %v", tt.method, tt.path, a.status, a.body, err)
			continue
		}
		if a.status != tt.status || p.Code != tt.code || !strings.Contains(p.Detail, tt.says) {
			t.Errorf("%s %s: %d %s %q, want %d %s and %q", tt.method, tt.path, a.status, p.Code, p.Detail, tt.status, tt.code, tt.says)
		}
		if tt.status == http.StatusMethodNotAllowed && a.header.Get("Allow") == "" {
			t.Errorf("%s %s: no Allow header", tt.method, tt.path)
		}
	}
}
