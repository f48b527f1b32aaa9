package telemetry

import sdkmetric "go.opentelemetry.io/otel/sdk/metric"

// ownViews are for the SDK's metrics about itself. Its duration histograms
// come with buckets made for milliseconds. The counts of spans begun and alive
// are dropped: they cost a tenth of a span, and nobody's alert needs them.
func ownViews() []sdkmetric.View {
	seconds := sdkmetric.AggregationExplicitBucketHistogram{Boundaries: []float64{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10}}
	return []sdkmetric.View{
		sdkmetric.NewView(sdkmetric.Instrument{Name: "otel.sdk.*.duration"}, sdkmetric.Stream{Aggregation: seconds}),
		sdkmetric.NewView(sdkmetric.Instrument{Name: "otel.sdk.span.started"}, sdkmetric.Stream{Aggregation: sdkmetric.AggregationDrop{}}),
		sdkmetric.NewView(sdkmetric.Instrument{Name: "otel.sdk.span.live"}, sdkmetric.Stream{Aggregation: sdkmetric.AggregationDrop{}}),
	}
}
