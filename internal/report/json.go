package report

import (
	"cmp"
	"encoding/json"
	"io"

	"github.com/driftsentry/driftsentry/internal/client"
	"github.com/driftsentry/driftsentry/internal/drift"
)

// document is the JSON output. Its keys are a promise: scripts read them.
type document struct {
	Stack             string                                  `json:"stack"`
	ScanID            string                                  `json:"scanId"`
	Status            drift.Completeness                      `json:"status"`
	Superseded        bool                                    `json:"superseded"`
	Repeated          bool                                    `json:"repeated"`
	Counts            client.Counts                           `json:"counts"`
	Open              map[drift.Origin]map[drift.Severity]int `json:"open"`
	OpenDrifts        []client.Drift                          `json:"openDrifts"`
	OpenDriftsOmitted int                                     `json:"openDriftsOmitted"`
	NewDrifts         []client.Drift                          `json:"newDrifts"`
	NewDriftsOmitted  int                                     `json:"newDriftsOmitted"`
	FailOn            string                                  `json:"failOn"`
	Origins           []drift.Origin                          `json:"origins"`
	Failing           int                                     `json:"failing"`
	Pipeline          map[string]string                       `json:"pipeline"`
	CorrelationID     string                                  `json:"correlationId"`
	TraceID           string                                  `json:"traceId"`
	URL               string                                  `json:"url"`
}

func (r *Report) json(w io.Writer) error {
	d := document{
		Stack: r.Stack, ScanID: r.ID, Status: r.Status, Superseded: r.Superseded, Repeated: r.Repeated,
		Counts: r.Counts, Open: map[drift.Origin]map[drift.Severity]int{}, OpenDrifts: list(r.OpenDrifts),
		OpenDriftsOmitted: r.omitted(drift.Outside) + r.omitted(drift.Pending),
		NewDrifts:         list(r.Drifts), NewDriftsOmitted: r.DriftsOmitted,
		FailOn: cmp.Or(string(r.Policy.FailOn), "none"), Origins: r.Policy.Origins, Failing: r.Failing(),
		Pipeline: r.Pipeline, CorrelationID: r.Correlation, TraceID: r.Trace, URL: r.URL,
	}
	if r.Repeated {
		d.NewDrifts, d.NewDriftsOmitted = list(nil), 0
	}
	if d.Pipeline == nil {
		d.Pipeline = map[string]string{}
	}
	for _, origin := range drift.Origins() {
		d.Open[origin] = map[drift.Severity]int{}
		for _, severity := range drift.Severities() {
			d.Open[origin][severity] = r.Open[origin][severity]
		}
	}
	return encode(w, d)
}

// list is a list even when there is nothing in it.
func list(drifts []client.Drift) []client.Drift { return append([]client.Drift{}, drifts...) }

func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
