package httpapi_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/httpapi"
)

func TestUsersComeAndGo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := into[struct{ ID, Email, Password string }](
		h.do(http.MethodPost, "/api/v1/users", `{"email":"Bob@Example.com","role":"admin"}`).is(http.StatusCreated))
	if made.Email != "bob@example.com" || len(made.Password) < 16 {
		t.Fatalf("created = %s with a password of %d characters", made.Email, len(made.Password))
	}
	h.do(http.MethodPost, "/api/v1/users", `{"email":"bob@example.com","role":"viewer"}`).refused(409, "CONFLICT", "")
	chosen := into[struct{ Password *string }](h.do(http.MethodPost, "/api/v1/users",
		`{"email":"carol@example.com","role":"viewer","password":"`+password+`"}`).is(http.StatusCreated))
	if chosen.Password != nil {
		t.Error("a password that was given is shown")
	}
	h.user(auth.Admin) // else bob would be the last one
	login := into[tokens](h.do(http.MethodPost, "/api/v1/auth/login", `{"email":"bob@example.com","password":"`+made.Password+`"}`).is(http.StatusOK))
	bob := h.as(login.AccessToken)
	bob.do(http.MethodPost, "/api/v1/users/"+made.ID+"/disable", "").refused(409, "CONFLICT", "yourself")
	for range 2 { // the second time changes nothing
		h.do(http.MethodPost, "/api/v1/users/"+made.ID+"/disable", "").is(http.StatusOK)
	}
	bob.do(http.MethodGet, "/api/v1/me", "").refused(401, "AUTH_ERROR", "")
	users := get[page[struct{ Email, DisabledAt string }]](h, "/api/v1/users").Items
	if len(users) != 3 || users[0].DisabledAt == "" || users[1].DisabledAt != "" {
		t.Errorf("users = %+v, want bob disabled and carol not", users)
	}
	if got := len(get[page[eventOf]](h, "/api/v1/audit?action=user_disabled").Items); got != 1 {
		t.Errorf("%d events of disabling, want 1", got)
	}
	h.do(http.MethodPost, "/api/v1/users/0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a/disable", "").refused(404, "NOT_FOUND", "user")
}

func TestKeysComeAndGo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	expires := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	made := into[struct{ ID, Key, Prefix, Stacks, ExpiresAt, CreatedBy string }](h.do(http.MethodPost, "/api/v1/api-keys",
		`{"name":"ci-prod","role":"ingest","stacks":"prod/**","expiresAt":"`+expires+`"}`).is(http.StatusCreated))
	if !strings.HasPrefix(made.Key, made.Prefix) || made.Stacks != "prod/**" || made.ExpiresAt == "" || !strings.HasPrefix(made.CreatedBy, "key:") {
		t.Errorf("created = %s %s %s by %s", made.Prefix, made.Stacks, made.ExpiresAt, made.CreatedBy)
	}
	ci := h.as(made.Key)
	me := get[struct{ Kind, Name, Role, Stacks, ExpiresAt string }](ci, "/api/v1/me")
	if me.Kind != "key" || me.Name != "ci-prod" || me.Role != "ingest" || me.Stacks != "prod/**" || me.ExpiresAt != made.ExpiresAt {
		t.Errorf("me = %+v", me)
	}
	listed := h.do(http.MethodGet, "/api/v1/api-keys", "").is(http.StatusOK)
	if bytes.Contains(listed.body, []byte(made.Key)) || !bytes.Contains(listed.body, []byte(made.Prefix)) {
		t.Error("the list shows the key itself, or not its prefix")
	}
	h.do(http.MethodDelete, "/api/v1/api-keys/"+made.ID, "").is(http.StatusNoContent)
	h.do(http.MethodPost, "/api/v1/api-keys/"+made.ID+"/revoke", "").is(http.StatusOK)
	ci.do(http.MethodGet, "/api/v1/me", "").refused(401, "AUTH_ERROR", "revoked")
	h.do(http.MethodDelete, "/api/v1/api-keys/0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a", "").refused(404, "NOT_FOUND", "API key")
}

func TestTheLogLevel(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	if got := get[struct{ Level string }](h, "/api/v1/log-level").Level; got != "info" {
		t.Errorf("level = %s, want info", got)
	}
	h.do(http.MethodPut, "/api/v1/log-level", `{"level":"debug"}`).is(http.StatusOK)
	if got := get[struct{ Level string }](h, "/api/v1/log-level").Level; got != "debug" {
		t.Errorf("level = %s, want debug", got)
	}
	h.do(http.MethodPut, "/api/v1/log-level", `{"level":"loud"}`).refused(400, "VALIDATION_ERROR", "debug")
	events := get[page[eventOf]](h, "/api/v1/audit?action=log_level_changed").Items
	if len(events) != 1 || !strings.HasPrefix(events[0].Actor, "key:admin") {
		t.Errorf("events = %+v, want one by the admin", events)
	}
}

