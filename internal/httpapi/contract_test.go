package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	failures "github.com/pb33f/libopenapi-validator/errors"
	"github.com/pb33f/libopenapi-validator/schema_validation"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"github.com/driftsentry/driftsentry/internal/auth"
)

// contract is the document as a program reads it.
var contract = sync.OnceValues(func() (*agreement, error) {
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	doc, err := libopenapi.NewDocument(text)
	if err != nil {
		return nil, err
	}
	model, err := doc.BuildV3Model()
	if err != nil {
		return nil, err
	}
	// Any JSON may stand in these places.
	anything := []string{"$.body.**.before", "$.body.**.after", "$.body.**.before.**", "$.body.**.after.**", "$.body.**.detail.**"}
	v, errs := validator.NewValidator(doc, config.WithStrictMode(), config.WithFormatAssertions(),
		config.WithStrictIgnorePaths(anything...), // Security schemes speak for the credential's header.
		config.WithStrictIgnoredHeadersExtra("X-API-Key", "Connection", "X-Content-Type-Options", "Vary"))
	plans, more := validator.NewValidator(doc, config.WithFormatAssertions())
	if errs = append(errs, more...); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &agreement{Validator: v, plans: plans, model: &model.Model}, nil
})

type agreement struct {
	validator.Validator // strict: what is not documented is wrong
	// plans is for requests with a plan: what is in one is not ours to document.
	plans validator.Validator
	model *v3.Document
}

// checkContract fails the test when an answer is not as the document says: its
// status, its body, its headers; and when a request was taken that it does not
// allow. What no route takes is none of the document's business.
func checkContract(t testing.TB, r *http.Request, sent []byte, w *httptest.ResponseRecorder) {
	t.Helper()
	if r.Pattern == "" || !strings.Contains(r.Pattern, " ") || w.Code == 499 {
		return // not found, another method, or nobody is there to hear it
	}
	c, err := contract()
	if err != nil {
		t.Error(err)
		return
	}
	for _, breach := range c.breaches(r, sent, w) {
		t.Errorf("%s %s = %d %v %s\nis not as openapi.yaml has it: %s", r.Method, r.URL, w.Code, w.Header(), w.Body, breach)
	}
}

// breaches tells in what an exchange is not as the document has it.
func (c *agreement) breaches(r *http.Request, sent []byte, w *httptest.ResponseRecorder) []string {
	var found []string
	note := func(about string, ok bool, errs []*failures.ValidationError) {
		for _, e := range errs {
			found = append(found, fmt.Sprintf("the %s: %s: %s %v", about, e.Message, e.Reason, e.SchemaValidationErrors))
		}
		if !ok && len(errs) == 0 {
			found = append(found, "the "+about)
		}
	}
	asked := asDocumented(r, sent)
	if w.Code < 400 {
		requests := c.Validator
		if r.Pattern == "POST /api/v1/scans" && !r.URL.Query().Has("status") {
			requests = c.plans
		}
		ok, errs := requests.ValidateHttpRequestSync(asked)
		note("request, which was taken", ok, errs)
	}
	asked.Method, _, _ = strings.Cut(r.Pattern, " ") // HEAD is answered as GET is
	response := w.Result()
	defer response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(w.Body.Bytes()))
	ok, errs := c.ValidateHttpResponse(asked, response)
	note("answer", ok, errs)
	return found
}

// asDocumented is a request as the document can express it: with its body plain,
// and with the slashes of a stack's name escaped.
func asDocumented(r *http.Request, sent []byte) *http.Request {
	asked := r.Clone(r.Context())
	if r.Header.Get("Content-Encoding") == "gzip" {
		if z, err := gzip.NewReader(bytes.NewReader(sent)); err == nil {
			if plain, err := io.ReadAll(z); err == nil {
				sent = plain
			}
		}
	}
	asked.Body = http.NoBody
	if len(sent) > 0 {
		asked.Body = io.NopCloser(bytes.NewReader(sent))
	}
	const stacks = "/api/v1/stacks/"
	if name, ok := strings.CutPrefix(asked.URL.EscapedPath(), stacks); ok {
		asked.URL.RawPath = stacks + strings.ReplaceAll(name, "/", "%2F")
	}
	return asked
}

