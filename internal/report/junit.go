package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/driftsentry/driftsentry/internal/client"
	"github.com/driftsentry/driftsentry/internal/drift"
)

// The elements of JUnit's format that every reader of it knows.
type (
	junitSuites struct {
		XMLName  xml.Name   `xml:"testsuites"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Suite    junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
		Output     string          `xml:"system-out,omitempty"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name    string       `xml:"name,attr"`
		Class   string       `xml:"classname,attr"`
		Skipped *junitReason `xml:"skipped"`
		Error   *junitReason `xml:"error"`
		Failure *junitReason `xml:"failure"`
	}
	junitReason struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// junit makes a case of each open drift: failed if it counts, skipped if not.
// A stack without any has one case, which passes. A plan that does not tell
// everything is a case as well: silence must not look like good news.
func (r *Report) junit(w io.Writer) error {
	s := junitSuite{
		Name: r.Stack, Timestamp: r.At.UTC().Format("2006-01-02T15:04:05"),
		Properties: []junitProperty{{"correlation_id", r.Correlation}, {"trace_id", r.Trace}, {"scan", r.URL}},
	}
	for _, caveat := range r.caveats() {
		s.Output += caveat + "\n"
	}
	if c, unsure := r.junitPlan(); unsure {
		s.add(c)
	}
	for _, origin := range drift.Origins() {
		class := r.Stack + "." + string(origin)
		drifts := r.listed(origin)
		for i := range drifts {
			s.add(r.junitCase(class, &drifts[i]))
		}
		if n := r.omitted(origin); n > 0 {
			s.add(r.junitMore(class, origin, n))
		}
	}
	if len(s.Cases) == 0 {
		s.add(junitCase{Name: "no drift is open", Class: r.Stack})
	}
	all := junitSuites{Name: "driftsentry scan", Tests: s.Tests, Failures: s.Failures, Errors: s.Errors, Suite: s}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	if c.Error != nil {
		s.Errors++
	}
	if c.Failure != nil {
		s.Failures++
	}
	if c.Skipped != nil {
		s.Skipped++
	}
}

// junitPlan stands for the plan itself, when it does not tell everything.
func (r *Report) junitPlan() (c junitCase, unsure bool) {
	c = junitCase{Name: "the plan tells everything", Class: r.Stack}
	reason := func(why string) *junitReason {
		return &junitReason{Type: why, Message: r.headline(), Text: strings.Join(r.caveats(), "\n")}
	}
	switch {
	case r.Status == drift.Errored:
		c.Error = reason("errored")
	case r.Status == drift.Incomplete:
		c.Skipped = reason("incomplete")
	case r.Superseded:
		c.Skipped = reason("superseded")
	default:
		return c, false
	}
	return c, true
}

func (r *Report) junitCase(class string, d *client.Drift) junitCase {
	reason := &junitReason{
		Type: string(d.Severity), Message: d.SeverityReason,
		Text: fmt.Sprintf("%s: %s, %s, %s\n%s\n", d.Address, d.Action, d.Severity, r.state(d), d.SeverityReason),
	}
	c := junitCase{Name: d.Address, Class: class}
	if r.Policy.Fails(d.Origin, d.Severity) {
		c.Failure = reason
	} else {
		reason.Message = "does not count (fails on " + r.Policy.String() + "): " + d.SeverityReason
		c.Skipped = reason
	}
	return c
}

// junitMore stands for the drifts that were not listed. The listed ones are the
// worst, so it fails if more count than were listed.
func (r *Report) junitMore(class string, origin drift.Origin, n int) junitCase {
	counting := 0
	for severity, drifts := range r.Open[origin] {
		if r.Policy.Fails(origin, severity) {
			counting += drifts
		}
	}
	for _, d := range r.listed(origin) {
		if r.Policy.Fails(origin, d.Severity) {
			counting--
		}
	}
	c := junitCase{Name: fmt.Sprintf("and %d more", n), Class: class}
	reason := &junitReason{Type: "more", Message: fmt.Sprintf("%d more open drifts, %d of which count", n, max(0, counting)), Text: r.URL}
	if counting > 0 {
		c.Failure = reason
	} else {
		c.Skipped = reason
	}
	return c
}
