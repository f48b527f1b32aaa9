// Package plantest makes refresh-only plans of any size for tests and
// benchmarks. They are made of the entries of a real plan, so that what is
// measured is what plans hold: security groups, roles, buckets, parameters.
//
// It is imported by tests only.
package plantest

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// drifted is the plan that the entries come from.
//
//go:embed aws-ec2.json
var drifted []byte

// undrifted is how many resources without drift a plan has for each with: few
// resources of a real stack drift at once.
const undrifted = 5

// NewsOf is how many of the n drifted resources of a plan are news; the rest is
// noise.
func NewsOf(n int) int {
	const entries, news = 14, 10
	count := n / entries * news
	for i := range n % entries {
		if !isNoise[i] {
			count++
		}
	}
	return count
}

// isNoise are the entries of the plan with noise alone.
var isNoise = map[int]bool{0: true, 3: true, 11: true, 12: true}

// Write writes a plan in which n resources have drifted, with addresses, ids
// and secrets of their own: about 7 KB for each of them, and nothing of it kept
// in memory.
func Write(w io.Writer, n int) error {
	var plan struct {
		Drift []json.RawMessage `json:"resource_drift"`
		Prior struct {
			Values struct {
				Root struct {
					Resources []json.RawMessage `json:"resources"`
				} `json:"root_module"`
			} `json:"values"`
		} `json:"prior_state"`
		Configuration json.RawMessage `json:"configuration"`
	}
	if err := json.Unmarshal(drifted, &plan); err != nil {
		return fmt.Errorf("the plan to make plans of: %w", err)
	}
	out := bufio.NewWriterSize(w, 1<<20)
	list := func(entries []json.RawMessage, n int) {
		for i := range n {
			if i > 0 {
				out.WriteByte(',')
			}
			numbered(out, string(entries[i%len(entries)]), i)
		}
	}
	out.WriteString(`{"format_version":"1.2","terraform_version":"1.11.4",` +
		`"variables":{"db_password":{"value":"s3cr3t-Pa55w0rd!"}},"planned_values":{"root_module":{}},"resource_drift":[`)
	list(plan.Drift, n)
	out.WriteString(`],"prior_state":{"format_version":"1.0","terraform_version":"1.11.4","values":{"root_module":{"resources":[`)
	list(plan.Prior.Values.Root.Resources, n*(1+undrifted))
	out.WriteString(`]}}},"configuration":`)
	out.Write(plan.Configuration)
	out.WriteString(`,"timestamp":"2026-11-22T21:34:27Z","applyable":true,"complete":true,"errored":false}`)
	return out.Flush() // a bufio.Writer keeps its first error for this
}

// numbered writes an entry as that of resource i.
func numbered(out *bufio.Writer, entry string, i int) {
	for entry != "" {
		next, insert := len(entry), ""
		for name, prefix := range map[string]string{
			`"address":"`: "module.site[%d].", `"module_address":"`: "module.site[%d].", `"id":"`: "n%d-", `"value":"`: "secret-%d-",
		} {
			if at := strings.Index(entry[:next], name); at >= 0 {
				next, insert = at+len(name), fmt.Sprintf(prefix, i)
			}
		}
		out.WriteString(entry[:next])
		out.WriteString(insert)
		entry = entry[next:]
	}
}
