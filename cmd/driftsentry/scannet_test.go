package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// TestScanThroughProxiesAndPrivateAuthorities: the usual variables lead there,
// and the key may lie in a file.
func TestScanThroughProxiesAndPrivateAuthorities(t *testing.T) {
	t.Parallel()
	h := serve(t)
	target, err := url.Parse(h.url)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	key, plan := filepath.Join(dir, "key"), filepath.Join(dir, "plan.json")
	for path, content := range map[string][]byte{key: []byte(h.ingestKey() + "\n"), plan: demoPlan(t, "prod-edge/plan-1.json")} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var passed atomic.Int64
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		passed.Add(1)
		r.SetURL(target)
	}}
	proxy := httptest.NewServer(forward)
	t.Cleanup(proxy.Close)
	private := httptest.NewTLSServer(forward)
	t.Cleanup(private.Close)
	authority := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: private.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		env  []string
		want int
		says string
	}{
		{"a proxy", []string{"DRIFTSENTRY_URL=http://drift.example.com", "HTTP_PROXY=" + proxy.URL}, exitDrift, ""},
		{"a private authority", []string{"DRIFTSENTRY_URL=" + private.URL, "SSL_CERT_FILE=" + authority}, exitDrift, ""},
		{"an unknown authority", []string{"DRIFTSENTRY_URL=" + private.URL}, exitFailure, "SSL_CERT_FILE"},
	}
	for _, tt := range tests {
		before := passed.Load()
		code, out, errs := runScan(t, scanProgram(t, append(tt.env, "DRIFTSENTRY_API_KEY_FILE="+key), "--stack", "prod/edge", plan))
		if code != tt.want || !strings.Contains(errs, tt.says) || (passed.Load() > before) != (code == exitDrift) {
			t.Errorf("through %s: scan = %d\n%s%s", tt.name, code, out, errs)
		}
	}
	if scans := get[listOf[struct{ Stack string }]](h, "/api/v1/scans"); len(scans.Items) != 1 || h.do(http.MethodGet, "/health/live", nil).status != http.StatusOK {
		t.Errorf("the server has %+v, want the one plan", scans.Items)
	}
}
