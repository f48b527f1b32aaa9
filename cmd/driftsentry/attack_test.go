package main

import (
	"bytes"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// brokenDatabase has a stack already, which the metrics name from the first
// scrape on, and makes errors that quote data, for stacks with these names.
var brokenDatabase = `
	INSERT INTO stacks (id, name, created_at) VALUES (gen_random_uuid(), '` + controlStack + `', now());
	CREATE TABLE strict (secret text UNIQUE CHECK (secret NOT LIKE '%row%'));
	CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		CASE NEW.name
		WHEN 'broken/cast' THEN PERFORM '` + canaries["SQL message"] + `'::uuid;
		WHEN 'broken/row' THEN INSERT INTO strict VALUES ('` + canaries["SQL row"] + `');
		WHEN 'broken/key' THEN INSERT INTO strict VALUES ('` + canaries["SQL key"] + `'), ('` + canaries["SQL key"] + `');
		ELSE NULL;
		END CASE;
		RETURN NEW;
	END $$;
	CREATE TRIGGER break BEFORE INSERT ON stacks FOR EACH ROW EXECUTE FUNCTION break();`

// attack sends secrets to the program and keeps everything it answers.
type attack struct {
	*house
	answers bytes.Buffer
	// issued are the credentials the service itself has made: they belong into the
	// one answer that hands them out, which is not kept here.
	issued map[string]string
}

// do is house.do with a secret in every header there is.
func (a *attack) do(method, path string, body io.Reader, header ...string) answer {
	a.t.Helper()
	got := a.house.do(method, path, body, append([]string{
		"Authorization", "Basic " + basicCredential(),
		"Cookie", "session=" + canaries["cookie"], "Proxy-Authorization", "Basic " + canaries["proxy credential"],
		"Referer", "https://ci.example/?access_token=" + canaries["referer"],
		"User-Agent", "ci/1 (" + canaries["user agent"] + ")", "X-Correlation-ID", controlID,
		"traceparent", traceparent,
	}, header...)...)
	fmt.Fprintf(&a.answers, "%d %v\n%s\n", got.status, got.header, got.body)
	return got
}

// expect is do for an answer that must have this status.
func (a *attack) expect(status int, method, path, body string, header ...string) {
	a.t.Helper()
	if got := a.do(method, path, strings.NewReader(body), header...); got.status != status {
		a.t.Errorf("%s %s = %d %s, want %d", method, path, got.status, got.body, status)
	}
}

// everything goes through all the ways in.
func (a *attack) everything(plans [][]byte) {
	a.t.Helper()
	const scans = "/api/v1/scans?stack="
	c := canaries
	a.expect(500, "GET", "/api/v1/errors", "") // panics, once
	a.credentials()
	a.expect(400, "GET", "/api/v1/drifts?token="+c["query token"]+"&next="+url.QueryEscape("https://u:"+c["query URL"]+"@h/"), "")
	a.expect(200, "GET", "/api/v1/drifts?q="+c["query shape"], "")
	a.expect(400, "GET", "/api/v1/drifts?cursor=x&"+c["query name"]+"=1", "")
	a.expect(400, "GET", "/api/v1/drifts/"+c["path"], "")
	a.expect(404, "GET", "/api/v1/stacks/"+c["path"], "")
	a.expect(404, "GET", "/no/such/"+c["path"], "")
	a.expect(405, c["method"], "/api/v1/drifts", "")
	a.expect(200, "GET", "/api/v1/summary", "", "X-Correlation-ID", c["correlation id"])
	a.expect(400, "POST", scans+"canary/bad", `db_password = "`+c["no plan"]+`"`)
	a.expect(400, "POST", scans+"canary/bad", `{"format_version":"1.2","variables":{"p":{"value":"`+c["cut plan"])
	a.expect(400, "POST", scans+"canary/bad", `{"version":4,"terraform_version":"1.11.4","outputs":{"p":{"value":"`+c["state"]+`","type":"string","sensitive":true}}}`)

	plan := string(demoPlan(a.t, "prod-edge/plan-1.json"))
	a.expect(201, "POST", scans+controlStack, plan)
	a.expect(400, "POST", scans+"broken/cast", plan)
	a.expect(500, "POST", scans+"broken/row", plan)
	a.expect(409, "POST", scans+"broken/key", plan)
	for i, plan := range plans {
		a.expect(201, "POST", fmt.Sprint(scans, "canary/", i), string(plan))
	}
	a.decide()
	a.readAll()
}

// credentials comes with bad ones and asks for good ones.
func (a *attack) credentials() {
	a.t.Helper()
	c := canaries
	json := []string{"Content-Type", "application/json"}
	// What a stranger's trace carries goes no further; what a known caller's does is
	// part of the trace we join.
	a.expect(401, "GET", "/api/v1/me", "", "X-API-Key", c["API key"], "tracestate", "vendor="+c["tracestate"])
	a.expect(401, "GET", "/api/v1/me", "", "X-API-Key", "", "Authorization", "Bearer "+c["bearer token"])
	a.expect(400, "GET", "/api/v1/me", "", "Authorization", "Bearer "+c["bearer token"])
	a.expect(401, "POST", "/api/v1/auth/login", `{"email":"a@example.com","password":"`+c["login password"]+`"}`, json...)
	a.expect(400, "POST", "/api/v1/auth/login", `{"email":"`+c["login e-mail"]+`","password":"x"}`, json...)
	a.expect(401, "POST", "/api/v1/auth/refresh", `{"refreshToken":"`+c["refresh token"]+`"}`, json...)
	a.expect(400, "POST", "/api/v1/auth/refresh", `{"refresh_token":"`+c["refresh token"]+`"}`, json...)
	a.expect(201, "POST", "/api/v1/users", `{"email":"eve@example.com","role":"viewer","password":"`+c["new password"]+`"}`, json...)
	a.expect(400, "POST", "/api/v1/users", `{"email":"eve@example.com","role":"`+c["wrong role"]+`"}`, json...)
	access, refresh, status := a.login("eve@example.com", c["new password"])
	if status != 200 {
		a.t.Errorf("login = %d, want 200", status)
	}
	a.issued = map[string]string{"the admin's key": a.key, "an access token": access, "a refresh token": refresh}
	a.expect(403, "GET", "/api/v1/users", "", "X-API-Key", "", "Authorization", "Bearer "+access)
	a.expect(401, "GET", "/api/v1/me", "", "X-API-Key", "", "Authorization", "Bearer "+access[:len(access)-3])
	a.expect(204, "POST", "/api/v1/auth/logout", `{"refreshToken":"`+refresh+`"}`, json...)
	a.expect(401, "POST", "/api/v1/auth/refresh", `{"refreshToken":"`+refresh+`"}`, json...)
}

// decide says secrets where people give reasons.
func (a *attack) decide() {
	a.t.Helper()
	drifts := get[listOf[listedDrift]](a.house, "/api/v1/drifts?limit=1&status=detected")
	if len(drifts.Items) == 0 {
		a.t.Fatal("there is no drift to decide about: the plans were not taken in")
	}
	a.expect(200, "POST", "/api/v1/drifts/"+drifts.Items[0].ID+"/reject",
		`{"reason":"until it is rotated, use `+canaries["reason"]+`","until":"2030-01-01"}`, "Content-Type", "application/json")
}

// readAll asks for everything that was stored.
func (a *attack) readAll() {
	a.t.Helper()
	for _, list := range []string{
		"/api/v1/drifts?noise=true&limit=100", "/api/v1/scans?limit=100", "/api/v1/stacks?limit=100",
		"/api/v1/audit?limit=100", "/api/v1/audit/verify", "/api/v1/users", "/api/v1/api-keys", "/api/v1/correlations/" + controlID,
	} {
		a.expect(200, "GET", list, "")
	}
	drifts := get[listOf[listedDrift]](a.house, "/api/v1/drifts?limit=100")
	if len(drifts.Items) < 10 {
		a.t.Errorf("%d drifts: the plans were not taken in", len(drifts.Items))
	}
	for _, d := range drifts.Items {
		a.expect(200, "GET", "/api/v1/drifts/"+d.ID+"?noise=true", "")
		a.expect(200, "GET", "/api/v1/drifts/"+d.ID+"/timeline", "")
	}
	for _, stack := range get[listOf[struct{ Name string }]](a.house, "/api/v1/stacks?limit=100").Items {
		a.expect(200, "GET", "/api/v1/noise?limit=100&stack="+url.QueryEscape(stack.Name), "")
	}
	for _, path := range []string{"/api/v1/summary", "/api/v1/stacks/" + controlStack, "/health/live", "/health/ready", "/health/detailed"} {
		a.expect(200, "GET", path, "")
	}
}
