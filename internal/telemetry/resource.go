package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

var goVersion = runtime.Version()

// newResource says who is speaking. What the environment says wins. Neither
// the command line nor the owner is in it: the first may hold a secret, the
// second fails for a uid without a passwd entry, as in our image.
func newResource(ctx context.Context, o Options) (*resource.Resource, error) {
	attributes := []attribute.KeyValue{
		semconv.ServiceName(o.Service),
		semconv.DeploymentEnvironmentNameKey.String(o.Env),
	}
	if o.Version != "" {
		attributes = append(attributes, semconv.ServiceVersion(o.Version))
	}
	if o.Commit != "" {
		attributes = append(attributes, semconv.VCSRefHeadRevision(o.Commit))
	}
	r, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithHost(),
		resource.WithContainer(),
		resource.WithService(), // service.instance.id
		resource.WithProcessPID(),
		resource.WithProcessExecutableName(),
		resource.WithProcessRuntimeName(),
		resource.WithProcessRuntimeVersion(),
		resource.WithAttributes(attributes...),
		resource.WithFromEnv(),
	)
	// A container without /proc/self/cgroup still has everything else.
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("describe this process: %w", err)
	}
	return r, nil
}

// environmentDefaults are ours where the SDK's would hold an export up for
// half a minute, and the switch for its own metrics. What is set stays.
var environmentDefaults = map[string]string{
	"OTEL_EXPORTER_OTLP_TIMEOUT": "3000",
	"OTEL_BSP_EXPORT_TIMEOUT":    "5000",
	"OTEL_BLRP_EXPORT_TIMEOUT":   "5000",
	"OTEL_GO_X_OBSERVABILITY":    "true",
	// A user agent may be 64 KB long; a span must not.
	"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "4096",
}

// environment reads a variable that config can't hand over: the SDK reads its
// own from the process, and what is decided here must agree with it.
func environment(name string) string {
	return os.Getenv(name) //nolint:forbidigo // see above
}

// setEnvironmentDefaults is done in the environment because the exporters take
// these from nowhere else once autoexport makes them.
func setEnvironmentDefaults() error {
	for name, value := range environmentDefaults {
		if environment(name) == "" {
			if err := os.Setenv(name, value); err != nil {
				return fmt.Errorf("default for %s: %w", name, err)
			}
		}
	}
	return nil
}

// exporterSecrets are the credentials for the collector, which stand in the
// environment as name=value lists and could come back in an error about it.
func exporterSecrets() []string {
	var secrets []string
	for _, signal := range []string{"", "TRACES_", "LOGS_", "METRICS_"} {
		for item := range strings.SplitSeq(environment("OTEL_EXPORTER_OTLP_"+signal+"HEADERS"), ",") {
			_, value, _ := strings.Cut(item, "=")
			if plain, err := url.PathUnescape(value); err == nil {
				value = plain
			}
			value = strings.TrimSpace(value)
			secrets = append(secrets, value)
			if _, credential, ok := strings.Cut(value, " "); ok { // Bearer, Basic
				secrets = append(secrets, credential)
			}
		}
	}
	return secrets
}
