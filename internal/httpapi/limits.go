package httpapi

import (
	"math"
	"net/http"
	"time"

	"github.com/go-chi/httprate"
	"github.com/rs/cors"

	"github.com/driftsentry/driftsentry/internal/clientip"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/fault"
)

// cors lets browsers in from the origins that were named. It leaves requests
// that it lets through untouched: a copied request would lose its route for
// everybody outside.
func (s *Server) cors(next http.Handler) http.Handler {
	if len(s.CORSOrigins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins: s.CORSOrigins,
		AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete},
		AllowedHeaders: []string{
			"Authorization", "Content-Type", "If-Match", "X-API-Key", ciHeader, correlation.Header, "traceparent", "tracestate", "baggage",
		},
		ExposedHeaders: []string{
			correlation.Header, "ETag", "Location", "Retry-After", "Server-Timing",
			"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset",
		},
		MaxAge: int(time.Hour.Seconds()),
	}).Handler(next)
}

// rates counts who asks how often. Its zero value limits nobody.
type rates struct {
	perMinute int
	// all counts credentials and, of those who have none, addresses; door counts
	// addresses at the route that takes passwords, and each refresh token.
	all, door *httprate.RateLimiter
	// rare counts refresh tokens from addresses over their limit, all together.
	rare *httprate.RateLimiter
}

// fewestLogins is how many logins a minute each address may try, however strict
// the other limit is: a team behind one address must get in.
const fewestLogins = 10

// rareTokens is how many refresh tokens a second are looked up for addresses over
// their limit. Nothing but a look-up tells a good one from one that was made up;
// refused, it stays good, so its owner gets in after some tries.
const rareTokens = 5

func newRates(perMinute int) rates {
	if perMinute <= 0 {
		return rates{}
	}
	headers := httprate.WithResponseHeaders(httprate.ResponseHeaders{
		Limit: "X-RateLimit-Limit", Remaining: "X-RateLimit-Remaining", Reset: "X-RateLimit-Reset", RetryAfter: "Retry-After",
	})
	return rates{
		perMinute: perMinute,
		all:       httprate.NewRateLimiter(perMinute, time.Minute, headers),
		door:      httprate.NewRateLimiter(max(perMinute/100, fewestLogins), time.Minute, headers),
		rare:      httprate.NewRateLimiter(rareTokens, time.Second, httprate.WithResponseHeaders(httprate.ResponseHeaders{})),
	}
}

// count counts a request for key and refuses it when there were too many.
func (v rates) count(limiter *httprate.RateLimiter, w http.ResponseWriter, r *http.Request, key string) error {
	if limiter == nil || !limiter.OnLimit(w, r, key) {
		return nil
	}
	return fault.New(fault.RateLimited, "too many requests; wait as long as Retry-After says")
}

// spent reports whether key has no request left, without counting one.
func (v rates) spent(key string) bool {
	if v.all == nil {
		return false
	}
	_, rate, err := v.all.Status(key)
	return err != nil || int(math.Round(rate)) >= v.perMinute
}

// addressKey is what a limit knows an address by.
func (s *Server) addressKey(r *http.Request) string { return clientip.Holder(s.Clients.Of(r)) }
