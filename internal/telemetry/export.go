package telemetry

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	sdklog "go.opentelemetry.io/otel/sdk/log"
)

// Exports is how sending telemetry away goes, for /health/detailed.
type Exports struct {
	Traces Export `json:"traces"`
	Logs   Export `json:"logs"`
}

// Export is how sending one signal away goes. Counts are of spans or log
// records since the start. Dropped ones never left because the queue was full;
// Queued ones wait, and are lost if the process ends now. Why an export failed
// is in the log: the endpoint that shows this is public.
type Export struct {
	Enabled     bool       `json:"enabled"`
	LastSuccess *time.Time `json:"lastSuccess"`
	Exported    uint64     `json:"exported"`
	Failed      uint64     `json:"failed"`
	Dropped     uint64     `json:"dropped"`
	Queued      uint64     `json:"queued"`
}

// Exports tells how sending telemetry away goes. It asks nobody and is cheap
// enough for a probe.
func (t *Telemetry) Exports() Exports { return t.providers.exports() }

func (p *providers) exports() Exports {
	if final := p.final.Load(); final != nil {
		return *final
	}
	e := Exports{Traces: p.spanExports.read(), Logs: p.logExports.read()}
	for _, one := range []struct {
		export *Export
		counts *exportCounts
		metric string
	}{
		{&e.Traces, p.spanExports, "otel_sdk_processor_span_processed_total"},
		{&e.Logs, p.logExports, "otel_sdk_processor_log_processed_total"},
	} {
		if !one.export.Enabled {
			continue
		}
		one.export.Dropped = dropped(p.ownRegistry, one.metric)
		// Read last, so that what is made meanwhile counts as queued.
		one.export.Queued = max(one.counts.made.Load(), one.export.gone()) - one.export.gone()
	}
	return e
}

// gone counts what waits no more.
func (e *Export) gone() uint64 { return e.Exported + e.Failed + e.Dropped }

// dropped reads what the SDK counted as lost to a full queue. It keeps this
// number nowhere else.
func dropped(own prometheus.Gatherer, name string) uint64 {
	var sum float64
	families, err := own.Gather()
	if err != nil && len(families) == 0 { // what could be gathered comes beside the error
		return 0
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if label.GetName() == "error_type" && label.GetValue() == "queue_full" {
					sum += m.GetCounter().GetValue()
				}
			}
		}
	}
	return uint64(sum)
}

// exportCounts are kept by the exporters' wrappers.
type exportCounts struct {
	enabled   bool
	overflow  func() // asked to look after each success; nil if nobody cares
	made      atomic.Uint64
	exported  atomic.Uint64
	failed    atomic.Uint64
	successAt atomic.Int64 // Unix nanoseconds, 0 for never
}

// done notes the end of one export of n spans or records.
func (c *exportCounts) done(n int, err error) {
	if err != nil {
		c.failed.Add(uint64(n))
		return
	}
	c.exported.Add(uint64(n))
	c.successAt.Store(time.Now().UnixNano())
	if c.overflow != nil {
		c.overflow()
	}
}

func (c *exportCounts) read() Export {
	e := Export{Enabled: c.enabled, Exported: c.exported.Load(), Failed: c.failed.Load()}
	if at := c.successAt.Load(); at != 0 {
		success := time.Unix(0, at).UTC().Truncate(time.Millisecond)
		e.LastSuccess = &success
	}
	return e
}

// logExporter counts. The records were cleaned before they got here.
type logExporter struct {
	sdklog.Exporter
	counts *exportCounts
}

func (x *logExporter) Export(ctx context.Context, records []sdklog.Record) error {
	err := x.Exporter.Export(ctx, records)
	x.counts.done(len(records), err)
	return err
}
