package httpapi_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/httpapi"
)

type tokens struct {
	AccessToken, TokenType, RefreshToken string
	ExpiresIn                            int
	User                                 struct{ ID, Email, Role string }
}

func TestASessionFromLoginToLogout(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	alice := h.user(auth.Viewer)
	nobody := h.as("")
	login := nobody.do(http.MethodPost, "/api/v1/auth/login", `{"email":"Viewer@Example.com","password":"`+password+`"}`).is(http.StatusOK)
	first := into[tokens](login)
	if first.TokenType != "Bearer" || first.ExpiresIn < 890 || first.ExpiresIn > 900 || first.User.ID != alice.ID.String() || login.header.Get("Cache-Control") != "no-store" {
		t.Errorf("login = %s for %d s of %+v, Cache-Control %q", first.TokenType, first.ExpiresIn, first.User, login.header.Get("Cache-Control"))
	}
	me := get[struct{ Kind, ID, Name, Email, Role string }](h.as(first.AccessToken), "/api/v1/me")
	if me.Kind != "user" || me.ID != alice.ID.String() || me.Email != alice.Email || me.Role != "viewer" {
		t.Errorf("me = %+v", me)
	}
	second := into[tokens](nobody.do(http.MethodPost, "/api/v1/auth/refresh", `{"refreshToken":"`+first.RefreshToken+`"}`).is(http.StatusOK))
	h.as(second.AccessToken).do(http.MethodGet, "/api/v1/me", "").is(http.StatusOK)
	// The first one again: somebody stole it, and the whole family ends.
	nobody.do(http.MethodPost, "/api/v1/auth/refresh", `{"refreshToken":"`+first.RefreshToken+`"}`).refused(401, "AUTH_ERROR", "refresh token")
	nobody.do(http.MethodPost, "/api/v1/auth/refresh", `{"refreshToken":"`+second.RefreshToken+`"}`).refused(401, "AUTH_ERROR", "refresh token")
	h.as(second.AccessToken).do(http.MethodGet, "/api/v1/me", "").refused(401, "AUTH_ERROR", "")

	third := into[tokens](nobody.do(http.MethodPost, "/api/v1/auth/login", `{"email":"viewer@example.com","password":"`+password+`"}`).is(http.StatusOK))
	for range 2 { // dead already the second time
		nobody.do(http.MethodPost, "/api/v1/auth/logout", `{"refreshToken":"`+third.RefreshToken+`"}`).is(http.StatusNoContent)
	}
	h.as(third.AccessToken).do(http.MethodGet, "/api/v1/me", "").refused(401, "AUTH_ERROR", "")
}

