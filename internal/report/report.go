// Package report tells what a scan found: a table for people, and JSON, SARIF,
// JUnit and Markdown for whatever reads them in a pipeline.
//
// It turns values into text. What is open was decided on the server; which of it
// fails a build is decided here, once, for the exit code and every output alike.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/driftsentry/driftsentry/internal/client"
	"github.com/driftsentry/driftsentry/internal/drift"
)

// Report is one scan and what it was scanned for.
type Report struct {
	*client.Answer
	Policy Policy
	// Correlation and Trace are those of the command, whatever an earlier upload
	// of the same plan was given.
	Correlation, Trace string
	// Pipeline is what is known of the CI run, by semantic-convention keys.
	Pipeline map[string]string
	// Dir is the root module's directory, relative to the repository's; empty if
	// nobody knows. A dot is the repository's own.
	Dir     string
	Version string // of driftsentry
	At      time.Time
}

// Policy says which open drifts fail a build.
type Policy struct {
	// FailOn is the least severity that counts; empty lets nothing count.
	FailOn  drift.Severity
	Origins []drift.Origin
}

// Fails reports whether an open drift counts.
func (p Policy) Fails(origin drift.Origin, severity drift.Severity) bool {
	if p.FailOn == "" || !slices.Contains(p.Origins, origin) {
		return false
	}
	order := drift.Severities() // the worst first
	at := slices.Index(order, severity)
	return at >= 0 && at <= slices.Index(order, p.FailOn)
}

// String reads as the end of "fails on".
func (p Policy) String() string {
	if p.FailOn == "" {
		return "nothing"
	}
	var origins []string
	for _, o := range p.Origins {
		origins = append(origins, string(o))
	}
	text := string(p.FailOn)
	if p.FailOn != drift.Critical {
		text += " or worse"
	}
	return text + ", " + strings.Join(origins, " and ")
}

// Failing is how many open drifts count.
func (r *Report) Failing() int {
	n := 0
	for origin, bySeverity := range r.Open {
		for severity, drifts := range bySeverity {
			if r.Policy.Fails(origin, severity) {
				n += drifts
			}
		}
	}
	return n
}

// open is how many drifts of an origin are open.
func (r *Report) open(origin drift.Origin) int {
	n := 0
	for _, drifts := range r.Open[origin] {
		n += drifts
	}
	return n
}

// omitted is how many open drifts of an origin the answer did not list.
func (r *Report) omitted(origin drift.Origin) int {
	return max(0, r.open(origin)-len(r.listed(origin)))
}

// listed are the open drifts of an origin that the answer lists, the worst first.
func (r *Report) listed(origin drift.Origin) []client.Drift {
	var all []client.Drift
	for _, d := range r.OpenDrifts {
		if d.Origin == origin {
			all = append(all, d)
		}
	}
	return all
}

// state is where a drift stands, for people: new ones are what they look for.
func (r *Report) state(d *client.Drift) string {
	if !r.Repeated && slices.ContainsFunc(r.Drifts, func(n client.Drift) bool { return n.ID == d.ID }) {
		return "new"
	}
	return string(d.Status)
}

// headline says the one thing that matters, of each origin that has news.
func (r *Report) headline() string {
	outside, pending := r.open(drift.Outside), r.open(drift.Pending)
	var parts []string
	if r.Status == drift.Errored {
		parts = append(parts, "it is not known whether anything has drifted")
	}
	switch {
	case outside > 0:
		parts = append(parts, plural(outside, "open drift")+" from outside")
	case r.Status == drift.Errored:
	case pending > 0:
		parts = append(parts, "no drift from outside is open")
	default:
		parts = append(parts, "no drift is open")
	}
	if pending > 0 {
		parts = append(parts, plural(pending, "pending change"))
	}
	if n := r.Counts.Resolved; n > 0 && !r.Repeated {
		parts = append(parts, fmt.Sprintf("%d resolved", n))
	}
	return strings.Join(parts, ", ")
}

// caveats are what a reader would otherwise take for granted, wrongly.
func (r *Report) caveats() []string {
	var all []string
	if r.Repeated {
		all = append(all, "The server had this very plan before; nothing was written again."+r.firstTaken())
	}
	if r.Superseded {
		all = append(all, "A newer plan of this stack had come first; this one changed nothing.")
	}
	switch r.Status {
	case drift.Incomplete:
		all = append(all, "The plan is incomplete: what it does not show may still be there.")
	case drift.Errored:
		all = append(all, "The plan has errors: what it does not show may still be there.")
	case drift.Complete:
	}
	return all
}

// firstTaken is where to look for what became of the plan when it came first.
func (r *Report) firstTaken() string {
	if r.CorrelationID == "" {
		return ""
	}
	text := " It was first taken under correlation id " + clean(r.CorrelationID)
	if r.TraceID != "" {
		text += ", trace " + clean(r.TraceID)
	}
	return text + "."
}

// found says what this scan saw.
func (r *Report) found() string {
	c := r.Counts
	return fmt.Sprintf("%s, %d new, %d known, %d reopened, %d resolved, %d noise",
		plural(c.Resources, "resource"), c.Detected, c.Known, c.Reopened, c.Resolved, c.Noise)
}

// severities says how many of an origin are open of each severity.
func (r *Report) severities(origin drift.Origin) string {
	var parts []string
	for _, severity := range drift.Severities() {
		if n := r.Open[origin][severity]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, severity))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// titles are how an origin is headed.
var titles = map[drift.Origin]string{
	drift.Outside: "Changed outside of the code",
	drift.Pending: "Asked for by the code, not applied yet",
}

// clean is text from outside on one line, safe for any terminal.
func clean(text string) string { return client.Printable(text) }

// Format is a way to write a report.
type Format string

// The formats.
const (
	FormatTable    Format = "table"
	FormatJSON     Format = "json"
	FormatSARIF    Format = "sarif"
	FormatJUnit    Format = "junit"
	FormatMarkdown Format = "markdown"
)

// Formats lists the formats.
func Formats() []Format {
	return []Format{FormatTable, FormatJSON, FormatSARIF, FormatJUnit, FormatMarkdown}
}

// Write writes r in a format. screen matters to the table alone.
func (r *Report) Write(w io.Writer, format Format, screen Screen) error {
	switch format {
	case FormatTable:
		return r.table(w, screen)
	case FormatJSON:
		return r.json(w)
	case FormatSARIF:
		return r.sarif(w)
	case FormatJUnit:
		return r.junit(w)
	case FormatMarkdown:
		return r.markdown(w)
	}
	return fmt.Errorf("no output is called %q", format)
}
