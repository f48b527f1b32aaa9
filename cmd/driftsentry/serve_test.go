package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
	"github.com/driftsentry/driftsentry/internal/transcript"
)

// house is the whole program, running in this process.
type house struct {
	t       *testing.T
	url     string
	key     string // an admin's, sent with every request that brings no other
	signals chan os.Signal
	hangups chan os.Signal
	out     *lockedBuffer // stdout: the log
	errs    *lockedBuffer // stderr: what a person reads
	exit    chan int
	stopped bool

	transport *http.Transport
}

// serve runs `driftsentry serve` on a fresh database and any free port.
func serve(t *testing.T, env ...string) *house {
	t.Helper()
	env = append([]string{"DATABASE_URL=" + pgtest.URL(t), "LOG_FORMAT=json"}, env...)
	key := apiKey(t, env, "admin")
	h := runHouse(t, []string{"serve"}, env)
	h.key = key
	return h
}

// apiKey makes a key the way an operator does.
func apiKey(t *testing.T, env []string, role string, more ...string) string {
	t.Helper()
	args := append([]string{"apikey", "create", "--name", "test of " + rand.Text(), "--role", role}, more...)
	code, key, errs := command(t, env, args...)
	if code != exitOK || !strings.HasPrefix(key, "dsk_") {
		t.Fatalf("%v = %d\n%s%s", args, code, key, errs)
	}
	return strings.TrimSpace(key)
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{
		t: t, signals: make(chan os.Signal, 2), hangups: make(chan os.Signal, 1),
		out: new(lockedBuffer), errs: new(lockedBuffer), exit: make(chan int, 1),
		transport: new(http.Transport),
	}
	t.Cleanup(h.transport.CloseIdleConnections)
	return h
}

func runHouse(t *testing.T, args, env []string) *house {
	t.Helper()
	h := newHouse(t)
	address := make(chan string, 1)
	p := process{
		args: args, env: append([]string{"HOST=127.0.0.1", "PORT=0", "SHUTDOWN_DELAY=0s"}, env...),
		stdin: strings.NewReader(""), stdout: h.out, stderr: h.errs, signals: h.signals, hangups: h.hangups,
		listening: func(a string) { address <- a },
	}
	go func() { h.exit <- run(context.Background(), p) }()
	t.Cleanup(h.end)
	h.await(address)
	return h
}

// await waits until the program says where it listens.
func (h *house) await(address <-chan string) {
	h.t.Helper()
	select {
	case a := <-address:
		h.url = "http://" + a
	case code := <-h.exit:
		h.stopped = true
		h.t.Fatalf("exit code %d before it listened\n%s%s", code, h.errs, h.out)
	case <-time.After(time.Minute):
		h.t.Fatal("does not listen after a minute")
	}
}

// end stops the program unless the test has.
func (h *house) end() {
	if !h.stopped {
		h.stop()
	}
}

// stop asks the program to stop, as SIGTERM does, and returns its exit code.
func (h *house) stop() int {
	h.t.Helper()
	h.stopped = true
	h.signals <- syscall.SIGTERM
	select {
	case code := <-h.exit:
		return code
	case <-time.After(time.Minute):
		h.t.Fatalf("still running a minute after SIGTERM\n%s", h.out)
		return -1
	}
}

// answer is one response, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
	closes bool // it came with Connection: close
}

// do sends one request; body may be nil.
func (h *house) do(method, path string, body io.Reader, header ...string) answer {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, body)
	if err != nil {
		h.t.Fatal(err)
	}
	if h.key != "" {
		req.Header.Set("X-API-Key", h.key)
	}
	for i := 0; i < len(header); i += 2 {
		if req.Header.Set(header[i], header[i+1]); header[i+1] == "" {
			req.Header.Del(header[i])
		}
	}
	client := &http.Client{Transport: h.transport, Timeout: time.Minute}
	resp, err := client.Do(req)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() {
		if err := resp.Body.Close(); err != nil {
			h.t.Errorf("%s %s: close: %v", method, path, err)
		}
	}()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{resp.StatusCode, resp.Header, got, resp.Close}
}

// get decodes the answer of a GET that must succeed.
func get[T any](h *house, path string) T {
	h.t.Helper()
	a := h.do(http.MethodGet, path, nil)
	var v T
	if a.status != http.StatusOK {
		h.t.Fatalf("GET %s = %d %s, want 200", path, a.status, a.body)
	}
	if err := json.Unmarshal(a.body, &v); err != nil {
		h.t.Fatalf("GET %s = %s: %v", path, a.body, err)
	}
	return v
}

type receipt struct {
	ID, Stack, Status, CorrelationID, TraceID string
	Superseded                                bool
	Counts                                    counts
	ByOrigin                                  map[string]counts
	Drifts                                    []listedDrift
}

type counts struct{ Resources, Detected, Known, Reopened, Resolved, Noise int }

