package main

import (
	"encoding/hex"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/driftsentry/driftsentry/internal/telemetry/otlptest"
)

// span is a span as a reader of traces sees it.
type span struct {
	name, trace, id, parent string
	kind                    tracepb.Span_SpanKind
	attributes              map[string]any
	links                   []string // the traces it links to
}

// received are all spans so far.
func received(collector *otlptest.Receiver) []span {
	spans := collector.Spans()
	all := make([]span, len(spans))
	for i, s := range spans {
		all[i] = span{
			name: s.GetName(), kind: s.GetKind(), trace: hex.EncodeToString(s.GetTraceId()), id: hex.EncodeToString(s.GetSpanId()),
			parent: hex.EncodeToString(s.GetParentSpanId()), attributes: otlptest.Attributes(s.GetAttributes()),
		}
		for _, link := range s.GetLinks() {
			all[i].links = append(all[i].links, hex.EncodeToString(link.GetTraceId()))
		}
	}
	return all
}