func TestTheAuditTrail(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	alice := h.as(h.token(h.user(auth.Engineer)))
	drift := h.upload("prod/network", bucket(minute(0), map[string]string{"logs": "public-read"}), http.StatusCreated).Drifts[0]
	alice.do(http.MethodPost, "/api/v1/drifts/"+drift.ID.String()+"/approve", `{"reason":"`+reason+`"}`, "User-Agent", "review/1").is(http.StatusOK)
	events := get[page[eventOf]](h, "/api/v1/audit?actor=user:engineer@example.com&action=approved&stack=prod/network&drift="+drift.ID.String()+
		"&since=2026-01-01T00:00:00Z").Items
	if len(events) != 1 {
		t.Fatalf("%d events of the approval, want 1", len(events))
	}
	e := events[0]
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	got := []string{e.Action, e.Actor, text(e.From), text(e.To), text(e.Reason), text(e.Stack), text(e.ClientAddress), text(e.UserAgent)}
	want := []string{"approved", "user:engineer@example.com", "detected", "approved", reason, "prod/network", "192.0.2.1", "review/1"}
	if diff := cmp.Diff(want, got); diff != "" || e.DriftID == nil || *e.DriftID != drift.ID {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	type verification struct {
		OK            bool
		Seals, Events int
		Flaws         []struct{ What string }
		NextCursor    *string
	}
	var sealed int
	for cursor := ""; ; {
		v := get[verification](h, "/api/v1/audit/verify"+cursor)
		if !v.OK || len(v.Flaws) > 0 {
			t.Errorf("verification = %+v", v)
		}
		sealed += v.Events
		if v.NextCursor == nil {
			break
		}
		cursor = "?cursor=" + *v.NextCursor
	}
	if all := len(get[page[eventOf]](h, "/api/v1/audit?limit=100").Items); sealed != all {
		t.Errorf("%d events are sealed, of %d", sealed, all)
	}
}

func TestTheDossier(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *httpapi.Options) {
		o.JaegerURL, o.LogsURL = "https://jaeger.example.com", "https://logs.example.com/?q={correlationId}"
		o.ErrorsOf = func(id string) []httpapi.TrackedError {
			if id != "ci-4711" {
				return nil
			}
			return []httpapi.TrackedError{{Code: "CONFLICT", Message: "inside", CorrelationIDs: []string{"other", id}, FirstSeen: time.Now(), LastSeen: time.Now()}}
		}
	})
	ids := correlation.IDs{Correlation: "ci-4711", Trace: strings.Repeat("a", 32), Span: strings.Repeat("b", 16)}
	send := func(method, target, body string) answer {
		r := httptest.NewRequestWithContext(correlation.With(t.Context(), ids), method, target, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-API-Key", h.credential)
		w := exchange(t, h, r)
		return answer{t: t, what: target, status: w.Code, header: w.Header(), body: w.Body.Bytes()}
	}
	drift := into[receipt](send(http.MethodPost, "/api/v1/scans?stack=prod/network", bucket(minute(0), map[string]string{"logs": "public-read"})).is(201)).Drifts[0]
	send(http.MethodPost, "/api/v1/drifts/"+drift.ID.String()+"/triage", "{}").is(200)
	send(http.MethodPost, "/api/v1/users", `{"email":"dave@example.com","role":"viewer"}`).is(201)
	type dossier struct {
		CorrelationID string
		Scans, Drifts []struct{ Stack string }
		Events        []eventOf
		Errors        []struct{ Code, Message string }
		Traces        []struct{ TraceID, URL string }
		Links         struct{ Traces, Logs string }
		Truncated     bool
	}
	d := get[dossier](h, "/api/v1/correlations/ci-4711")
	var actions []string
	for _, e := range d.Events {
		actions = append(actions, e.Action)
	}
	if diff := cmp.Diff([]string{"detected", "triaged", "user_created"}, actions); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if len(d.Scans) != 1 || len(d.Drifts) != 1 || len(d.Errors) != 1 || d.Errors[0].Message != "inside" || d.Truncated {
		t.Errorf("dossier = %+v", d)
	}
	if len(d.Traces) != 1 || d.Traces[0].URL != "https://jaeger.example.com/trace/"+ids.Trace || d.Links.Logs != "https://logs.example.com/?q=ci-4711" ||
		!strings.HasPrefix(d.Links.Traces, "https://jaeger.example.com/search?") || !strings.Contains(d.Links.Traces, "ci-4711") {
		t.Errorf("traces %+v, links %+v", d.Traces, d.Links)
	}
	link, err := url.Parse(d.Links.Traces)
	if err != nil {
		t.Fatal(err)
	}
	micros := func(name string) time.Time {
		n, err := strconv.ParseInt(link.Query().Get(name), 10, 64)
		if err != nil {
			t.Errorf("%s of %s: %v", name, link, err)
		}
		return time.UnixMicro(n)
	}
	// The clock of these requests is the real one.
	if from, to := micros("start"), micros("end"); link.Query().Get("lookback") != "custom" || time.Since(from) < time.Hour || time.Until(to) < 50*time.Minute {
		t.Errorf("the search is from %v to %v, want an hour round now", from, to)
	}
	// Who became a user, and what went wrong inside, is not a viewer's business.
	seen := h.as(h.key(auth.Viewer, "")).do(http.MethodGet, "/api/v1/correlations/ci-4711", "").is(http.StatusOK)
	if v := into[dossier](seen); len(v.Events) != 2 || len(v.Errors) != 1 || v.Errors[0].Message != "" || strings.Contains(string(seen.body), "other") {
		t.Errorf("as a viewer = %s", seen.body)
	}
}
