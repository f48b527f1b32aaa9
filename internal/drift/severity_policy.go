package drift

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Bounds on what is compared, above what the clouds accept of one document.
const (
	maxPolicyBytes    = 40 << 10
	maxPolicyElements = 400 // principals, actions and resources together
)

// statement is one statement of a policy document.
type statement struct {
	deny       bool
	principals names
	actions    names
	resources  names
	condition  condition
}

// names are the patterns of a statement's Action or, when not is set, NotAction.
type names struct {
	not  bool
	list []string
}

// readPolicies reads the policy documents in v: a text, or blocks with a member
// "policy". It reports whether v held any, and whether that was too much.
func readPolicies(v any) (statements []statement, found, tooLarge bool) {
	size, elements := 0, 0
	for _, t := range policyTexts(nil, v) {
		if !strings.HasPrefix(strings.TrimSpace(t), "{") {
			continue
		}
		if size += len(t); size > maxPolicyBytes {
			return nil, true, true
		}
		read, err := parsePolicy(t)
		if err != nil {
			continue // no cloud would take it for a policy either
		}
		found = true
		for _, s := range read {
			elements += len(s.principals.list) + len(s.actions.list) + len(s.resources.list)
		}
		statements = append(statements, read...)
	}
	return statements, found, elements > maxPolicyElements
}

func policyTexts(texts []string, v any) []string {
	switch v := v.(type) {
	case string:
		return append(texts, v)
	case []any:
		for _, block := range blocks(v) {
			if t := text(block["policy"]); t != "" {
				texts = append(texts, t)
			}
		}
	}
	return texts
}

// oneOrMore is a string, or a list of them.
type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]string)(o))
	}
	var one string
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*o = oneOrMore{one}
	return nil
}

// principals are who a statement is about: "*", or lists by kind.
type principals []string

func (p *principals) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*oneOrMore)(p))
	}
	var byKind map[string]oneOrMore
	if err := json.Unmarshal(b, &byKind); err != nil {
		return err
	}
	for kind, ids := range byKind {
		for _, id := range ids {
			*p = append(*p, principalName(kind, id))
		}
	}
	slices.Sort(*p)
	return nil
}

// principalName writes a principal in one way: everybody as "*", an account by
// its root, as AWS itself stores it.
func principalName(kind, id string) string {
	switch {
	case id == "*":
		return "*"
	case kind == "AWS" && len(id) == 12 && strings.Trim(id, "0123456789") == "":
		return "AWS:arn:aws:iam::" + id + ":root"
	default:
		return kind + ":" + id
	}
}

// document is the JSON of a policy. Its decoder takes the members in any case,
// as AWS does.
type document struct {
	Statement documentStatements
}

type documentStatement struct {
	Effect                  string
	Principal, NotPrincipal principals
	Action, NotAction       oneOrMore
	Resource, NotResource   oneOrMore
	Condition               any
}

type documentStatements []documentStatement

func (s *documentStatements) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' || string(b) == "null" {
		return json.Unmarshal(b, (*[]documentStatement)(s))
	}
	var one documentStatement
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*s = documentStatements{one}
	return nil
}

func parsePolicy(text string) ([]statement, error) {
	var doc document
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return nil, fmt.Errorf("policy document: %w", err)
	}
	var statements []statement
	for _, d := range doc.Statement {
		if !strings.EqualFold(d.Effect, "Allow") && !strings.EqualFold(d.Effect, "Deny") {
			continue
		}
		s := statement{
			deny:       strings.EqualFold(d.Effect, "Deny"),
			principals: namesOf(d.Principal, d.NotPrincipal),
			actions:    namesOf(lower(d.Action), lower(d.NotAction)),
			resources:  namesOf(d.Resource, d.NotResource),
			condition:  readCondition(d.Condition),
		}
		statements = append(statements, s)
	}
	return statements, nil
}

// namesOf are the patterns of one element. An element that a document does not
// have, as the principal of a role's own policy, is the same in all statements.
func namesOf(list, notList []string) names {
	if notList != nil {
		return names{not: true, list: notList}
	}
	if list == nil {
		list = []string{""}
	}
	return names{list: list}
}

func lower(list []string) []string {
	for i := range list {
		list[i] = strings.ToLower(list[i])
	}
	return list
}
