package ingest

import (
	stdjson "encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/redact"
)

// maxCI is the longest text about a CI run that is taken, in bytes.
const maxCI = 4 << 10

// ciKeys are the facts about a CI run that are kept, in the names of
// OpenTelemetry's conventions. Those whose values become links say so.
var ciKeys = []struct {
	name    string
	schemes []string
}{
	{"cicd.pipeline.name", nil},
	{"cicd.pipeline.run.id", nil},
	{"cicd.pipeline.run.url.full", []string{"https", "http"}},
	{"cicd.pipeline.task.name", nil},
	{"cicd.system.name", nil},
	{"vcs.repository.url.full", []string{"https", "http", "ssh", "git"}},
	{"vcs.repository.name", nil},
	{"vcs.ref.head.name", nil},
	{"vcs.ref.head.revision", nil},
	{"vcs.change.id", nil},
	{"vcs.change.title", nil},
}

// CIKeys lists the names of the facts about a CI run that ParseCI takes.
func CIKeys() []string {
	names := make([]string, len(ciKeys))
	for i, key := range ciKeys {
		names[i] = key.name
	}
	return names
}

// ParseCI checks what an upload says of the CI run that it comes from: a JSON
// object of texts under known names. What it returns is fit to be kept and
// shown: without what looks like a credential. field is how the client calls
// the whole.
func ParseCI(text, field string) (stdjson.RawMessage, error) {
	if len(text) > maxCI {
		return nil, fault.BadField(field, fmt.Sprintf("must be at most %d bytes long", maxCI))
	}
	var given map[string]string
	if err := json.Unmarshal([]byte(text), &given); err != nil || given == nil {
		problem := "must be a JSON object whose values are strings"
		if errors.Is(err, jsontext.ErrDuplicateName) {
			problem = "gives a name twice"
		}
		return nil, fault.BadField(field, problem)
	}
	var wrong []fault.Field
	known := 0
	for _, key := range ciKeys {
		value, said := given[key.name]
		if !said {
			continue
		}
		known++
		if strings.ContainsFunc(value, unicode.IsControl) {
			wrong = append(wrong, fault.Field{Field: key.name, Message: "must not hold control characters"})
		}
		if !hasScheme(value, key.schemes) {
			wrong = append(wrong, fault.Field{Field: key.name, Message: "must be a URL that begins with " + key.schemes[0] + "://"})
		}
		given[key.name] = redact.Text(value)
	}
	if known < len(given) {
		wrong = append(wrong, fault.Field{Field: field, Message: "has a name that is not known; it takes " + strings.Join(CIKeys(), ", ")})
	}
	if len(wrong) > 0 {
		return nil, fault.BadFields(wrong...)
	}
	kept, err := json.Marshal(given, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("encode what is known of a CI run: %w", err)
	}
	return kept, nil
}

// hasScheme reports whether value may become a link; any text may that is none.
func hasScheme(value string, schemes []string) bool {
	if schemes == nil {
		return true
	}
	link, err := url.Parse(value)
	return err == nil && link.Host != "" && slices.Contains(schemes, link.Scheme)
}
