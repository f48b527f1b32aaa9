package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"unicode"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// Answer is what the server made of an upload.
type Answer struct {
	ID            string                                  `json:"id"`
	Stack         string                                  `json:"stack"`
	Status        drift.Completeness                      `json:"status"`
	Superseded    bool                                    `json:"superseded"`
	Counts        Counts                                  `json:"counts"`
	ByOrigin      map[drift.Origin]Counts                 `json:"byOrigin"`
	Open          map[drift.Origin]map[drift.Severity]int `json:"open"`
	Drifts        []Drift                                 `json:"drifts"`
	DriftsOmitted int                                     `json:"driftsOmitted"`
	// OpenDrifts are the stack's open drifts that nobody has rejected, the worst
	// first; of many only the first hundred.
	OpenDrifts    []Drift `json:"openDrifts"`
	CorrelationID string  `json:"correlationId"`
	TraceID       string  `json:"traceId"`
	// URL is where people look at the scan.
	URL string `json:"url"`
	// Repeated says that the server had this very plan before, from somebody else:
	// the counts of what is new are those of then, and CorrelationID and TraceID are
	// those it was first taken under. A plan that we had to send again because its
	// answer was lost is not repeated.
	Repeated bool `json:"-"`
}

// Counts are what the scan found.
type Counts struct {
	Resources int `json:"resources"`
	Detected  int `json:"detected"`
	Known     int `json:"known"`
	Reopened  int `json:"reopened"`
	Resolved  int `json:"resolved"`
	Noise     int `json:"noise"`
}

// Drift is a drift as an answer tells of it.
type Drift struct {
	ID             string         `json:"id"`
	Address        string         `json:"address"`
	Type           string         `json:"type"`
	Origin         drift.Origin   `json:"origin"`
	Action         drift.Action   `json:"action"`
	Severity       drift.Severity `json:"severity"`
	SeverityReason string         `json:"severityReason"`
	Status         drift.Status   `json:"status"`
}

// APIError is the server's refusal, in its own words.
type APIError struct {
	Status        int    // of HTTP
	Code          string // such as VALIDATION_ERROR; empty if it was not our server that spoke
	Message       string
	CorrelationID string
	hint          string
}

func (e *APIError) Error() string {
	text := fmt.Sprintf("the server answered %d %s", e.Status, http.StatusText(e.Status))
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.hint != "" {
		text += " (" + e.hint + ")"
	}
	return text
}

// read makes an answer, or the error it means, of a response.
func (c *Client) read(resp *http.Response, text []byte, correlationID string) (*Answer, error) {
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated {
		return nil, c.refusal(resp, text)
	}
	var a Answer
	if media, isJSON := mediaOf(resp); json.Unmarshal(text, &a) != nil || !isJSON || a.ID == "" {
		return nil, fmt.Errorf("%s answered with something that is no receipt (%s); is DRIFTSENTRY_URL right?", c.URL, kindOf(media, text))
	}
	if a.Open == nil {
		return nil, errors.New("the server took the scan but does not say what is open: it is older than this driftsentry; update it")
	}
	a.Repeated = resp.StatusCode == http.StatusOK && a.CorrelationID != correlationID
	if a.URL == "" {
		a.URL = c.link(resp.Header.Get("Location"))
	}
	return &a, nil
}

func mediaOf(resp *http.Response) (media string, isJSON bool) {
	media, _, _ = mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return media, media == "application/json" || strings.HasSuffix(media, "+json")
}

// refusal is the error that a response means.
func (c *Client) refusal(resp *http.Response, text []byte) error {
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return &APIError{
			Status: resp.StatusCode, Message: "it redirects to " + Printable(resp.Header.Get("Location")),
			hint: "set DRIFTSENTRY_URL to where the server really is; a plan and its key are not sent on",
		}
	}
	e := &APIError{Status: resp.StatusCode}
	if _, isJSON := mediaOf(resp); isJSON {
		var problem struct {
			Detail, Code, CorrelationID string
			Errors                      []struct{ Field, Message string }
		}
		if json.Unmarshal(text, &problem) == nil {
			e.Code, e.CorrelationID, e.Message = Printable(problem.Code), Printable(problem.CorrelationID), Printable(problem.Detail)
			for i, f := range problem.Errors {
				if said := f.Field + " " + f.Message; i > 0 || !strings.Contains(problem.Detail, said) {
					e.Message += "; " + Printable(said)
				}
			}
		}
	}
	e.hint = c.hint(resp.StatusCode, e.Code)
	if again(resp.StatusCode) {
		return later(e, resp.Header.Get("Retry-After"))
	}
	return e
}

// hint says what to do about a refusal that the server can't know the reason of.
func (c *Client) hint(status int, code string) string {
	nowhere := status == http.StatusNotFound || status == http.StatusMethodNotAllowed
	switch {
	case status == http.StatusUnauthorized && c.Key.IsZero():
		return "set DRIFTSENTRY_API_KEY, or DRIFTSENTRY_API_KEY_FILE"
	case status == http.StatusUnauthorized:
		return "check DRIFTSENTRY_API_KEY"
	case nowhere && strings.HasSuffix(c.URL, "/api/v1"):
		return "leave /api/v1 away from the end of DRIFTSENTRY_URL"
	case code == "" && nowhere:
		return "there is no DriftSentry at DRIFTSENTRY_URL"
	case status == http.StatusProxyAuthRequired:
		return proxyHint
	}
	return ""
}

const proxyHint = "the proxy of HTTPS_PROXY or HTTP_PROXY wants a name and a password, as in http://NAME:PASSWORD@HOST:PORT"

// kindOf names what came instead of a receipt.
func kindOf(media string, text []byte) string {
	switch {
	case len(text) == 0:
		return "nothing"
	case media == "":
		return "no content type"
	}
	return Printable(media)
}

// Printable is text that somebody else wrote, safe to print: what would move a
// terminal's cursor, change its colours or hide what follows becomes visible.
func Printable(text string) string {
	safe := func(r rune) bool { return unicode.IsPrint(r) || r == ' ' }
	if strings.IndexFunc(text, func(r rune) bool { return !safe(r) }) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case safe(r):
			b.WriteRune(r)
		case r == '\n' || r == '\r' || r == '\t':
			b.WriteByte(' ')
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
