package httpapi

import (
	"net/http"
	"time"

	"github.com/driftsentry/driftsentry/internal/auth"
)

// Route is one row of the API: where it is, what its caller must be allowed
// to do, and what answers.
type Route struct {
	Method string
	Path   string // as net/http's mux writes patterns; also the metric label
	Needs  auth.Permission

	limit   time.Duration // of the whole request; zero is none
	handler func(http.ResponseWriter, *http.Request) error
}

// Pattern is the route as the mux takes it.
func (r Route) Pattern() string { return r.Method + " " + r.Path }

// Routes is the whole API. It is the router and the permission matrix at once.
func (s *Server) Routes() []Route {
	const get, post = http.MethodGet, http.MethodPost
	timed := s.RequestTimeout
	routes := []Route{
		{post, "/api/v1/scans", auth.Upload, s.UploadTimeout, s.createScan},
		{get, "/api/v1/scans", auth.Read, timed, s.listScans},
		{get, "/api/v1/scans/{id}", auth.Read, timed, s.getScan},
		{get, "/api/v1/stacks", auth.Read, timed, s.listStacks},
		// A stack's name may hold slashes.
		{get, "/api/v1/stacks/{name...}", auth.Read, timed, s.getStack},
		{get, "/api/v1/drifts", auth.Read, timed, s.listDrifts},
		{get, "/api/v1/drifts/{id}", auth.Read, timed, s.getDrift},
		{get, "/api/v1/drifts/{id}/timeline", auth.Read, timed, s.getTimeline},
		{get, "/api/v1/noise", auth.Read, timed, s.listNoise},
		{get, "/api/v1/summary", auth.Read, timed, s.getSummary},

		{get, "/health/live", auth.Public, 0, s.health.live},
		{get, "/health/ready", auth.Public, 0, s.health.ready},
		{get, "/health/detailed", auth.Public, 0, s.health.detailed},
	}
	if s.Errors != nil {
		routes = append(routes, Route{get, "/api/v1/errors", auth.Administer, timed, s.listErrors})
	}
	if s.Metrics != nil {
		routes = append(routes, Route{get, "/metrics", auth.Public, 0, func(w http.ResponseWriter, r *http.Request) error {
			s.Metrics.ServeHTTP(w, r)
			return nil
		}})
	}
	return routes
}
