package httpapi

import (
	"net/http"
	"strings"
	"time"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/drift"
)

// Route is one row of the API: where it is, what its caller must be allowed
// to do, and what answers.
type Route struct {
	Method string
	Path   string // as net/http's mux writes patterns; also the metric label
	Needs  auth.Permission

	limit   time.Duration // of the whole request; zero is none
	handler func(http.ResponseWriter, *http.Request, *caller) error
	probe   bool // asked by machines that must never be refused
	door    bool // takes passwords
	token   bool // takes refresh tokens
}

// Pattern is the route as the mux takes it.
func (r Route) Pattern() string { return r.Method + " " + r.Path }

// Routes is the whole API. It is the router and the permission matrix at once.
func (s *Server) Routes() []Route {
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	var routes []Route
	add := func(method, path string, needs auth.Permission, handler func(http.ResponseWriter, *http.Request, *caller) error) {
		routes = append(routes, Route{Method: method, Path: path, Needs: needs, limit: s.RequestTimeout, handler: handler})
	}
	add(post, "/api/v1/auth/login", auth.Public, s.login)
	routes[len(routes)-1].door = true
	add(post, "/api/v1/auth/refresh", auth.Public, s.refresh)
	routes[len(routes)-1].token = true
	add(post, "/api/v1/auth/logout", auth.Public, s.logout)
	routes[len(routes)-1].token = true
	add(get, "/api/v1/me", auth.Anyone, s.getMe)

	add(post, "/api/v1/scans", auth.Upload, s.createScan)
	routes[len(routes)-1].limit = s.UploadTimeout
	add(get, "/api/v1/scans", auth.Read, s.listScans)
	add(get, "/api/v1/scans/{id}", auth.Read, s.getScan)
	add(get, "/api/v1/stacks", auth.Read, s.listStacks)
	add(get, "/api/v1/stacks/{name...}", auth.Read, s.getStack) // a stack's name may hold slashes
	add(get, "/api/v1/noise", auth.Read, s.listNoise)
	add(get, "/api/v1/summary", auth.Read, s.getSummary)

	add(get, "/api/v1/drifts", auth.Read, s.listDrifts)
	add(get, "/api/v1/drifts/{id}", auth.Read, s.getDrift)
	add(get, "/api/v1/drifts/{id}/timeline", auth.Read, s.getTimeline)
	add(post, "/api/v1/drifts/{id}/triage", auth.Decide, s.decide(drift.Triaged))
	add(post, "/api/v1/drifts/{id}/approve", auth.Decide, s.decide(drift.Approved))
	add(post, "/api/v1/drifts/{id}/reject", auth.Decide, s.decide(drift.Rejected))
	add(post, "/api/v1/drifts/{id}/resolve", auth.Decide, s.decide(drift.Resolved))

	add(get, "/api/v1/correlations/{id}", auth.Read, s.getDossier)
	add(get, "/api/v1/audit", auth.Administer, s.listAudit)
	add(get, "/api/v1/audit/verify", auth.Administer, s.verifyAudit)

	add(get, "/api/v1/users", auth.Administer, s.listUsers)
	add(post, "/api/v1/users", auth.Administer, s.createUser)
	add(post, "/api/v1/users/{id}/disable", auth.Administer, s.disableUser)
	add(post, "/api/v1/users/{id}/enable", auth.Administer, s.enableUser)
	add(post, "/api/v1/users/{id}/role", auth.Administer, s.setRole)
	add(get, "/api/v1/api-keys", auth.Administer, s.listKeys)
	add(post, "/api/v1/api-keys", auth.Administer, s.createKey)
	add(post, "/api/v1/api-keys/{id}/revoke", auth.Administer, s.revokeKey)
	add(del, "/api/v1/api-keys/{id}", auth.Administer, s.deleteKey)
	if s.LogLevel.Get != nil {
		add(get, "/api/v1/log-level", auth.Administer, s.getLogLevel)
		add(put, "/api/v1/log-level", auth.Administer, s.putLogLevel)
	}
	if s.Errors != nil {
		add(get, "/api/v1/errors", auth.Administer, s.listErrors)
	}
	add(get, "/openapi.yaml", auth.Public, s.getDocument)
	return append(routes, s.probes()...)
}

// probes are the routes of machines that watch us.
func (s *Server) probes() []Route {
	probe := func(path string, handler func(http.ResponseWriter, *http.Request) error) Route {
		return Route{
			Method: http.MethodGet, Path: path, Needs: auth.Public, probe: true,
			handler: func(w http.ResponseWriter, r *http.Request, _ *caller) error { return handler(w, r) },
		}
	}
	routes := []Route{
		probe("/health/live", s.health.live), probe("/health/ready", s.health.ready), probe("/health/detailed", s.health.detailed),
	}
	if s.Metrics != nil {
		routes = append(routes, probe("/metrics", func(w http.ResponseWriter, r *http.Request) error {
			s.Metrics.ServeHTTP(w, r)
			return nil
		}))
	}
	return routes
}

// isProbe tells by the path, where nothing has been routed.
func isProbe(path string) bool { return path == "/metrics" || strings.HasPrefix(path, "/health/") }
