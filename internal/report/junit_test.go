package report_test

import (
	"encoding/xml"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/report"
)

// element is what JUnit's format allows of one element, as its strictest reader
// (the schema of Jenkins' xUnit plugin) has it.
type element struct {
	required, optional, children []string
	text                         bool
}

var junitFormat = map[string]element{
	"testsuites": {optional: []string{"name", "time", "tests", "failures", "errors"}, children: []string{"testsuite"}},
	"testsuite": {
		required: []string{"name", "tests", "failures", "errors"},
		optional: []string{"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
		children: []string{"testsuite", "properties", "testcase", "system-out", "system-err"},
	},
	"properties": {children: []string{"property"}},
	"property":   {required: []string{"name", "value"}},
	"testcase": {
		required: []string{"name"}, optional: []string{"time", "classname", "group"},
		children: []string{"skipped", "error", "failure", "system-out", "system-err"},
	},
	"failure":    {optional: []string{"type", "message"}, text: true},
	"error":      {optional: []string{"type", "message"}, text: true},
	"system-out": {text: true},
	"skipped":    {optional: []string{"type", "message"}, text: true},
}

// checkJUnit holds a document against the format.
func checkJUnit(document string) error {
	d := xml.NewDecoder(strings.NewReader(document))
	var path []string
	for {
		token, err := d.Token()
		if err != nil {
			if len(path) == 0 && d.InputOffset() == int64(len(document)) {
				return nil
			}
			return fmt.Errorf("in %v: %w", path, err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			known, ok := junitFormat[name]
			switch {
			case !ok:
				return fmt.Errorf("no element is called %s", name)
			case len(path) == 0 && name != "testsuites":
				return fmt.Errorf("the root is %s", name)
			case len(path) > 0 && !slices.Contains(junitFormat[path[len(path)-1]].children, name):
				return fmt.Errorf("%s inside of %v", name, path)
			}
			given := map[string]string{}
			for _, a := range token.Attr {
				given[a.Name.Local] = a.Value
				if !slices.Contains(known.required, a.Name.Local) && !slices.Contains(known.optional, a.Name.Local) {
					return fmt.Errorf("%s has no attribute %s", name, a.Name.Local)
				}
			}
			for _, must := range known.required {
				if _, ok := given[must]; !ok {
					return fmt.Errorf("%s lacks %s", name, must)
				}
			}
			for _, number := range []string{"tests", "failures", "errors", "skipped"} {
				if text, ok := given[number]; ok {
					if _, err := strconv.ParseUint(text, 10, 32); err != nil {
						return fmt.Errorf("%s of %s: %w", number, name, err)
					}
				}
			}
			path = append(path, name)
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if len(path) > 0 && !junitFormat[path[len(path)-1]].text && strings.TrimSpace(string(token)) != "" {
				return fmt.Errorf("text %q inside of %v", token, path)
			}
		}
	}
}

func TestJUnitFollowsItsFormat(t *testing.T) {
	t.Parallel()
	for name, r := range reports() {
		got := write(t, r, report.FormatJUnit, report.Screen{})
		if err := checkJUnit(got); err != nil {
			t.Errorf("%s: %v\n%.1500s", name, err, got)
		}
		var suites struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Errors   int `xml:"errors,attr"`
			Suite    struct {
				Tests    int    `xml:"tests,attr"`
				Failures int    `xml:"failures,attr"`
				Errors   int    `xml:"errors,attr"`
				Skipped  int    `xml:"skipped,attr"`
				Output   string `xml:"system-out"`
				Cases    []struct {
					Error   *string `xml:"error"`
					Failure *string `xml:"failure"`
					Skipped *string `xml:"skipped"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		if err := xml.Unmarshal([]byte(got), &suites); err != nil {
			t.Fatal(err)
		}
		failed, skipped, errored := 0, 0, 0
		for _, c := range suites.Suite.Cases {
			if c.Error != nil {
				errored++
			}
			if c.Failure != nil {
				failed++
			}
			if c.Skipped != nil {
				skipped++
			}
		}
		if s := suites.Suite; s.Tests != len(s.Cases) || s.Failures != failed || s.Skipped != skipped || suites.Tests != s.Tests || suites.Failures != failed || s.Tests == 0 {
			t.Errorf("%s counts %+v, want %d cases, %d failed, %d skipped", name, suites, len(s.Cases), failed, skipped)
		}
		if s := suites.Suite; s.Errors != errored || suites.Errors != errored || (errored > 0) != (r.Status == drift.Errored) {
			t.Errorf("%s has %d cases with an error and counts %d and %d of them, of a plan that is %s", name, errored, suites.Errors, s.Errors, r.Status)
		}
		if unsure := r.Status == drift.Incomplete || r.Superseded; unsure && skipped == 0 {
			t.Errorf("%s has no case that is skipped, although its plan does not tell everything", name)
		}
		if told := strings.Contains(suites.Suite.Output, "still be there"); told != (r.Status != drift.Complete) {
			t.Errorf("%s puts out %q, of a plan that is %s", name, suites.Suite.Output, r.Status)
		}
		if (failed > 0) != (r.Failing() > 0) {
			t.Errorf("%s has %d failed cases, while %d drifts count", name, failed, r.Failing())
		}
	}
}

// TestTheCheckOfJUnitIsOne: what is wrong in a good document is found.
func TestTheCheckOfJUnitIsOne(t *testing.T) {
	t.Parallel()
	good := write(t, reports()["mixed"], report.FormatJUnit, report.Screen{})
	for _, wrong := range []struct{ pattern, instead string }{
		{`<testcase name=`, `<testcase nome=`},
		{`<failure `, `<fault `},
		{`tests="4"`, `tests="four"`},
		{`</testsuites>`, ``},
		{`<testcase `, `text<testcase `},
	} {
		broken := regexp.MustCompile(regexp.QuoteMeta(wrong.pattern)).ReplaceAllString(good, wrong.instead)
		if broken == good || checkJUnit(broken) == nil {
			t.Errorf("with %q for %q the check finds nothing", wrong.instead, wrong.pattern)
		}
	}
}
