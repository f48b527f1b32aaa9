// Package auth says who may do what, and how they prove who they are: roles and
// permissions, passwords, access tokens, refresh tokens and API keys.
//
// It makes credentials and judges them. It stores nothing, serves nothing and
// asks no clock, and it never says which part of a bad credential was wrong.
package auth

// Permission is what a route asks of its caller. The zero Permission is none
// at all and belongs to no route, so that forgetting one is noticed.
type Permission uint8

// The permissions, from the one nobody needs a credential for upwards.
const (
	Public     Permission = iota + 1 // anyone, without a credential
	Anyone                           // any good credential, ingest keys too
	Read                             // any user or key that may read
	Upload                           // engineers, admins and ingest keys
	Decide                           // engineers and admins
	Administer                       // admins alone
)

// String is the permission's name in the golden matrix and the API document.
func (p Permission) String() string {
	switch p {
	case Public:
		return "public"
	case Anyone:
		return "any"
	case Read:
		return "read"
	case Upload:
		return "upload"
	case Decide:
		return "decide"
	case Administer:
		return "administer"
	default:
		return "none"
	}
}
