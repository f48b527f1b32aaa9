package terraform

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/driftsentry/driftsentry/internal/fault"
)

// header is what a plan says of itself.
type header struct {
	format      string
	toolVersion string
	timestamp   string
	complete    verdict
	errored     verdict
	applyable   verdict

	// Which sections there are. Terraform leaves out empty ones.
	hasDrift, hasChanges, hasValues, hasState, hasCode bool
	hasMore                                            bool // some other section of a plan

	foreign foreign
}

// foreign are keys that other documents have and plans do not.
type foreign uint8

const (
	stateKeys  foreign = 1 << iota // terraform show -json of a state
	tfstateKey                     // a state file
	streamKey                      // terraform plan -json
	schemaKey                      // terraform providers schema -json
)

// note takes note of a member of which only the name matters.
func (h *header) note(name string) {
	switch name {
	case "values":
		h.foreign |= stateKeys
	case "lineage", "serial":
		h.foreign |= tfstateKey
	case "@level", "@message":
		h.foreign |= streamKey
	case "provider_schemas":
		h.foreign |= schemaKey
	case "relevant_attributes", "action_invocations", "deferred_action_invocations":
		h.hasMore = true
	}
}

// formatVersion reads the version of the format and refuses those to come.
func (p *reader) formatVersion() error {
	if err := p.text(&p.format); err != nil {
		return err
	}
	major, _, _ := strings.Cut(p.format, ".")
	switch n, err := strconv.Atoi(major); {
	case err != nil || len(p.format) > 20:
		return p.invalid("must be a version like 1.2")
	case n > 1:
		return fault.New(fault.Invalid, fmt.Sprintf(
			"plan format %s is newer than this version of DriftSentry reads (0.x and 1.x): upgrade DriftSentry", p.format))
	}
	return nil
}

// isPlan refuses a document that was read to its end and turned out to be
// something else.
func (h *header) isPlan() error {
	saysMore := h.hasDrift || h.hasChanges || h.hasValues || h.hasState || h.hasCode || h.hasMore ||
		h.complete != unsaid || h.errored != unsaid || h.applyable != unsaid
	switch {
	case h.foreign&streamKey != 0:
		return notPlan("this is a line of the output of `terraform plan -json`, not the JSON of a plan")
	case h.foreign&tfstateKey != 0 && h.format == "":
		return notPlan("this is a state file, not the JSON of a plan")
	case h.foreign&schemaKey != 0:
		return notPlan("these are provider schemas, not the JSON of a plan")
	case h.foreign&stateKeys != 0 && !saysMore:
		return notPlan("this is the JSON of a state, not of a plan")
	case h.format == "":
		return notPlan("this is no plan: it has no format_version")
	case !saysMore:
		return notPlan("this has a format_version but nothing of a plan; `terraform show -json` without a plan file prints the state")
	}
	return nil
}
