package postgres

import (
	"slices"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// bucket is a drift's status, severity and origin in one number, computed by
// the schema from the three columns. There are few buckets, so a list filtered
// by any of the three is a merge of the buckets that fit, each read in order
// from an index that begins with it: it costs the same however many drifts
// there are and however rare the ones asked for.
type bucket int16

// Open drifts are in buckets below firstResolved.
const (
	firstResolved bucket = 24
	bucketCount   bucket = 30
)

// newBucket computes what the schema computes.
func newBucket(status drift.Status, severity drift.Severity, origin drift.Origin) bucket {
	b := slices.Index(drift.Statuses(), status)
	b = b*len(drift.Severities()) + slices.Index(drift.Severities(), severity)
	return bucket(b*len(drift.Origins()) + slices.Index(drift.Origins(), origin))
}

func (b bucket) origin() drift.Origin { return drift.Origins()[int(b)%2] }

func (b bucket) severity() drift.Severity { return drift.Severities()[int(b)/2%3] }

func (b bucket) status() drift.Status { return drift.Statuses()[b/6] }

// bucketsOf lists the buckets that fit. An empty list of values fits all.
func bucketsOf(statuses []drift.Status, severities []drift.Severity, origins []drift.Origin) []bucket {
	var fit []bucket
	for b := range bucketCount {
		if (len(statuses) == 0 || slices.Contains(statuses, b.status())) &&
			(len(severities) == 0 || slices.Contains(severities, b.severity())) &&
			(len(origins) == 0 || slices.Contains(origins, b.origin())) {
			fit = append(fit, b)
		}
	}
	return fit
}
