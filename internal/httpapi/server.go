// Package httpapi is the HTTP face of the service: the route table, what each
// route accepts and answers, and how every failure looks.
//
// It refuses to hold business rules, SQL or telemetry. Handlers return errors;
// one place turns them into problem documents, and whoever wires the server
// decides how they are logged, counted and tracked.
package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/driftsentry/driftsentry/internal/accounts"
	"github.com/driftsentry/driftsentry/internal/clientip"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/ingest"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/review"
)

// Options are what the server is made of. All fields without a stated zero
// value are required.
type Options struct {
	DB       *postgres.DB
	Ingest   *ingest.Service
	Accounts *accounts.Service
	Review   *review.Service
	// SealKey is what the audit trail's seals are checked with; nil checks all but
	// who sealed.
	SealKey []byte
	// CursorKey signs cursors; the same on every replica.
	CursorKey []byte
	// Clients finds the caller's address for rate limits; the zero value
	// believes no proxy.
	Clients clientip.Resolver
	// MaxUploadBytes limits a plan after decompression.
	MaxUploadBytes int64
	// RequestTimeout limits every request but an upload, which may take as long
	// as bytes keep coming: there it limits the wait for the next byte.
	RequestTimeout time.Duration
	// UploadTimeout limits a whole upload, however steadily its bytes come.
	UploadTimeout time.Duration
	// RateLimitPerMinute limits requests per credential, else per address, and a
	// hundredth of it logins; 0 is no limit.
	RateLimitPerMinute int
	// CORSOrigins may call the API from a browser; empty allows none.
	CORSOrigins []string
	// Metrics answers GET /metrics; nil removes the route.
	Metrics http.Handler
	// Exports tells the state of telemetry export for /health/detailed; nil
	// leaves it out.
	Exports func() any
	// Errors tells the tracked errors for /api/v1/errors; nil removes the route.
	Errors func() any
	// ErrorsOf tells the tracked errors that remember a correlation id; nil knows
	// of none.
	ErrorsOf func(correlationID string) []TrackedError
	// LogLevel is the level of the log, which admins may change; a zero one
	// removes the route.
	LogLevel LogLevel
	// PublicURL is where people reach this server, without a slash at its end: what
	// a Location begins with. Empty makes them relative.
	PublicURL string
	// JaegerURL and LogsURL lead from the dossier to traces and log lines; empty
	// leaves the links out. LogsURL may say {correlationId} where the id belongs.
	JaegerURL, LogsURL string
	// Identified hears who is calling, as soon as that is known: an id, for logs
	// and traces. Nil if nobody listens.
	Identified func(ctx context.Context, userID string)
	// Linked hears of the span that made what this request is about: the upload
	// that found a drift, the decision before this one. Nil if nobody listens.
	Linked func(ctx context.Context, traceID, spanID string)
	// Forwarded hears, once, that X-Forwarded-For came from an address which is no
	// trusted proxy: whoever is behind it counts as one client. Nil if nobody
	// listens.
	Forwarded func(ctx context.Context, peer string)
	// Report hears of every request that failed, after it was answered.
	Report func(*http.Request, Failure)
	// Version is what /health/detailed names; BuildInfo's, not the schema's.
	Version string
}

// Server answers the routes that Routes lists, and nothing else.
type Server struct {
	Options
	handler http.Handler
	cursors cursors
	health  *health
	flights flights
	rates   rates
	uploads chan struct{} // holds one token for each upload being taken

	forwarded sync.Once
}