type listedDrift struct {
	ID, Stack, Address, Type, Origin, Action, Severity, SeverityReason, Status, Resolution, ScanID, PreviousID string
	TimesSeen                                                                                                  int
	Changes                                                                                                    []struct {
		Path          string
		Before, After json.RawMessage
		Sensitive     bool
	}
}

type listOf[T any] struct {
	Items      []T
	NextCursor *string
}

// upload sends a plan and returns its receipt and status.
func (h *house) upload(stack string, plan []byte, header ...string) (receipt, int) {
	h.t.Helper()
	a := h.do(http.MethodPost, "/api/v1/scans?stack="+url.QueryEscape(stack), bytes.NewReader(plan), header...)
	if a.status != http.StatusCreated && a.status != http.StatusOK {
		h.t.Fatalf("upload to %s = %d %s", stack, a.status, a.body)
	}
	var r receipt
	if err := json.Unmarshal(a.body, &r); err != nil {
		h.t.Fatalf("receipt %s: %v", a.body, err)
	}
	return r, a.status
}

func demoPlan(t *testing.T, name string) []byte {
	t.Helper()
	plan, err := demoPlans.ReadFile("demodata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// TestAStackThroughThreeScans is the main job from end to end: what is new,
// known, gone and back again in three real plans of one stack.
func TestAStackThroughThreeScans(t *testing.T) {
	t.Parallel()
	h := serve(t)
	const stack = "prod/edge"

	first, status := h.upload(stack, demoPlan(t, "prod-edge/plan-1.json"), "X-Correlation-ID", "run-1")
	if status != http.StatusCreated || first.Counts.Detected != 4 || first.Counts.Resolved != 0 || len(first.Drifts) != 4 {
		t.Fatalf("first scan = %d %+v, want 201 and 4 new drifts", status, first)
	}
	if first.CorrelationID != "run-1" || first.Status != "complete" || first.Stack != stack {
		t.Errorf("first receipt = %+v, want complete, of %s, with the correlation id it was sent with", first, stack)
	}
	second, _ := h.upload(stack, demoPlan(t, "prod-edge/plan-2.json"))
	if want := (counts{second.Counts.Resources, 2, 2, 0, 2, second.Counts.Noise}); second.Counts != want {
		t.Errorf("second scan = %+v, want %+v", second.Counts, want)
	}

	again, status := h.upload(stack, demoPlan(t, "prod-edge/plan-1.json"))
	if status != http.StatusOK || again.ID != first.ID || again.CorrelationID != "run-1" {
		t.Errorf("the first plan again = %d %+v, want 200 and the first receipt", status, again)
	}
	third, _ := h.upload(stack, demoPlan(t, "prod-edge/plan-3.json"))
	if o := third.ByOrigin; o["outside"].Detected != 2 || o["pending"].Detected != 10 || o["outside"].Resolved != 2 || o["pending"].Resolved != 0 {
		t.Errorf("third scan by origin = %+v, want 2 new outside, 10 pending, 2 resolved outside", o)
	}
	if third.Counts.Resolved != 2 || third.Counts.Known != 2 {
		t.Errorf("third scan = %+v, want 2 known and 2 resolved", third.Counts)
	}

	list := get[listOf[listedDrift]](h, "/api/v1/drifts?origin=outside&stack=prod%2Fedge&limit=100")
	byAddress := map[string][]listedDrift{}
	for _, d := range list.Items {
		byAddress[d.Address] = append(byAddress[d.Address], d)
	}
	motd := byAddress["local_file.motd"]
	if len(motd) != 2 || motd[0].PreviousID != motd[1].ID || motd[1].Resolution != "disappeared" {
		t.Errorf("local_file.motd = %+v, want a new drift that names its resolved predecessor", motd)
	}
	shop := byAddress[`local_file.site["shop.example.com/checkout"]`]
	if len(shop) != 1 || shop[0].TimesSeen != 3 || shop[0].Status != "detected" {
		t.Errorf("the shop = %+v, want one drift seen three times", shop)
	}

	timeline := get[listOf[struct{ Action, From, To, CorrelationID string }]](h, "/api/v1/drifts/"+motd[1].ID+"/timeline")
	var actions []string
	for _, e := range timeline.Items {
		actions = append(actions, e.Action)
	}
	if got := strings.Join(actions, " "); got != "detected resolved" {
		t.Errorf("timeline of the first motd = %q, want detected resolved", got)
	}
	if timeline.Items[0].CorrelationID != "run-1" {
		t.Errorf("the detected event has correlation id %q, want run-1", timeline.Items[0].CorrelationID)
	}
	if code := h.stop(); code != exitOK {
		t.Errorf("exit code %d, want 0\n%s", code, h.out)
	}
}

func TestAScanOlderThanTheLastChangesNothing(t *testing.T) {
	t.Parallel()
	h := serve(t)
	h.upload("prod/edge", demoPlan(t, "prod-edge/plan-2.json"))
	before := get[json.RawMessage](h, "/api/v1/summary")
	late, status := h.upload("prod/edge", demoPlan(t, "prod-edge/plan-1.json"))
	if status != http.StatusCreated || !late.Superseded || late.Counts.Detected != 0 || late.Counts.Resolved != 0 {
		t.Errorf("a late plan = %d %+v, want 201, superseded, nothing changed", status, late)
	}
	if after := get[json.RawMessage](h, "/api/v1/summary"); !bytes.Equal(stripTimes(before), stripTimes(after)) {
		t.Errorf("the summary changed from %s to %s", before, after)
	}
	scans := get[listOf[struct{ Superseded bool }]](h, "/api/v1/scans?stack=prod/edge")
	if len(scans.Items) != 2 || !scans.Items[0].Superseded {
		t.Errorf("scans = %+v, want two, the newest superseded", scans.Items)
	}
}

// stripTimes takes out of a summary what grows by itself.
func stripTimes(body []byte) []byte {
	var v map[string]any
	if json.Unmarshal(body, &v) != nil {
		return body
	}
	delete(v, "timestamp")
	if oldest, ok := v["oldestOpen"].(map[string]any); ok {
		delete(oldest, "ageSeconds")
	}
	out, err := json.Marshal(v)
	if err != nil {
		return body
	}
	return out
}

func TestTwoUploadsForOneStackAtOnceSerialise(t *testing.T) {
	t.Parallel()
	h := serve(t)
	plan := demoPlan(t, "prod-storage/plan-1.json")
	const uploads = 8
	var all sync.WaitGroup
	created := make(chan bool, uploads)
	ids := make(chan string, uploads)
	for range uploads {
		all.Go(func() {
			r, status := h.upload("prod/storage", plan)
			created <- status == http.StatusCreated
			ids <- r.ID
		})
	}
	all.Wait()
	close(created)
	close(ids)
	n := 0
	for c := range created {
		if c {
			n++
		}
	}
	first := <-ids
	for id := range ids {
		if id != first {
			t.Errorf("two receipts for one payload: %s and %s", first, id)
		}
	}
	if n != 1 {
		t.Errorf("%d of %d uploads of one payload were created, want 1", n, uploads)
	}
}

// TestPlansWithoutATimeAreNeverLate: which of several waits for the stack's
// lock says nothing about when its plan was made.
func TestPlansWithoutATimeAreNeverLate(t *testing.T) {
	t.Parallel()
	h := serve(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			plan := fmt.Sprintf(`{"format_version":"1.1","terraform_version":"1.4.%d","planned_values":{},"prior_state":{}}`, i)
			if r, status := h.upload("prod/old", []byte(plan)); status != http.StatusCreated || r.Superseded {
				t.Errorf("upload %d = %d, superseded %v", i, status, r.Superseded)
			}
		})
	}
	all.Wait()
}

