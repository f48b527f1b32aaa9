package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/httpapi"
)

// office is an address that many share, some of whom guess.
const office = "198.51.100.1:1000"

// from sends a request from an address.
func (h *house) from(address, method, target, body string, header ...string) answer {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), method, target, strings.NewReader(body))
	r.RemoteAddr = address
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := exchange(h.t, h, r)
	return answer{t: h.t, what: method + " " + target + " from " + address, status: w.Code, header: w.Header(), body: w.Body.Bytes()}
}

// spend guesses until the office has nothing left.
func (h *house) spend() {
	h.t.Helper()
	for range h.RateLimitPerMinute {
		h.from(office, http.MethodGet, "/api/v1/me", "", "X-API-Key", "dsk_guess").refused(401, "AUTH_ERROR", "")
	}
	h.from(office, http.MethodGet, "/api/v1/me", "", "X-API-Key", "dsk_guess").refused(429, "RATE_LIMITED", "")
}

// TestGuessingLocksNobodyElseOut who comes from the same address with something
// good, not on a replica that remembers nobody either; and guesses are refused
// before anything is looked up for them.
func TestGuessingLocksNobodyElseOut(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *httpapi.Options) { o.RateLimitPerMinute = 20 })
	alice := h.token(h.user(auth.Viewer))
	forged := strangersToken(t, alice)
	ci := h.key(auth.Ingest, "")
	h.spend()
	vouches := func(name, value string) bool {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.RemoteAddr = office
		r.Header.Set(name, value)
		return h.Vouches(r)
	}
	for range 5 {
		for name, credential := range map[string][2]string{
			"a key": {"X-API-Key", ci}, "a key as a token": {"Authorization", "Bearer " + ci}, "a token": {"Authorization", "Bearer " + alice},
		} {
			a := h.from(office, http.MethodGet, "/api/v1/me", "", credential[0], credential[1])
			if a.status != http.StatusOK || !vouches(credential[0], credential[1]) {
				t.Errorf("%s from an address over its limit = %d %s, want 200, and that it vouches", name, a.status, a.body)
			}
		}
		invented, _, _ := auth.NewAPIKey()
		for name, credential := range map[string][2]string{
			"a key that was invented": {"X-API-Key", invented.Reveal()}, "a forged token": {"Authorization", "Bearer " + forged},
			"junk": {"X-API-Key", "dsk_junk"}, "nothing": {"X-Nothing", "x"},
		} {
			a := h.from(office, http.MethodGet, "/api/v1/me", "", credential[0], credential[1])
			a.refused(429, "RATE_LIMITED", "Retry-After")
			if vouches(credential[0], credential[1]) {
				t.Errorf("%s vouches", name)
			}
		}
	}
	// A good key that may not do this is told so.
	h.from(office, http.MethodGet, "/api/v1/users", "", "X-API-Key", ci).refused(403, "FORBIDDEN", "")
}

func renewal(token string) string { return `{"refreshToken":"` + token + `"}` }

// TestSessionsAreRenewedWhereLoginsFail: refresh tokens are counted by
// themselves.
func TestSessionsAreRenewedWhereLoginsFail(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *httpapi.Options) { o.RateLimitPerMinute = 50 })
	h.user(auth.Viewer)
	const login = `{"email":"viewer@example.com","password":"` + password + `"}`
	session := into[tokens](h.from(office, http.MethodPost, "/api/v1/auth/login", login).is(http.StatusOK))
	for range 9 {
		h.from(office, http.MethodPost, "/api/v1/auth/login", `{}`).refused(400, "VALIDATION_ERROR", "")
	}
	h.from(office, http.MethodPost, "/api/v1/auth/login", login).refused(429, "RATE_LIMITED", "")
	session = into[tokens](h.from(office, http.MethodPost, "/api/v1/auth/refresh", renewal(session.RefreshToken)).is(http.StatusOK))

	// Guessed tokens count for the address; a good one still has a chance.
	for i := range 50 {
		token := "junk"
		if i%2 == 0 {
			invented, _ := auth.NewRefreshToken()
			token = invented.Reveal()
		}
		h.from(office, http.MethodPost, "/api/v1/auth/refresh", renewal(token)).refused(401, "AUTH_ERROR", "")
	}
	h.from(office, http.MethodPost, "/api/v1/auth/refresh", renewal("junk")).refused(429, "RATE_LIMITED", "")
	h.from(office, http.MethodPost, "/api/v1/auth/refresh", `{}`).refused(429, "RATE_LIMITED", "")
	session = into[tokens](h.from(office, http.MethodPost, "/api/v1/auth/refresh", renewal(session.RefreshToken)).is(http.StatusOK))
	h.from(office, http.MethodPost, "/api/v1/auth/logout", renewal(session.RefreshToken)).is(http.StatusNoContent)
	// But there are not many.
	refused := 0
	for range 100 {
		invented, _ := auth.NewRefreshToken()
		if h.from(office, http.MethodPost, "/api/v1/auth/logout", renewal(invented.Reveal())).status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Error("every one of a hundred tokens that were invented was looked up for an address over its limit")
	}
}

// TestOneRefreshTokenIsNotTriedForEver: it is counted wherever it comes from.
func TestOneRefreshTokenIsNotTriedForEver(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *httpapi.Options) { o.RateLimitPerMinute = 1000 })
	invented, _ := auth.NewRefreshToken()
	for i := range 11 {
		a := h.from("192.0.2."+strconv.Itoa(i+1)+":1", http.MethodPost, "/api/v1/auth/refresh", renewal(invented.Reveal()))
		if i < 10 {
			a.refused(401, "AUTH_ERROR", "")
		} else {
			a.refused(429, "RATE_LIMITED", "")
		}
	}
}
