package telemetry

import (
	"net/http"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// labels is one combination of label values, ready to record with: building
// the set anew would cost four allocations each time.
type labels struct {
	add    []metric.AddOption
	record []metric.RecordOption
}

func newLabels(kvs ...attribute.KeyValue) *labels {
	set := metric.WithAttributeSet(attribute.NewSet(kvs...))
	return &labels{add: []metric.AddOption{set}, record: []metric.RecordOption{set}}
}

// maxCombinations is far above routes × methods × statuses. The keys come from
// closed lists; this only guards against a mistake about that.
const maxCombinations = 5000

func newLabelCache[K comparable](labelsOf func(K) *labels) *memo[K, *labels] {
	return newMemo(maxCombinations, labelsOf)
}

// responseKey are the labels of the series that count and time requests.
type responseKey struct {
	method string
	path   string
	status int
}

func responseLabels(k responseKey) *labels {
	return newLabels(attribute.String("method", k.method), attribute.String("path", k.path), attribute.Int("status", k.status))
}

// serverLabels are the same in the words of the semantic conventions. What they
// would take from the Host header is left out: 5,000 hosts made a scrape of 29 MB.
func serverLabels(k responseKey) *labels {
	kvs := []attribute.KeyValue{semconv.HTTPRequestMethodKey.String(k.method), semconv.HTTPResponseStatusCode(k.status)}
	if k.path != unmatchedRoute {
		kvs = append(kvs, semconv.HTTPRoute(k.path))
	}
	if k.status >= http.StatusInternalServerError {
		kvs = append(kvs, semconv.ErrorTypeKey.String(strconv.Itoa(k.status)))
	}
	return newLabels(kvs...)
}

// methodLabel is the method if HTTP knows it, else _OTHER: anybody can invent
// methods.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	default:
		return otherMethod
	}
}

// statusLabel keeps a handler's invented status from becoming a series.
func statusLabel(status int) int {
	if status < 100 || status > 599 {
		return 0
	}
	return status
}

// pair are two label values.
type pair [2]string

func pairLabels(first, second string) func(pair) *labels {
	return func(p pair) *labels { return newLabels(attribute.String(first, p[0]), attribute.String(second, p[1])) }
}

func singleLabel(name string) func(string) *labels {
	return func(v string) *labels { return newLabels(attribute.String(name, v)) }
}

// oneOf is value if it is on the list, else "other".
func oneOf(list map[string]bool, value string) string {
	if list[value] {
		return value
	}
	return otherValue
}

func setOf[S ~string](values ...S) map[string]bool {
	set := make(map[string]bool, len(values))
	for _, v := range values {
		set[string(v)] = true
	}
	return set
}
