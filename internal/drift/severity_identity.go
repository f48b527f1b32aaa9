package drift

import (
	"slices"
	"strings"
)

// policyAttributes hold policy documents in the JSON of AWS, which some others
// have taken over. Whether a text is one shows when it is read; a lifecycle
// policy under the same name is not.
var (
	policyAttributes = []string{
		"policy", "assume_role_policy", "inline_policy", "access_policies", "access_policy", "policy_document",
		"resource_policy", "repository_policy", "content", "session_policy",
	}
	policyTypes = []string{"aws_*", "awscc_*", "alicloud_*", "minio_*"}
)

// identityRules are about who may do what.
var identityRules = []rule{
	{
		// Every new permission is one that nobody reviewed, and a role's trust, a
		// bucket's or a key's policy is how attackers stay.
		name: "policy widened", severity: Critical,
		types:      policyTypes,
		attributes: policyAttributes,
		find:       widensPolicy,
	},
	{
		name: "administrator attached", severity: Critical, // by name instead of by document
		attributes: []string{"managed_policy_arns", "policy_arn", "policy_arns", "managed_policy_arn"},
		find: becomes(finding{"administrator policy", attached, ""},
			"*:cluster-access-policy/AmazonEKSClusterAdminPolicy",
			"*:policy/PowerUserAccess", "*:policy/IAMFullAccess", "*:policy/AdministratorAccess"),
	},
	{
		// The boundary is what kept a wide policy harmless.
		name: "permissions boundary removed", severity: Critical,
		attributes: []string{"permissions_boundary"},
		find:       turnedOff(finding{"permissions boundary", removed, ""}),
	},
	{
		// A user or key that the code does not know is how attackers stay, too.
		name: "credentials created", severity: Critical,
		types: []string{
			"aws_iam_user", "aws_iam_access_key", "aws_iam_user_login_profile", "aws_iam_service_specific_credential",
			"google_service_account_key", "azuread_application_password", "azuread_service_principal_password",
		},
		actions: []Action{Create},
		find:    createsCredentials,
	},
	{
		name: "access key on", severity: Critical, // again
		types: []string{"aws_iam_access_key"}, attributes: []string{"status"},
		find: turnsTo(finding{"access key", turned, " on"}, "Active"),
	},
	{
		// Everybody on the Internet, or everybody with any Google account.
		name: "granted to everybody", severity: Critical,
		types: []string{"google_*_iam_member", "google_*_iam_binding", "google_*_iam_policy"}, attributes: googleAttributes,
		find: grantsGoogle(toEverybody),
	},
	{
		// Roles that can hand out every other role.
		name: "basic role granted", severity: Critical,
		types: []string{"google_*_iam_member", "google_*_iam_binding", "google_*_iam_policy"}, attributes: googleAttributes,
		find: grantsGoogle(ofPrivilegedRole),
	},
	{
		name: "Azure role granted", severity: Critical, // the same at Azure
		types: []string{"azurerm_role_assignment", "azurerm_pim_*_role_assignment"}, attributes: []string{"role_definition_name", "role_definition_id"},
		find: becomes(finding{"owner or contributor role", granted, ""},
			"Contributor", "*/b24988ac-6180-42a0-ab88-20f7382dd24c",
			"Role Based Access Control Administrator", "*/f58310d9-a9f6-439a-9e8d-f62e7b41a168",
			"User Access Administrator", "*/18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
			"Owner", "*/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
	},
	{
		// A role that may do everything, whatever its name says.
		name: "role definition widened", severity: Critical,
		types: []string{"azurerm_role_definition"}, attributes: []string{"permissions.actions", "permissions.data_actions"},
		find: becomes(finding{"role definition", widened, " to all actions"}, "*"),
	},
	{
		// A grant that was meant for some names, hours or addresses only.
		name: "condition removed", severity: Critical,
		types:      []string{"google_*_iam_*", "azurerm_role_assignment"},
		attributes: []string{"condition"},
		find:       turnedOff(finding{"condition of the grant", removed, ""}),
	},
	{
		// "*" also means whatever is invented later: secrets, nodes, webhooks.
		name: "cluster role widened", severity: Critical,
		types: []string{"kubernetes_cluster_role", "kubernetes_cluster_role_v1", "kubernetes_role", "kubernetes_role_v1"}, attributes: []string{"rule.verbs", "rule.resources"},
		find: becomes(finding{"role", widened, ` to "*"`}, "*"),
	},
	{
		name: "cluster admin granted", severity: Critical, // to anybody new
		types: []string{"kubernetes_*role_binding", "kubernetes_*role_binding_v1"}, attributes: []string{"role_ref", "subject"},
		find: grantsClusterAdmin,
	},
	{
		// Whoever reaches the API, without any login.
		name: "granted to anonymous", severity: Critical,
		types: []string{"kubernetes_*role_binding", "kubernetes_*role_binding_v1"}, attributes: []string{"subject.name"},
		find: becomes(finding{"access", granted, " to unauthenticated users"}, "system:anonymous", "system:unauthenticated"),
	},
	{
		// A web application that can be made to fetch an address then gives away
		// the machine's credentials.
		name: "metadata without session", severity: Warning,
		attributes: []string{"metadata_options.http_tokens"},
		find:       turnsTo(finding{"metadata access", allowed, " without a session token"}, "optional"),
	},
	{
		// Too much to weigh is no reason to call it harmless or an attack.
		name: "policy too large", severity: Warning,
		types:      policyTypes,
		attributes: policyAttributes,
		find:       beyondComparison,
	},
	{
		// The same names, hours or addresses under another condition: no attack by
		// itself, and nothing that anybody reviewed.
		name: "policy condition changed", severity: Warning,
		types:      policyTypes,
		attributes: policyAttributes,
		find:       changesCondition,
	},
	{
		// Less is allowed than the code says: something may stop working.
		name: "policy narrowed", severity: Warning,
		types:      policyTypes,
		attributes: policyAttributes,
		find:       narrowsPolicy,
	},
	{
		name: "policy attached", severity: Warning, // one that is not known to be an administrator's
		attributes: []string{"managed_policy_arns", "policy_arns"},
		find:       addsTo(finding{"managed policy", attached, ""}),
	},
}

// createsCredentials matches what was created outside; code that asks for a
// user is reviewed as code.
func createsCredentials(e *evidence) (finding, bool) {
	return finding{typeName(e.Type), created, " outside the code"}, e.Origin == Outside
}

// addsTo matches a list that holds something new. A new list is no addition.
func addsTo(f finding) func(*evidence) (finding, bool) {
	return func(e *evidence) (finding, bool) {
		return f, e.Action != Create && haveOther(appendTexts(nil, e.after), appendTexts(nil, e.before))
	}
}

// grantsClusterAdmin matches a binding that gives somebody new everything.
func grantsClusterAdmin(e *evidence) (finding, bool) {
	f := finding{"cluster-admin", granted, ""}
	admin := func(after bool) bool {
		refs := appendLeaves(nil, e.value("role_ref", after), []string{"name"})
		return slices.Contains(appendTexts(nil, refs), "cluster-admin")
	}
	if !admin(true) {
		return f, false
	}
	if e.Action == Create || !admin(false) {
		return f, true
	}
	subjects := func(after bool) []string {
		var names []string
		for _, m := range blocks(e.value("subject", after)) {
			names = append(names, strings.Join([]string{text(m["kind"]), text(m["namespace"]), text(m["name"])}, "/"))
		}
		return names
	}
	return f, haveOther(subjects(true), subjects(false))
}

// blocks are the nested blocks that a value holds.
func blocks(v any) []map[string]any {
	list, _ := v.([]any)
	var blocks []map[string]any
	for _, element := range list {
		if m, ok := element.(map[string]any); ok {
			blocks = append(blocks, m)
		}
	}
	return blocks
}
