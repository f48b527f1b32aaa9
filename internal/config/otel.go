package config

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

// otel checks OpenTelemetry's standard variables. Nothing of them is in [Config]:
// the SDK and its exporters read them straight from the process environment. They
// answer a mistake there with a line in the log and a default; here it is refused
// before anything starts.
func (r *reader) otel() {
	values := make(map[string]string)
	for _, variable := range otelVariables() {
		// Not trimmed: what the SDK will read is what has to pass.
		text, source := r.lookup(variable.name), SourceEnvironment
		if text == "" {
			text, source = variable.fallback, SourceDefault
		}
		if text == "" {
			continue // some seventy variables that nobody set are no news
		}
		values[variable.name] = parsed(r, variable.name, text, variable.kind)
		r.record(variable.name, pick(variable.secret, mask, text), source)
	}
	r.otelPairs(values)
}

// otelPairs finds variables that the SDK ignores without the other of the pair.
func (r *reader) otelPairs(values map[string]string) {
	const sampler, arg = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
	if values[arg] != "" && !strings.HasSuffix(values[sampler], "traceidratio") && !r.wrong(sampler) {
		r.problem(arg, "has no effect", sampler+" to be traceidratio or parentbased_traceidratio beside it")
	}
	// Prometheus reads /metrics already; who pushes as well has to say so.
	const metrics, push = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_METRICS_EXPORTER"
	if values[metrics] != "" && values[push] != "otlp" && !r.wrong(push) {
		r.problem(metrics, "has no effect", push+" to be otlp beside it")
	}
	for _, prefix := range otlpPrefixes {
		certificate, key := prefix+"CLIENT_CERTIFICATE", prefix+"CLIENT_KEY"
		for _, pair := range [][2]string{{certificate, key}, {key, certificate}} {
			if values[pair[0]] != "" && values[pair[1]] == "" && !r.wrong(pair[1]) {
				r.problem(pair[1], "is not set", "a file, because "+pair[0]+" is set")
			}
		}
	}
}

type otelVariable struct {
	name     string
	kind     kind[string]
	fallback string // only where telemetry sets one of ours in the SDK's place
	secret   bool
}

// otlpPrefixes: what is set for one signal wins over what is set for all.
var otlpPrefixes = []string{
	"OTEL_EXPORTER_OTLP_", "OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_METRICS_", "OTEL_EXPORTER_OTLP_LOGS_",
}

