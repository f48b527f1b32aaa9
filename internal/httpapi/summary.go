package httpapi

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// summaryBody is the state of everything in a few numbers, the two origins
// apart.
type summaryBody struct {
	Outside originBody `json:"outside"`
	Pending originBody `json:"pending"`
	// OldestOpen is the drift that has waited longest for somebody; rejected
	// ones don't wait.
	OldestOpen        *oldestBody   `json:"oldestOpen"`
	TimeToAcknowledge durationsBody `json:"timeToAcknowledge"`
	TimeToResolve     durationsBody `json:"timeToResolve"`
	Timestamp         string        `json:"timestamp"`
}

type originBody struct {
	Open       int64                    `json:"open"`
	ByStatus   map[drift.Status]int64   `json:"byStatus"`
	BySeverity map[drift.Severity]int64 `json:"bySeverity"` // of open ones
}

type oldestBody struct {
	ID         uuid.UUID      `json:"id"`
	Stack      string         `json:"stack"`
	Address    string         `json:"address"`
	Severity   drift.Severity `json:"severity"`
	Status     drift.Status   `json:"status"`
	DetectedAt string         `json:"detectedAt"`
	AgeSeconds int64          `json:"ageSeconds"`
}

// durationsBody is about the drifts of the last 30 days.
type durationsBody struct {
	Drifts         int64   `json:"drifts"`
	AverageSeconds float64 `json:"averageSeconds"`
	P50Seconds     float64 `json:"p50Seconds"`
	P95Seconds     float64 `json:"p95Seconds"`
}

func newDurationsBody(d postgres.Durations) durationsBody {
	return durationsBody{d.Drifts, round1(d.Average.Seconds()), round1(d.P50.Seconds()), round1(d.P95.Seconds())}
}

// getSummary answers GET /api/v1/summary.
func (s *Server) getSummary(w http.ResponseWriter, r *http.Request, c *caller) error {
	if err := readQuery(r).err(); err != nil {
		return err
	}
	if err := c.everywhere("the summary is about all of them"); err != nil {
		return err
	}
	now := time.Now()
	sum, err := s.DB.Summary(r.Context(), now)
	if err != nil {
		return err
	}
	body := summaryBody{
		Outside:           originBody(*sum.ByOrigin[drift.Outside]),
		Pending:           originBody(*sum.ByOrigin[drift.Pending]),
		TimeToAcknowledge: newDurationsBody(sum.Acknowledge), TimeToResolve: newDurationsBody(sum.Resolve),
		Timestamp: timestamp(now),
	}
	if o := sum.OldestOpen; o != nil {
		body.OldestOpen = &oldestBody{
			ID: o.ID, Stack: o.Stack, Address: o.Address, Severity: o.Severity, Status: o.Status,
			DetectedAt: timestamp(o.DetectedAt), AgeSeconds: int64(now.Sub(o.DetectedAt).Seconds()),
		}
	}
	return ok(w, http.StatusOK, body)
}
