package telemetry

import "github.com/driftsentry/driftsentry/internal/redact"

// The rules that driftsentry_redactions_total names beside those of redact.
const (
	ruleKnown = "known" // a secret this process was given
	ruleName  = "name"  // a value whose name says that it is one
)

// secretName reports whether what goes by this name is a secret. In telemetry
// the benefit of the doubt that a plan's attribute gets is not given: auth and
// session count as well.
func secretName(name string) bool {
	meaning := redact.MeaningOf(name)
	return meaning == redact.Credential || meaning == redact.Suspicious
}
