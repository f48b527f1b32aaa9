//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"testing"
)

// jaeger is the real one.
type jaeger struct{ otlp, query, grpc, metrics string }

// trace is a trace as Jaeger's API shows it.
type trace struct {
	TraceID   string
	Spans     []span
	Processes map[string]struct {
		ServiceName string
		Tags        []tag
	}
}

type span struct {
	TraceID, SpanID, OperationName, ProcessID string
	StartTime, Duration                       int64 // microseconds
	References                                []struct{ RefType, SpanID string }
	Tags                                      []tag
	Warnings                                  []string `json:",omitempty"`
}

type tag struct {
	Key   string
	Value any
}

// tag is the value of a span's tag as text, empty if there is none.
func (s span) tag(key string) string {
	for _, t := range s.Tags {
		if t.Key == key {
			return fmt.Sprint(t.Value)
		}
	}
	return ""
}

// named are the spans with this name.
func (t trace) named(name string) []span {
	return slices.DeleteFunc(slices.Clone(t.Spans), func(s span) bool { return s.OperationName != name })
}

// search is what a person gets who looks for a service and one tag.
func (j *jaeger) search(t *testing.T, service, key, value string) []trace {
	t.Helper()
	tags, err := json.Marshal(map[string]string{key: value})
	if err != nil {
		t.Fatal(err)
	}
	return j.ask(t, "/api/traces?"+url.Values{"service": {service}, "tags": {string(tags)}, "limit": {"20"}}.Encode())
}

// of are the last n traces of a service.
func (j *jaeger) of(t *testing.T, service string, n int) []trace {
	t.Helper()
	return j.ask(t, "/api/traces?"+url.Values{"service": {service}, "limit": {strconv.Itoa(n)}}.Encode())
}

// has reports whether Jaeger knows the trace.
func (j *jaeger) has(t *testing.T, id string) bool {
	t.Helper()
	body, err := fetch(t, j.query+"/api/traces/"+id)
	return err == nil && len(decode[struct{ Data []trace }](t, body).Data) == 1
}

func (j *jaeger) ask(t *testing.T, question string) []trace {
	t.Helper()
	body, err := fetch(t, j.query+question)
	if err != nil {
		t.Fatal(err)
	}
	return decode[struct{ Data []trace }](t, body).Data
}

// raw is a trace as it came, for looking for what must not be in it.
func (j *jaeger) raw(t *testing.T, service string) []byte {
	t.Helper()
	body, err := fetch(t, j.query+"/api/traces?"+url.Values{"service": {service}, "limit": {"2000"}}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func decode[T any](t *testing.T, body []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v in %.500s", err, body)
	}
	return v
}
