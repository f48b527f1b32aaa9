package terraform

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/driftsentry/driftsentry/internal/drift"
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

	notRefreshed bool
	openTofu     bool // a provider comes from OpenTofu's registry
	terraform    bool // a provider comes from Terraform's registry
	foreign      foreign

	plannedValues    bool // the key is there
	hasDrift         bool // the key is there
	hasChanges       bool // the key is there
	hasConfiguration bool // the key is there
	hasPriorState    bool // the key is there
	hasOther         bool // another key that only plans have is there

	prior      counts // managed resources in the state before
	planned    counts // and in the state there would be
	configured int    // resources in the code
	changed    int    // managed resources among the changes
	destroyed  int    // those of them that would be deleted without a reason given
	drifted    int    // managed resources among the drift
	gone       int    // those of them that were deleted
}

// foreign are keys that other documents have and plans do not.
type foreign uint8

const (
	stateKeys  foreign = 1 << iota // terraform show -json of a state
	tfstateKey                     // a state file
	streamKey                      // terraform plan -json
	schemaKey                      // terraform providers schema -json
)

// unknown takes note of a member that no plan needs.
func (h *header) unknown(name string) {
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
		h.hasOther = true
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

// isPlan refuses a document that is read to its end and turned out to be
// something else.
func (h *header) isPlan() error {
	switch {
	case h.foreign&streamKey != 0:
		return notPlan("this is a line of the output of `terraform plan -json`, not the JSON of a plan")
	case h.foreign&tfstateKey != 0 && h.format == "":
		return notPlan("this is a state file, not the JSON of a plan")
	case h.foreign&schemaKey != 0:
		return notPlan("these are provider schemas, not the JSON of a plan")
	case h.isSaid():
		if h.format == "" {
			return notPlan("this is no plan: it has no format_version")
		}
		return nil
	case h.foreign&stateKeys != 0:
		return notPlan("this is the JSON of a state, not of a plan")
	case h.format == "":
		return notPlan("this is no plan: it has no format_version")
	}
	return notPlan("this has a format_version but nothing of a plan; `terraform show -json` without a plan file prints the state")
}

// isSaid reports whether anything only plans have is there.
func (h *header) isSaid() bool {
	return h.plannedValues || h.hasDrift || h.hasChanges || h.hasConfiguration || h.hasPriorState || h.hasOther ||
		h.complete != unsaid || h.errored != unsaid || h.applyable != unsaid
}

// report is the plan's verdict on itself.
func (h *header) report() drift.Report {
	return drift.Report{
		Format:        Format,
		FormatVersion: h.format,
		Tool:          h.tool(),
		ToolVersion:   h.toolVersion,
		TakenAt:       h.takenAt(),
		Status:        h.status(),
		Outside:       h.seesOutside(),
		Pending:       h.seesPending(),
		Resources:     h.resources(),
	}
}

// tool is which of the two programs made the plan. Both put their own version
// into terraform_version; the registry of a provider tells them apart, and
// without any provider that OpenTofu never says complete.
func (h *header) tool() string {
	switch {
	case h.openTofu:
		return "opentofu"
	case h.toolVersion == "" && !h.terraform:
		return ""
	case !h.terraform && h.errored != unsaid && h.complete == unsaid && h.atLeast(1, 9):
		return "opentofu"
	}
	return "terraform"
}

// seen takes note of a provider's source address.
func (h *header) seen(provider []byte) {
	switch {
	case strings.HasPrefix(string(provider), "registry.opentofu.org/"):
		h.openTofu = true
	case strings.HasPrefix(string(provider), "registry.terraform.io/"):
		h.terraform = true
	}
}

func (h *header) takenAt() time.Time {
	// A timestamp that cannot be read is one the plan does not say.
	t, err := time.Parse(time.RFC3339, h.timestamp)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// status is what the plan may conclude. Where complete is not said, by OpenTofu
// and before Terraform 1.8, a plan without errors is complete.
func (h *header) status() drift.Completeness {
	switch {
	case h.errored == yes:
		return drift.Errored
	case h.complete == no:
		return drift.Incomplete
	}
	return drift.Complete
}

// seesOutside reports whether the plan would tell what changed outside. Plans
// to destroy everything do not, although nothing in them says that they are
// such plans: they plan no values and delete everything without a reason, while
// a deletion because of changed code gives one.
func (h *header) seesOutside() bool {
	switch {
	case h.notRefreshed:
		return false
	case h.hasDrift:
		return true
	case h.changed > 0 && h.destroyed == h.changed && h.planned.managed == 0:
		return false
	}
	return h.toolVersion == "" || h.tool() == "opentofu" || h.atLeast(0, 16) || h.exactly(0, 15) && h.patch() >= 4
}

// seesPending reports whether the plan would tell what the code asks for. A
// refresh-only plan has no list of changes, but neither has a normal one when
// there is nothing anywhere: neither in the code, nor in the state, nor gone.
func (h *header) seesPending() bool {
	return h.hasChanges || h.configured == 0 && h.prior.managed == 0 && h.gone == 0 && !h.hasDrift
}

// resources is how many managed resources the plan looked at: those in the
// state after the refresh and those found deleted by it, or those with a
// change, whichever are more.
func (h *header) resources() int {
	return max(h.prior.managed+h.gone, h.changed, h.drifted)
}

// atLeast reports whether the tool's version is at least major.minor.
func (h *header) atLeast(major, minor int) bool {
	a, b := h.version()
	return a > major || a == major && b >= minor
}

func (h *header) exactly(major, minor int) bool {
	a, b := h.version()
	return a == major && b == minor
}

func (h *header) version() (major, minor int) {
	parts := strings.SplitN(h.toolVersion, ".", 3)
	return leadingNumber(parts, 0), leadingNumber(parts, 1)
}

func (h *header) patch() int { return leadingNumber(strings.SplitN(h.toolVersion, ".", 3), 2) }

// leadingNumber is the number part i begins with, zero when there is none.
func leadingNumber(parts []string, i int) int {
	n := 0
	if i < len(parts) {
		for _, c := range parts[i] {
			if c < '0' || c > '9' || n > 1e6 {
				break
			}
			n = 10*n + int(c-'0')
		}
	}
	return n
}
