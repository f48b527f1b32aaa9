//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"
)

// TestSampling: under more traffic than is kept whole, what a person will look for
// is kept, always, and of the rest some.
func TestSampling(t *testing.T) {
	t.Parallel()
	const many, each = 2000, 25
	j := startJaeger(t)
	c := startCollector(t, j.otlp, startLoki(t).url, "COLLECTOR_KEEP_SPANS=0", "COLLECTOR_KEEP_PERCENT=2")
	kinds := map[string]sent{
		"error":     {name: "GET /api/v1/drifts", method: "GET", took: 20 * time.Millisecond, failed: true},
		"slow":      {name: "GET /api/v1/drifts", method: "GET", took: 1200 * time.Millisecond},
		"POST":      {name: "POST /api/v1/scans", method: "POST", took: 5 * time.Millisecond},
		"PUT":       {name: "PUT /api/v1/log-level", method: "PUT", took: 5 * time.Millisecond},
		"PATCH":     {name: "PATCH /", method: "PATCH", took: 5 * time.Millisecond},
		"DELETE":    {name: "DELETE /api/v1/api-keys/{id}", method: "DELETE", took: 5 * time.Millisecond},
		"uploading": {name: "scan parse", took: 5 * time.Millisecond}, // its request goes on
	}
	var all []sent
	for i := range many {
		all = append(all, sent{id: id("fast", i), name: "GET /api/v1/drifts", method: "GET", took: 20 * time.Millisecond})
	}
	wanted := map[string]string{}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		for i := range each {
			s := kinds[kind]
			s.id = id(kind, i)
			all = append(all, s)
			wanted[s.id] = kind
		}
	}
	for batch := range slices.Chunk(all, 500) {
		c.send(t, "traces", spans(t, "sampled", batch))
	}
	decided := regexp.MustCompile(`(?m)^otelcol_processor_tail_sampling_global_count_traces_sampled_total\{.*\} ([0-9.e+]+)$`)
	await(t, "all decisions", func() error {
		scrape, err := fetch(t, c.metrics)
		if err != nil {
			return err
		}
		sum := 0.0
		for _, m := range decided.FindAllStringSubmatch(string(scrape), -1) {
			n, err := strconv.ParseFloat(m[1], 64)
			if err != nil {
				return fmt.Errorf("count of decisions: %w", err)
			}
			sum += n
		}
		if int(sum) != len(all) {
			return fmt.Errorf("%v of %d", sum, len(all))
		}
		return nil
	})
	// One that is kept is sent after the others: when it is there, they are.
	var kept []string
	await(t, "what was kept", func() error {
		missing := map[string]int{}
		found := map[string]bool{}
		kept = nil
		for _, trace := range j.of(t, "sampled", len(all)) {
			found[trace.TraceID] = true
			if wanted[trace.TraceID] == "" {
				kept = append(kept, trace.TraceID)
			}
		}
		for id, kind := range wanted {
			if !found[id] {
				missing[kind]++
			}
		}
		if len(missing) > 0 {
			return fmt.Errorf("missing %v", missing)
		}
		return nil
	})
	t.Logf("kept: all of %d × %d, and %d of %d fast requests that change nothing", each, len(kinds), len(kept), many)
	if len(kept) == 0 || len(kept) > many/20 {
		t.Errorf("%d of %d fast requests kept, want about 2 %%", len(kept), many)
	}
}

// TestLightTrafficIsKept: as long as there is little of it, everything is there,
// and so is the trace of any correlation id.
func TestLightTrafficIsKept(t *testing.T) {
	t.Parallel()
	j := startJaeger(t)
	c := startCollector(t, j.otlp, startLoki(t).url)
	const few = 100
	var all []sent
	for i := range few {
		all = append(all, sent{id: id("light", i), name: "GET /api/v1/drifts", method: "GET", took: time.Millisecond})
	}
	c.send(t, "traces", spans(t, "quiet", all))
	await(t, "all of them", func() error {
		if n := len(j.of(t, "quiet", 2*few)); n != few {
			return fmt.Errorf("%d of %d", n, few)
		}
		return nil
	})
}
