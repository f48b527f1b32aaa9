package telemetry

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxScrapes bounds the scrapes answered at the same time; further ones get 503.
const maxScrapes = 4

// MetricsHandler answers GET /metrics in text 0.0.4, or in OpenMetrics with
// exemplars to those who ask for it.
func (t *Telemetry) MetricsHandler() http.Handler {
	return promhttp.HandlerFor(t.gatherer(), promhttp.HandlerOpts{
		EnableOpenMetrics: true,
		// One series that can't be shown must not hide the others.
		ErrorHandling:       promhttp.ContinueOnError,
		ErrorLog:            t.complain,
		MaxRequestsInFlight: maxScrapes,
	})
}