// New builds the server; it listens on nothing.
func New(o Options) *Server {
	s := &Server{
		Options: o, cursors: cursors{o.CursorKey}, health: newHealth(o),
		rates: newRates(o.RateLimitPerMinute), uploads: make(chan struct{}, maxUploads),
	}
	mux := http.NewServeMux()
	methods := map[string][]string{} // by path, for the 405s
	for _, route := range s.Routes() {
		mux.Handle(route.Pattern(), s.handle(&route))
		methods[route.Path] = append(methods[route.Path], route.Method)
	}
	for path, allowed := range methods {
		mux.Handle(path, s.methodNotAllowed(allowed))
	}
	mux.HandleFunc("/", s.notFound)
	s.handler = s.cors(mux)
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	done := s.flights.add(r)
	defer done()
	// While draining, the client reconnects to somebody who stays. And a body that
	// nobody reads would hold the answer up until all of it has come.
	reads := r.Method == http.MethodPost || r.Method == http.MethodPut
	if s.health.draining.Load() || r.ContentLength != 0 && !reads {
		w.Header().Set("Connection", "close")
	}
	// The mux has answers of its own for these two, and they are no problem documents.
	if r.Method == http.MethodConnect || r.RequestURI == "*" {
		s.notFound(w, r)
		return
	}
	if s.Forwarded != nil && r.Header.Get("X-Forwarded-For") != "" && !s.Clients.Trusts(clientip.Peer(r)) {
		s.forwarded.Do(func() { s.Forwarded(r.Context(), clientip.Peer(r).String()) })
	}
	if headerSize(r) > maxHeader {
		r.Pattern = "" // nobody looked for its route
		w.Header().Set("Connection", "close")
		s.refuse(w, r, cmp.Or(s.countUnrouted(w, r), errLargeHeader))
		return
	}
	s.handler.ServeHTTP(w, r)
}

// maxHeader is how large a request's line and headers may be together, in bytes.
// net/http is allowed more: what it refuses itself is answered in plain
// text, and neither counted nor logged.
const maxHeader = 64 << 10

var errLargeHeader = fault.New(fault.TooLarge,
	fmt.Sprintf("the request's line and headers are larger than %d bytes together, the most that is taken", maxHeader))

func headerSize(r *http.Request) int {
	size := len(r.Method) + len(r.RequestURI) + len(r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			size += len(name) + len(value) + len(": \r\n")
		}
	}
	return size
}

// Drain makes the server say that it is going: readiness fails and every
// answer closes its connection. It goes on serving.
func (s *Server) Drain() { s.health.draining.Store(true) }

// errTooSlow is the cause of a context whose request took longer than its
// route allows, so that it isn't taken for a deadline of somebody else's.
var errTooSlow = errors.New("request timeout")

// handle turns a route into a handler: it bounds the time, lets in whom the
// route is for, and answers errors.
func (s *Server) handle(route *Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner := r
		if route.limit > 0 {
			ctx, cancel := context.WithTimeoutCause(r.Context(), route.limit, errTooSlow)
			defer cancel()
			inner = r.WithContext(ctx)
		}
		c, err := s.admit(w, inner, route)
		if err != nil {
			s.refuse(w, inner, err)
			return
		}
		if err := route.handler(w, inner, c); err != nil {
			s.fail(w, inner, err)
		}
	})
}

// refuse answers a request that nobody looked into.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if r.ContentLength != 0 {
		// net/http would wait for the body before it sends the answer.
		w.Header().Set("Connection", "close")
	}
	s.fail(w, r, err)
}

// fail answers err and tells whoever listens. When the answer itself could not
// be sent there is nothing left to answer.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	gone := answers[fault.ClientClosed]
	failure := Failure{Err: err, Status: gone.status, Code: gone.code}
	if !errors.Is(err, errNotSent) {
		failure = WriteError(w, r, err)
	}
	if s.Report != nil {
		s.Report(r, failure)
	}
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	// The catch-all must not look like a route to whoever labels this request.
	r.Pattern = ""
	s.refuse(w, r, cmp.Or(s.countUnrouted(w, r), fault.New(fault.NotFound, "there is nothing at this path")))
}

func (s *Server) methodNotAllowed(allowed []string) http.Handler {
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	allow := strings.Join(allowed, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limited := s.countUnrouted(w, r)
		switch {
		case limited != nil:
			s.refuse(w, r, limited)
		case r.Method == http.MethodOptions:
			w.Header().Set("Allow", allow+", OPTIONS")
			w.WriteHeader(http.StatusNoContent)
		default:
			w.Header().Set("Allow", allow)
			s.refuse(w, r, fault.New(fault.MethodNotAllowed, "this path takes "+allow))
		}
	})
}

// countUnrouted counts a request that no route takes for its address.
func (s *Server) countUnrouted(w http.ResponseWriter, r *http.Request) error {
	if isProbe(r.URL.Path) {
		return nil
	}
	return s.rates.count(s.rates.all, w, r, s.addressKey(r))
}
