package report

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/driftsentry/driftsentry/internal/client"
	"github.com/driftsentry/driftsentry/internal/drift"
)

// The part of SARIF 2.1.0 that is needed here. The libraries write dozens of
// empty lists with each result, which costs a reader more than these types.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Automation  sarifID           `json:"automationDetails"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
		Properties  map[string]any    `json:"properties"`
	}
	sarifTool struct {
		Driver struct {
			Name    string      `json:"name"`
			Version string      `json:"version,omitempty"`
			Rules   []sarifRule `json:"rules"`
		} `json:"driver"`
	}
	sarifID struct {
		ID string `json:"id"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		EndTimeUTC    string              `json:"endTimeUtc"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifRule struct {
		ID    string    `json:"id"`
		Short sarifText `json:"shortDescription"`
		Full  sarifText `json:"fullDescription"`
		Help  sarifHelp `json:"help"`
	}
	sarifHelp struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Viewer       string            `json:"hostedViewerUri,omitempty"`
		Properties   map[string]any    `json:"properties"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region struct {
			StartLine int `json:"startLine"`
		} `json:"region"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
)

var sarifLevels = map[drift.Severity]string{drift.Critical: "error", drift.Warning: "warning", drift.Info: "note"}

// sarif writes one result for each open drift. Its fingerprint is the stack, the
// address and the origin, so that a viewer knows a drift again whatever became
// of its values.
func (r *Report) sarif(w io.Writer) error {
	run := sarifRun{
		Automation: sarifID{"driftsentry/" + r.Stack + "/"},
		Results:    []sarifResult{},
		Properties: map[string]any{"correlationId": r.Correlation, "traceId": r.Trace, "scanId": r.ID, "scan": r.URL, "pipeline": r.Pipeline},
	}
	run.Tool.Driver.Name, run.Tool.Driver.Version = "driftsentry", r.Version
	run.Tool.Driver.Rules = []sarifRule{}
	rules := map[string]int{}
	invocation := sarifInvocation{Successful: r.Status != drift.Errored, EndTimeUTC: at(r.At)}
	for _, caveat := range r.caveats() {
		invocation.Notifications = append(invocation.Notifications, sarifNotification{"warning", sarifText{caveat}})
	}
	for _, origin := range drift.Origins() {
		drifts := r.listed(origin)
		for i := range drifts {
			result := r.sarifResult(&drifts[i])
			n, known := rules[result.RuleID]
			if !known {
				n = len(rules)
				rules[result.RuleID] = n
				run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, newSARIFRule(result.RuleID, origin, drifts[i].Action))
			}
			result.RuleIndex = n
			run.Results = append(run.Results, result)
		}
		if n := r.omitted(origin); n > 0 {
			more := plural(n, "more open drift") + " not listed here, origin " + string(origin)
			invocation.Notifications = append(invocation.Notifications, sarifNotification{"note", sarifText{more}})
		}
	}
	run.Invocations = []sarifInvocation{invocation}
	return encode(w, sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run},
	})
}

func (r *Report) sarifResult(d *client.Drift) sarifResult {
	identity := sha256.Sum256([]byte(r.Stack + "\x00" + d.Address + "\x00" + string(d.Origin)))
	location := sarifLocation{Logical: []sarifLogical{{FullyQualifiedName: d.Address, Kind: "resource"}}}
	location.Physical.Artifact.URI, location.Physical.Region.StartLine = r.artifact(), 1
	return sarifResult{
		RuleID: string(d.Origin) + "/" + string(d.Action), Level: sarifLevels[d.Severity],
		Message:   sarifText{d.Address + ": " + d.SeverityReason},
		Locations: []sarifLocation{location},
		Fingerprints: map[string]string{
			"driftsentry/v1": hex.EncodeToString(identity[:]),
			// GitHub knows results again by this one alone, and would make it of a file's
			// line: all drifts of a stack are at the same.
			"primaryLocationLineHash": hex.EncodeToString(identity[:8]) + ":1",
		},
		Viewer: r.URL,
		Properties: map[string]any{
			"driftId": d.ID, "stack": r.Stack, "origin": d.Origin, "action": d.Action, "severity": d.Severity,
			"status": d.Status, "new": r.state(d) == "new", "counts": r.Policy.Fails(d.Origin, d.Severity),
		},
	}
}

// newSARIFRule says what a kind of drift is, and what to do about it.
func newSARIFRule(id string, origin drift.Origin, action drift.Action) sarifRule {
	about := sarifRules[origin]
	return sarifRule{
		ID: id, Short: sarifText{titles[origin] + ": " + string(action)},
		Full: sarifText{about.full}, Help: sarifHelp{Text: about.help, Markdown: about.help},
	}
}

var sarifRules = map[drift.Origin]struct{ full, help string }{
	drift.Outside: {
		"A resource is no longer as Terraform left it: somebody or something changed it behind the code's back.",
		"Put it back with terraform apply, or write the change into the code. If it is meant to be, reject the drift in " +
			"DriftSentry with a reason: a rejected drift does not count until its values change or its date passes.",
	},
	drift.Pending: {
		"The code asks for a change that nobody has applied yet.",
		"Apply it, or take it back in the code. If it has to wait, reject the drift in DriftSentry with a reason and a date.",
	},
}

// artifact is the file that a result is shown at. A plan does not tell which file
// a resource is written in, and viewers show nothing that has no file: so it is
// the module's directory, or the stack.
func (r *Report) artifact() string {
	dir := path.Clean("/" + strings.ReplaceAll(r.Dir, `\`, "/"))
	if r.Dir == "" {
		dir = path.Clean("/" + r.Stack)
	}
	return (&url.URL{Path: strings.TrimPrefix(path.Join(dir, "main.tf"), "/")}).EscapedPath()
}

// at is a time as SARIF wants it.
func at(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
