package drift

import (
	"bytes"

	"github.com/driftsentry/driftsentry/internal/jsontree"
)

// isPolicy reports whether a JSON document is an IAM policy. AWS gives them
// back written differently: lists of one as the one, other cases, other names
// for the same account.
func isPolicy(document *jsontree.Value) bool {
	switch document.Member("Statement").Kind() {
	case jsontree.Array, jsontree.Object:
		return true
	}
	return false
}

// policyList compares a list with a single value, which a policy may write for
// a list of one. It reports whether that was the case.
func (c *Comparer) policyList(before, after *jsontree.Value, at spot) bool {
	b, a := listOf(before), listOf(after)
	if (before.Kind() == jsontree.Array) == (after.Kind() == jsontree.Array) || b == nil || a == nil {
		return false
	}
	told := len(c.out)
	if len(b) == 1 && len(a) == 1 {
		c.compare(&b[0], &a[0], nil, at)
	} else {
		c.elements(before, after, b, a, nil, at)
	}
	if told == len(c.out) {
		c.add(Difference{Before: before, After: after, Noise: NoiseNormalized})
	}
	return true
}

// listOf is a list's elements, or the one value a policy may write instead.
func listOf(v *jsontree.Value) []jsontree.Value {
	switch v.Kind() {
	case jsontree.Null:
		return nil
	case jsontree.Array:
		return v.Kids
	}
	return []jsontree.Value{*v}
}

// policyEqual reports whether two parts of a policy mean the same to AWS.
func (c *Comparer) policyEqual(before, after *jsontree.Value, at spot) bool {
	switch string(at.name) {
	case "Principal", "NotPrincipal":
		return isAnybody(before) && isAnybody(after)
	case "Action", "NotAction":
		return before.Kind() == jsontree.String && after.Kind() == jsontree.String &&
			bytes.EqualFold(before.Text(), after.Text())
	case "AWS":
		return before.Kind() == jsontree.String && after.Kind() == jsontree.String &&
			bytes.Equal(rootOf(before.Text()), rootOf(after.Text()))
	}
	return false
}

// isAnybody reports whether a principal is "*" or {"AWS": "*"}.
func isAnybody(principal *jsontree.Value) bool {
	if principal.Kind() == jsontree.Object && len(principal.Kids) == 1 {
		principal = principal.Member("AWS")
	}
	if principal.Kind() == jsontree.Array && len(principal.Kids) == 1 {
		principal = &principal.Kids[0]
	}
	return principal.Kind() == jsontree.String && string(principal.Text()) == "*"
}

// rootOf is the account in the ARN of an account's root, and any other
// principal as it is.
func rootOf(principal []byte) []byte {
	parts := bytes.Split(principal, []byte(":"))
	if len(parts) == 6 && string(parts[0]) == "arn" && string(parts[2]) == "iam" && string(parts[5]) == "root" {
		return parts[4]
	}
	return principal
}
