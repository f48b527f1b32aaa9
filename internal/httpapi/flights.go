package httpapi

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/driftsentry/driftsentry/internal/correlation"
)

// Flight is a request that has been let in and not yet answered.
type Flight struct {
	Method        string
	Path          string
	CorrelationID string
	Since         time.Time
}

// flights knows the requests under way, so that a shutdown which could not
// wait for one can say which.
type flights struct {
	mu  sync.Mutex
	all map[*http.Request]time.Time
}

func (f *flights) add(r *http.Request) (done func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all == nil {
		f.all = map[*http.Request]time.Time{}
	}
	f.all[r] = time.Now()
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.all, r)
	}
}

// InFlight lists the requests under way, the oldest first.
func (s *Server) InFlight() []Flight {
	s.flights.mu.Lock()
	all := maps.Clone(s.flights.all)
	s.flights.mu.Unlock()

	list := make([]Flight, 0, len(all))
	for r, since := range all {
		list = append(list, Flight{
			Method: clip(r.Method), Path: clip(r.URL.Path),
			CorrelationID: correlation.From(r.Context()).Correlation, Since: since,
		})
	}
	slices.SortFunc(list, func(a, b Flight) int { return cmp.Compare(a.Since.UnixNano(), b.Since.UnixNano()) })
	return list
}
