package httpapi

import (
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/httprate"
	"github.com/rs/cors"

	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/fault"
)

// limits puts what a browser's origin and a caller's rate allow in front of
// next. Both leave requests that they let through untouched: a copied request
// would lose its route for everybody outside.
func (s *Server) limits(next http.Handler) http.Handler {
	if s.RateLimitPerMinute > 0 {
		next = s.rateLimit(next)
	}
	if len(s.CORSOrigins) > 0 {
		next = cors.New(cors.Options{
			AllowedOrigins: s.CORSOrigins,
			AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost},
			AllowedHeaders: []string{
				"Authorization", "Content-Type", "If-Match", "X-API-Key", correlation.Header, "traceparent", "tracestate", "baggage",
			},
			ExposedHeaders: []string{correlation.Header, "ETag", "Retry-After", "Server-Timing"},
			MaxAge:         int(time.Hour.Seconds()),
		}).Handler(next)
	}
	return next
}

// rateLimit refuses an address that asks too often. Probes and scrapes are
// exempt: an alarm that stops because somebody is busy is none.
func (s *Server) rateLimit(next http.Handler) http.Handler {
	limiter := httprate.NewRateLimiter(s.RateLimitPerMinute, time.Minute)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") && limiter.OnLimit(w, r, s.caller(r)) {
			s.fail(w, r, fault.New(fault.RateLimited, "too many requests from this address; wait as long as Retry-After says"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// caller is whom a rate limit counts. IPv6 users own whole /64 networks.
func (s *Server) caller(r *http.Request) string {
	addr := s.Clients.Of(r)
	if addr.Is6() {
		if network, err := addr.Prefix(64); err == nil {
			return network.String()
		}
	}
	return addr.String()
}