// otelVariables lists every variable of the OpenTelemetry specification that is
// honoured. Experimental switches of the Go SDK (OTEL_GO_X_…) and of autoexport
// (OTEL_METRICS_PRODUCERS) are no part of our contract, save the one we rely on.
func otelVariables() []otelVariable {
	exporters := exactly("otlp", "console", "none")
	variables := []otelVariable{
		{name: "OTEL_SDK_DISABLED", kind: trueOrFalse},
		{name: "OTEL_SERVICE_NAME", kind: anyText},
		{name: "OTEL_RESOURCE_ATTRIBUTES", kind: attributes},
		{name: "OTEL_TRACES_SAMPLER", kind: oneOf("always_on", "always_off", "traceidratio",
			"parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio")},
		{name: "OTEL_TRACES_SAMPLER_ARG", kind: ratio},
		{name: "OTEL_TRACES_EXPORTER", kind: exporters},
		{name: "OTEL_METRICS_EXPORTER", kind: exactly("otlp", "console", "prometheus", "none")},
		{name: "OTEL_LOGS_EXPORTER", kind: exporters},
	}
	for _, prefix := range otlpPrefixes {
		// Ten seconds for one attempt, as the specification has it, is longer
		// than the whole flush at shutdown may take.
		timeout := pick(prefix == "OTEL_EXPORTER_OTLP_", "3000", "")
		variables = append(variables,
			otelVariable{name: prefix + "ENDPOINT", kind: endpoint},
			otelVariable{name: prefix + "PROTOCOL", kind: exactly("http/protobuf", "grpc")},
			otelVariable{name: prefix + "HEADERS", kind: headers, secret: true},
			otelVariable{name: prefix + "TIMEOUT", kind: positive, fallback: timeout},
			otelVariable{name: prefix + "COMPRESSION", kind: exactly("gzip", "none")},
			otelVariable{name: prefix + "INSECURE", kind: trueOrFalse},
			otelVariable{name: prefix + "CERTIFICATE", kind: readableFile},
			otelVariable{name: prefix + "CLIENT_CERTIFICATE", kind: readableFile},
			otelVariable{name: prefix + "CLIENT_KEY", kind: readableFile},
		)
	}
	return append(variables,
		otelVariable{name: "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", kind: oneOf("cumulative", "delta", "lowmemory")},
		otelVariable{
			name: "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
			kind: oneOf("explicit_bucket_histogram", "base2_exponential_bucket_histogram"),
		},
		otelVariable{name: "OTEL_METRIC_EXPORT_INTERVAL", kind: positive},
		otelVariable{name: "OTEL_METRIC_EXPORT_TIMEOUT", kind: positive},
		otelVariable{name: "OTEL_METRICS_EXEMPLAR_FILTER", kind: oneOf("trace_based", "always_on", "always_off")},

		// Thirty seconds for one batch would be the whole of SHUTDOWN_TIMEOUT.
		otelVariable{name: "OTEL_BSP_EXPORT_TIMEOUT", kind: positive, fallback: "5000"},
		otelVariable{name: "OTEL_BSP_SCHEDULE_DELAY", kind: positive},
		otelVariable{name: "OTEL_BSP_MAX_QUEUE_SIZE", kind: positive},
		otelVariable{name: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", kind: positive},
		otelVariable{name: "OTEL_BLRP_EXPORT_TIMEOUT", kind: positive, fallback: "5000"},
		otelVariable{name: "OTEL_BLRP_SCHEDULE_DELAY", kind: positive},
		otelVariable{name: "OTEL_BLRP_MAX_QUEUE_SIZE", kind: positive},
		otelVariable{name: "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", kind: positive},

		otelVariable{name: "OTEL_ATTRIBUTE_COUNT_LIMIT", kind: limit},
		otelVariable{name: "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", kind: limit},
		otelVariable{name: "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", kind: limit},
		otelVariable{name: "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", kind: limit, fallback: "4096"},
		otelVariable{name: "OTEL_SPAN_EVENT_COUNT_LIMIT", kind: limit},
		otelVariable{name: "OTEL_SPAN_LINK_COUNT_LIMIT", kind: limit},
		otelVariable{name: "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", kind: limit},
		otelVariable{name: "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", kind: limit},
		otelVariable{name: "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", kind: limit},
		otelVariable{name: "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", kind: limit},

		otelVariable{name: "OTEL_GO_X_OBSERVABILITY", kind: trueOrFalse, fallback: "true"},
	)
}

// The kinds below keep the text: the SDK parses it again.

var anyText = kind[string]{
	expected: "a text",
	parse:    func(text string) (string, error) { return text, nil },
}

// exactly is oneOf for what the SDK compares letter by letter.
func exactly(values ...string) kind[string] {
	k := oneOf(values...)
	k.parse = func(text string) (string, error) {
		if !slices.Contains(values, text) {
			return "", is(text)
		}
		return text, nil
	}
	return k
}

// trueOrFalse takes no 1 and no 0: the specification has only these two words.
var trueOrFalse = oneOf("true", "false")

// positive is a count, or a time in milliseconds.
var positive = whole(1)

// limit is a count that may be unlimited, which is -1.
var limit = whole(-1)

func whole(lowest int64) kind[string] {
	return kind[string]{
		expected: fmt.Sprintf("a whole number from %d to %d", lowest, math.MaxInt32),
		parse: func(text string) (string, error) {
			n, err := strconv.ParseInt(text, 10, 32)
			if err != nil || n < lowest {
				return "", is(text)
			}
			return text, nil
		},
	}
}

var ratio = kind[string]{
	expected: "the part of the traces to keep, from 0 to 1, such as 0.1",
	parse: func(text string) (string, error) {
		// Written this way round so that NaN does not pass.
		if share, err := strconv.ParseFloat(text, 64); err != nil || !(share >= 0 && share <= 1) {
			return "", is(text)
		}
		return text, nil
	},
}

// endpoint: without a scheme, the HTTP exporter takes "localhost" of
// localhost:4318 for one and sends to nowhere.
var endpoint = kind[string]{
	expected: "an http:// or https:// URL without query or fragment, such as http://localhost:4318",
	parse: func(text string) (string, error) {
		if _, err := baseURL.parse(text); err != nil {
			return "", err
		}
		return text, nil
	},
}

var attributes = kind[string]{
	expected: "key=value pairs separated by commas, percent-encoded, such as team=platform,service.version=1.2",
	parse: func(text string) (string, error) {
		for i, item := range strings.Split(text, ",") {
			key, value, found := strings.Cut(item, "=")
			if !found || strings.TrimSpace(key) == "" {
				return "", fmt.Errorf("is no key=value in its part %d", i+1)
			}
			if _, err := url.PathUnescape(value); err != nil {
				return "", fmt.Errorf("has a stray %% in its part %d", i+1)
			}
		}
		return text, nil
	},
}

// headers has the form of attributes but other words, and carries credentials:
// no part of it is ever quoted.
var headers = kind[string]{
	expected: "HTTP headers as key=value pairs separated by commas, percent-encoded",
	parse:    attributes.parse,
}

var readableFile = kind[string]{
	expected: "the path of a readable PEM file",
	parse: func(path string) (string, error) {
		file, err := os.Open(path) //nolint:gosec // G304: naming the file is what the variable is for.
		if err != nil {
			return "", fmt.Errorf("cannot be read (%w)", err)
		}
		info, err := file.Stat()
		if err = errors.Join(err, file.Close()); err != nil {
			return "", fmt.Errorf("cannot be read (%w)", err)
		}
		if !info.Mode().IsRegular() {
			return "", fmt.Errorf("names %s, which is no file", path)
		}
		return path, nil
	},
}
