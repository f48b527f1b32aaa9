package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/httpapi"
)

// TestBodiesThatMakeNoSense: a clear answer each, told to whoever counts errors
// under the code that the client was told.
func TestBodiesThatMakeNoSense(t *testing.T) {
	t.Parallel()
	counted := map[string]int{}
	h := newHouse(t, func(o *httpapi.Options) {
		o.Report = func(_ *http.Request, f httpapi.Failure) { counted[f.Code]++ }
	})
	drift := h.upload("prod/a", bucket(minute(0), map[string]string{"x": "public-read"}), http.StatusCreated).Drifts[0]
	approve := "/api/v1/drifts/" + drift.ID.String() + "/approve"
	reject := "/api/v1/drifts/" + drift.ID.String() + "/reject"
	const login, users, keys, level = "/api/v1/auth/login", "/api/v1/users", "/api/v1/api-keys", "/api/v1/log-level"
	said := func(n int) string { return fmt.Sprintf(`{"reason":%q}`, strings.Repeat("r", n)) }
	tests := []struct {
		name, target, body string
		header             []string
		status             int
		code, field, says  string
	}{
		{"a reason of 9 characters", approve, said(9), nil, 400, "VALIDATION_ERROR", "reason", "has 9"},
		{"a reason of 1001 characters", approve, said(1001), nil, 400, "VALIDATION_ERROR", "reason", "1001"},
		{"no reason", approve, `{}`, nil, 400, "VALIDATION_ERROR", "reason", "at least 10 characters"},
		{"an unknown field", approve, `{"reason":"` + reason + `","utnil":"2027-01-31"}`, nil, 400, "VALIDATION_ERROR", "utnil", "reason or until"},
		{"a field in capitals", approve, `{"Reason":"` + reason + `"}`, nil, 400, "VALIDATION_ERROR", "Reason", "reason"},
		{"a name that may be a secret", approve, `{"` + strings.Repeat("s", 40) + `":1}`, nil, 400, "VALIDATION_ERROR", "body", "takes reason"},
		{"a field twice", approve, `{"reason":"` + reason + `","reason":"` + reason + `"}`, nil, 400, "VALIDATION_ERROR", "reason", "twice"},
		{"a number for a text", approve, `{"reason":4711}`, nil, 400, "VALIDATION_ERROR", "reason", "string"},
		{"two values", approve, `{"reason":"` + reason + `"}{}`, nil, 400, "VALIDATION_ERROR", "body", "one JSON object"},
		{"something behind it", approve, `{"reason":"` + reason + `"} x`, nil, 400, "VALIDATION_ERROR", "body", "one JSON object"},
		{"cut short", approve, `{"reason":"` + reason, nil, 400, "VALIDATION_ERROR", "body", "cut short"},
		{"an array", approve, `["` + reason + `"]`, nil, 400, "VALIDATION_ERROR", "body", "object"},
		{"null", approve, `null`, nil, 400, "VALIDATION_ERROR", "body", "object"},
		{"only space", approve, "  \n", nil, 400, "VALIDATION_ERROR", "body", "empty"},
		{"half a surrogate", approve, `{"reason":"\ud800 is no character"}`, nil, 400, "VALIDATION_ERROR", "reason", "JSON"},
		{"broken UTF-8", approve, "{\"reason\":\"\xff is no character\"}", nil, 400, "VALIDATION_ERROR", "reason", "JSON"},
		{"11 MB", approve, `{"reason":"` + strings.Repeat("r", 11<<20) + `"}`, nil, 413, "PAYLOAD_TOO_LARGE", "", "65536"},
		{"a form", approve, `reason=` + reason, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "UNSUPPORTED_MEDIA_TYPE", "", "application/json"},
		{"no type", approve, said(20), []string{"Content-Type", ""}, 415, "UNSUPPORTED_MEDIA_TYPE", "", "application/json"},
		{"another alphabet", approve, said(20), []string{"Content-Type", "application/json; charset=utf-16"}, 415, "UNSUPPORTED_MEDIA_TYPE", "", "application/json"},
		{"gzip", approve, said(20), []string{"Content-Encoding", "gzip"}, 415, "UNSUPPORTED_MEDIA_TYPE", "", "Content-Encoding"},
		{"an approval with an end", approve, `{"reason":"` + reason + `","until":"2027-01-31"}`, nil, 400, "VALIDATION_ERROR", "until", "rejection"},
		{"an end that is over", reject, `{"reason":"` + reason + `","until":"2020-01-31"}`, nil, 400, "VALIDATION_ERROR", "until", "future"},
		{"an end that is no time", reject, `{"reason":"` + reason + `","until":"soon"}`, nil, 400, "VALIDATION_ERROR", "until", "2027-01-31"},
		{"an id that is none", "/api/v1/drifts/42/approve", said(20), nil, 400, "VALIDATION_ERROR", "id", "UUID"},
		{"a drift that is not there", "/api/v1/drifts/0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a/approve", said(20), nil, 404, "NOT_FOUND", "", "drift"},
		{"no password", login, `{"email":"a@example.com"}`, nil, 400, "VALIDATION_ERROR", "password", "missing"},
		{"an e-mail of look-alikes", login, `{"email":"аlice@example.com","password":"x"}`, nil, 400, "VALIDATION_ERROR", "email", ""},
		{"SQL for an e-mail", login, `{"email":"' OR 1=1; --","password":"x"}`, nil, 400, "VALIDATION_ERROR", "email", ""},
		{"SQL for a password", login, `{"email":"a@example.com","password":"' OR 1=1; --"}`, nil, 401, "AUTH_ERROR", "", "wrong"},
		{"SQL for a refresh token", "/api/v1/auth/refresh", `{"refreshToken":"' OR 1=1; --"}`, nil, 401, "AUTH_ERROR", "", "refresh token"},
		{"a user of look-alikes", users, `{"email":"аlice@example.com","role":"viewer"}`, nil, 400, "VALIDATION_ERROR", "email", ""},
		{"a user with a key's role", users, `{"email":"a@example.com","role":"ingest"}`, nil, 400, "VALIDATION_ERROR", "role", "viewer"},
		{"a weak password", users, `{"email":"a@example.com","role":"viewer","password":"password"}`, nil, 400, "VALIDATION_ERROR", "password", ""},
		{"a key without a name", keys, `{"role":"viewer"}`, nil, 400, "VALIDATION_ERROR", "name", "missing"},
		{"a key of no role", keys, `{"name":"k","role":"root"}`, nil, 400, "VALIDATION_ERROR", "role", "viewer"},
		{"a key that has expired", keys, `{"name":"k","role":"viewer","expiresAt":"2020-01-01T00:00:00Z"}`, nil, 400, "VALIDATION_ERROR", "expiresAt", "future"},
		{"a key until some day", keys, `{"name":"k","role":"viewer","expiresAt":"90d"}`, nil, 400, "VALIDATION_ERROR", "expiresAt", "2027"},
		{"SQL for stacks", keys, `{"name":"k","role":"viewer","stacks":"'; DROP TABLE drifts; --"}`, nil, 400, "VALIDATION_ERROR", "stacks", ""},
		{"an admin key for some stacks", keys, `{"name":"k","role":"admin","stacks":"prod/**"}`, nil, 400, "VALIDATION_ERROR", "stacks", "admin"},
		{"no level", level, `{}`, nil, 400, "VALIDATION_ERROR", "level", "missing"},
	}
	want := map[string]int{}
	for _, tt := range tests {
		method := http.MethodPost
		if tt.target == level {
			method = http.MethodPut
		}
		want[tt.code]++
		a := h.do(method, tt.target, tt.body, tt.header...)
		a.what = tt.name
		a.refused(tt.status, tt.code, tt.says)
		p := into[problem](a)
		if tt.field != "" && (len(p.Errors) == 0 || p.Errors[0].Field != tt.field) {
			t.Errorf("%s: errors = %+v, want one about %s", tt.name, p.Errors, tt.field)
		}
		if strings.Contains(string(a.body), strings.Repeat("s", 40)) {
			t.Errorf("%s: a long name is quoted back", tt.name)
		}
	}
	for code, n := range want {
		if counted[code] != n {
			t.Errorf("%d errors were counted as %s, want %d", counted[code], code, n)
		}
	}
	if d := get[driftOf](h, "/api/v1/drifts/"+drift.ID.String()); d.Status != "detected" {
		t.Errorf("after nothing but bad input the drift is %s, want detected", d.Status)
	}
}
