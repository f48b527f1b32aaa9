package drift

import (
	"encoding/json"
	"slices"
	"strings"
)

// googleAttributes are where Google's IAM resources keep roles and members.
var googleAttributes = []string{"role", "member", "members", "policy_data"}

// privilegedRoles are those from which every other one can be had, and how a
// reason names them.
var privilegedRoles = map[string]string{
	"roles/owner":                             "owner role",
	"roles/editor":                            "editor role",
	"roles/iam.securityAdmin":                 "security admin role",
	"roles/iam.serviceAccountTokenCreator":    "token creator role",
	"roles/iam.serviceAccountKeyAdmin":        "service account key admin role",
	"roles/resourcemanager.projectIamAdmin":   "project IAM admin role",
	"roles/resourcemanager.folderAdmin":       "folder admin role",
	"roles/resourcemanager.organizationAdmin": "organization admin role",
}

// googleGrant is one role of one member.
type googleGrant struct{ role, member string }

// grantsGoogle matches a grant that is new and is what meant describes.
func grantsGoogle(meant func(googleGrant) (finding, bool)) func(*evidence) (finding, bool) {
	return func(e *evidence) (finding, bool) {
		was := map[googleGrant]bool{}
		if e.Action != Create {
			for _, g := range e.googleGrants(false) {
				was[g] = true
			}
		}
		for _, g := range e.googleGrants(true) {
			if f, ok := meant(g); ok && !was[g] {
				return f, true
			}
		}
		return finding{}, false
	}
}

func toEverybody(g googleGrant) (finding, bool) {
	all := g.member == "allUsers" || g.member == "allAuthenticatedUsers"
	return finding{"access", granted, " to " + g.member}, all
}

func ofPrivilegedRole(g googleGrant) (finding, bool) {
	name, ok := privilegedRoles[g.role]
	return finding{name, granted, ""}, ok
}

// googleGrants are the grants of a member, a binding or a whole policy. An
// unchanged role that the report does not tell is empty.
func (e *evidence) googleGrants(after bool) []googleGrant {
	if policy, ok := e.value("policy_data", after).(string); ok {
		return parseGooglePolicy(policy)
	}
	role := text(e.value("role", after))
	members := appendTexts(nil, []any{e.value("member", after), e.value("members", after)})
	var grants []googleGrant
	for _, m := range members {
		grants = append(grants, googleGrant{role, m})
	}
	return grants
}

// parseGooglePolicy reads the bindings of a policy; none of what is not one.
func parseGooglePolicy(policy string) []googleGrant {
	var document struct {
		Bindings []struct {
			Role    string   `json:"role"`
			Members []string `json:"members"`
		} `json:"bindings"`
	}
	if len(policy) > maxPolicyBytes || !strings.HasPrefix(strings.TrimSpace(policy), "{") {
		return nil
	}
	if err := json.Unmarshal([]byte(policy), &document); err != nil {
		return nil
	}
	var grants []googleGrant
	for _, b := range document.Bindings {
		for _, m := range slices.Compact(b.Members) {
			grants = append(grants, googleGrant{b.Role, m})
		}
	}
	return grants
}
