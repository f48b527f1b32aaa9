package terraform

import (
	"strings"
	"time"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// report is what a plan says of itself, taken together with what was found in it.
func report(h *header, t *tally, notRefreshed bool) drift.Report {
	tool := toolOf(h, t)
	return drift.Report{
		Format:        Format,
		FormatVersion: h.format,
		Tool:          tool,
		ToolVersion:   h.toolVersion,
		TakenAt:       h.takenAt(),
		Status:        h.status(),
		Outside:       !notRefreshed && seesOutside(h, t, tool),
		Pending:       seesPending(h, t),
		Resources:     max(t.prior+t.gone, t.changed, t.drifted),
	}
}

// toolOf is which of the two programs made the plan. Both put their own version
// into terraform_version. The registry of a provider tells them apart, and where
// there is none, that OpenTofu never says whether a plan is complete.
func toolOf(h *header, t *tally) string {
	switch {
	case t.openTofu:
		return "opentofu"
	case t.terraform:
		return "terraform"
	case h.toolVersion == "":
		return ""
	case h.errored != unsaid && h.complete == unsaid && versionOf(h.toolVersion).atLeast(version{1, 9, 0}):
		return "opentofu"
	}
	return "terraform"
}

// takenAt is when the plan was made. A timestamp that cannot be read counts as
// none.
func (h *header) takenAt() time.Time {
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

// seesOutside reports whether the plan would tell what changed outside.
// Terraform does since 0.15.4. Plans to destroy everything do not, although
// nothing in them says that they are such plans: they plan no values and delete
// everything without a reason, while a deletion because of changed code gives
// one.
func seesOutside(h *header, t *tally, tool string) bool {
	switch {
	case h.hasDrift:
		return true
	case t.changed > 0 && t.destroyed == t.changed && t.planned == 0:
		return false
	}
	return h.toolVersion == "" || tool == "opentofu" || versionOf(h.toolVersion).atLeast(version{0, 15, 4})
}

// seesPending reports whether the plan would tell what the code asks for. A
// refresh-only plan has no list of changes; neither has a normal one when there
// is nothing to manage, neither in the code nor in the state, but then nothing
// can be pending either.
func seesPending(h *header, t *tally) bool {
	return h.hasChanges || !h.hasDrift && t.code == 0 && t.prior == 0
}

// version is a program's: major, minor, patch.
type version [3]int

// versionOf reads a version. What is no number in it is zero.
func versionOf(text string) version {
	var v version
	for i, part := range strings.SplitN(text, ".", len(v)) {
		for _, c := range part {
			if c < '0' || c > '9' || v[i] > 1e6 {
				break
			}
			v[i] = 10*v[i] + int(c-'0')
		}
	}
	return v
}

func (v version) atLeast(w version) bool {
	for i := range v {
		if v[i] != w[i] {
			return v[i] > w[i]
		}
	}
	return true
}