func TestPlansComeInManyWrappings(t *testing.T) {
	t.Parallel()
	h := serve(t)
	plan := demoPlan(t, "prod-edge/plan-1.json")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(plan); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	wrapped := append([]byte("[command]/opt/hostedtoolcache/terraform-bin show -json tfplan\n"), plan...)
	tests := []struct {
		name   string
		body   []byte
		header []string
	}{
		{"plain", plan, nil},
		{"as curl says", plan, []string{"Content-Type", "application/x-www-form-urlencoded"}},
		{"gzip", packed.Bytes(), []string{"Content-Encoding", "gzip"}},
		{"gzip without saying so", packed.Bytes(), nil},
		{"a wrapper's command line", wrapped, nil},
		{"UTF-16 with BOM", utf16LE(string(plan)), nil},
		{"UTF-8 with BOM", append([]byte("\xef\xbb\xbf"), plan...), nil},
	}
	for i, tt := range tests {
		r, status := h.upload(fmt.Sprintf("stack-%d", i), tt.body, tt.header...)
		if status != http.StatusCreated || r.Counts.Detected != 4 {
			t.Errorf("%s: %d %+v, want 201 and 4 new drifts", tt.name, status, r.Counts)
		}
	}
}

func utf16LE(s string) []byte {
	out := []byte{0xff, 0xfe}
	for _, r := range s {
		if r >= 0x10000 {
			r -= 0x10000
			hi, lo := 0xd800+(r>>10), 0xdc00+(r&0x3ff)
			out = append(out, byte(hi), byte(hi>>8), byte(lo), byte(lo>>8))
			continue
		}
		out = append(out, byte(r), byte(r>>8))
	}
	return out
}

type lockedBuffer = transcript.Buffer

// TestLinksLeadWherePeopleReachTheService, not where it happens to listen.
func TestLinksLeadWherePeopleReachTheService(t *testing.T) {
	t.Parallel()
	h := serve(t, "PUBLIC_URL=https://drift.example.com/")
	plan := bytes.NewReader(demoPlan(t, "prod-edge/plan-1.json"))
	a := h.do(http.MethodPost, "/api/v1/scans?stack=prod/edge", plan)
	if got := a.header.Get("Location"); !strings.HasPrefix(got, "https://drift.example.com/api/v1/scans/") {
		t.Errorf("Location %q, want it under PUBLIC_URL", got)
	}
}