func TestCredentialsThatAreNone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.credential
	valid := h.token(h.user(auth.Admin))
	parts := strings.Split(valid, ".")
	none := "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + parts[1] + "."
	tests := []struct {
		name   string
		header []string
		status int
		code   string
		says   string
	}{
		{"nothing", nil, 401, "AUTH_ERROR", "needs a credential"},
		{"alg none", []string{"Authorization", "Bearer " + none}, 401, "AUTH_ERROR", "not valid"},
		{"alg none, the signature left", []string{"Authorization", "Bearer " + none + parts[2]}, 401, "AUTH_ERROR", "not valid"},
		{"truncated", []string{"Authorization", "Bearer " + valid[:len(valid)-8]}, 401, "AUTH_ERROR", "not valid"},
		{"1 MB", []string{"Authorization", "Bearer " + strings.Repeat("a", 1<<20)}, 413, "PAYLOAD_TOO_LARGE", "headers"},
		{"60 KB", []string{"Authorization", "Bearer " + strings.Repeat("a", 60<<10)}, 401, "AUTH_ERROR", "not valid"},
		{"a key of 1 MB", []string{"X-API-Key", strings.Repeat("a", 1<<20)}, 413, "PAYLOAD_TOO_LARGE", "headers"},
		{"a key of 60 KB", []string{"X-API-Key", strings.Repeat("a", 60<<10)}, 401, "AUTH_ERROR", "not valid"},
		{"expired", []string{"Authorization", "Bearer " + expiredToken(t, valid)}, 401, "AUTH_ERROR", "expired"},
		{"another key", []string{"Authorization", "Bearer " + strangersToken(t, valid)}, 401, "AUTH_ERROR", "not valid"},
		{"another issuer", []string{"Authorization", "Bearer " + resigned(t, valid, `"iss":"driftsentry"`, `"iss":"somebody"`)}, 401, "AUTH_ERROR", "not valid"},
		{"another audience", []string{"Authorization", "Bearer " + resigned(t, valid, `"aud":"driftsentry"`, `"aud":"somebody"`)}, 401, "AUTH_ERROR", "not valid"},
		{"no token", []string{"Authorization", "Bearer "}, 401, "AUTH_ERROR", "not valid"},
		{"a password", []string{"Authorization", "Basic YWxpY2U6c2VjcmV0"}, 401, "AUTH_ERROR", "Bearer"},
		{"an empty key", []string{"X-API-Key", ""}, 401, "AUTH_ERROR", "not valid"},
		{"SQL", []string{"X-API-Key", "' OR 1=1; --"}, 401, "AUTH_ERROR", "not valid"},
		{"a key with one letter changed", []string{"X-API-Key", key[:len(key)-1] + "~"}, 401, "AUTH_ERROR", "not valid"},
		{"both", []string{"X-API-Key", key, "Authorization", "Bearer " + valid}, 400, "VALIDATION_ERROR", "more than one credential"},
	}
	for _, tt := range tests {
		a := h.as("").do(http.MethodGet, "/api/v1/me", "", tt.header...)
		a.what = tt.name
		a.refused(tt.status, tt.code, tt.says)
		for i := 1; i < len(tt.header); i += 2 {
			if len(tt.header[i]) > 20 && strings.Contains(string(a.body), tt.header[i][7:]) {
				t.Errorf("%s: the answer repeats the credential", tt.name)
			}
		}
	}
	// Two lines of the same header are two credentials.
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/me", http.NoBody)
	r.Header["Authorization"] = []string{"Bearer " + valid, "Bearer " + valid}
	if w := exchange(t, h, r); w.Code != http.StatusBadRequest {
		t.Errorf("two Authorization lines = %d, want 400", w.Code)
	}
	h.as("").do(http.MethodGet, "/api/v1/me", "", "Authorization", "bearer "+key).is(http.StatusOK)
	h.as("").do(http.MethodGet, "/api/v1/me", "", "Authorization", "Bearer "+valid).is(http.StatusOK)
	h.as("").do(http.MethodGet, "/api/v1/me", "", "Authorization", "Bearer "+resigned(t, valid, "", "")).is(http.StatusOK)
}

// resigned is a token with something else in it, signed as ours are.
func resigned(t *testing.T, token, old, changed string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(string(claims), old, changed, 1)
	if (other == string(claims)) != (old == changed) {
		t.Fatalf("no %s in %s", old, claims)
	}
	body := parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(other))
	mac := hmac.New(sha256.New, serverKey)
	mac.Write([]byte(body))
	return body + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func TestLimitsCountByCredential(t *testing.T) {
	t.Parallel()
	var identified []string
	h := newHouse(t, func(o *httpapi.Options) {
		o.RateLimitPerMinute = 5
		o.Identified = func(_ context.Context, id string) { identified = append(identified, id) }
	})
	from := func(address, credential, target string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
		r.RemoteAddr = address
		if credential != "" {
			r.Header.Set("X-API-Key", credential)
		}
		return exchange(t, h, r).Code
	}
	other := h.key(auth.Viewer, "")
	for i := range 6 {
		want := http.StatusOK
		if i == 5 {
			want = http.StatusTooManyRequests
		}
		// From everywhere: it is the credential that counts.
		if got := from("192.0.2."+string(rune('1'+i))+":1000", h.credential, "/api/v1/me"); got != want {
			t.Errorf("request %d of one key = %d, want %d", i+1, got, want)
		}
	}
	if got := from("192.0.2.1:1000", other, "/api/v1/me"); got != http.StatusOK {
		t.Errorf("another key from the same address = %d, want 200", got)
	}
	if len(identified) != 7 {
		t.Errorf("%d requests were identified, want 7", len(identified))
	}
	// Ten logins a minute, however strict the rest is.
	for i := range 11 {
		a := h.as("").do(http.MethodPost, "/api/v1/auth/login", `{}`)
		if i < 10 {
			a.refused(400, "VALIDATION_ERROR", "email")
		} else {
			a.refused(429, "RATE_LIMITED", "Retry-After")
		}
	}
}