// TestBreachesOfTheContractAreFound: a helper that finds nothing would let
// every other test pass.
func TestBreachesOfTheContractAreFound(t *testing.T) {
	t.Parallel()
	c, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	const live = `{"status":"alive","timestamp":"2026-01-02T03:04:05.678Z"}`
	tests := []struct {
		name, target string
		status       int
		body, header string
		found        string // part of the breach; empty for none
	}{
		{"as documented", "/health/live", 200, live, "", ""},
		{"another status", "/health/live", 418, live, "", "418"},
		{"another type", "/health/live", 200, `{"status":1,"timestamp":"2026-01-02T03:04:05.678Z"}`, "", "status"},
		{"a field missing", "/health/live", 200, `{"status":"alive"}`, "", "timestamp"},
		{"no time", "/health/live", 200, `{"status":"alive","timestamp":"now"}`, "", "date-time"},
		{"a field too many", "/health/live", 200, live[:len(live)-1] + `,"mood":"good"}`, "", "mood"},
		{"another header", "/health/live", 200, live, "X-Mood", "X-Mood"},
		{"a parameter nobody knows", "/health/live?mood=1", 200, live, "", "mood"},
	}
	for _, tt := range tests {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, tt.target, http.NoBody)
		r.Pattern = "GET /health/live"
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", "application/json")
		if tt.header != "" {
			w.Header().Set(tt.header, "good")
		}
		w.WriteHeader(tt.status)
		w.Body.WriteString(tt.body)
		found := strings.Join(c.breaches(r, nil, w), "; ")
		if tt.found == "" && found != "" || !strings.Contains(found, tt.found) {
			t.Errorf("%s: breaches %q, want %q", tt.name, found, tt.found)
		}
	}
}

// TestTheDocumentIsWellFormed holds the document against the schema of OpenAPI
// itself, and its examples against its own schemas.
func TestTheDocumentIsWellFormed(t *testing.T) {
	t.Parallel()
	c, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	if ok, errs := c.ValidateDocument(); !ok {
		for _, e := range errs {
			t.Errorf("%s: %s %v", e.Message, e.Reason, e.SchemaValidationErrors)
		}
	}
	schemas := schema_validation.NewSchemaValidator(config.WithStrictMode(), config.WithFormatAssertions())
	checked := 0
	check := func(where string, media *v3.MediaType) {
		for name, example := range media.Examples.FromOldest() {
			var value any
			if err := example.Value.Decode(&value); err != nil {
				t.Errorf("%s: example %s: %v", where, name, err)
				continue
			}
			checked++
			if ok, errs := schemas.ValidateSchemaObject(media.Schema.Schema(), value); !ok {
				for _, e := range errs {
					t.Errorf("%s: example %s: %s %v", where, name, e.Reason, e.SchemaValidationErrors)
				}
			}
		}
	}
	for path, item := range c.model.Paths.PathItems.FromOldest() {
		for method, operation := range item.GetOperations().FromOldest() {
			where := method + " " + path
			if operation.RequestBody != nil {
				for _, media := range operation.RequestBody.Content.FromOldest() {
					check(where, media)
				}
			}
			for status, response := range operation.Responses.Codes.FromOldest() {
				for _, media := range response.Content.FromOldest() {
					check(where+" "+status, media)
				}
			}
		}
	}
	if checked < 40 {
		t.Errorf("%d examples were checked, want some forty", checked)
	}
}

// TestTheDocumentAndTheRoutesAgree: no route is undocumented, and nothing is
// promised that is not there.
func TestTheDocumentAndTheRoutesAgree(t *testing.T) {
	t.Parallel()
	c, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]*v3.Operation{}
	for path, item := range c.model.Paths.PathItems.FromOldest() {
		for method, operation := range item.GetOperations().FromOldest() {
			documented[strings.ToUpper(method)+" "+path] = operation
		}
	}
	for _, route := range newServer(t, refused(t)).Routes() {
		pattern := strings.ReplaceAll(route.Pattern(), "...}", "}")
		operation := documented[pattern]
		if operation == nil {
			t.Errorf("%s is not in openapi.yaml", pattern)
			continue
		}
		delete(documented, pattern)
		if operation.Summary == "" || operation.Description == "" || len(operation.Tags) != 1 || operation.OperationId == "" {
			t.Errorf("%s lacks a summary, a description, a tag or an operationId", pattern)
		}
		open := operation.Security != nil && len(operation.Security) == 0
		if public := route.Needs == auth.Public; public != open {
			t.Errorf("%s: public is %v in the code, and %v in openapi.yaml", pattern, public, open)
		}
	}
	for pattern := range documented {
		t.Errorf("%s is in openapi.yaml and not among the routes", pattern)
	}
}
