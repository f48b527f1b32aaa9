package auth

import "slices"

// Role is what a user or a key is, as the API, the database and the tokens
// spell it. A text that is none of [Roles] may do no more than nobody.
type Role string

// The roles, from the one that may most.
const (
	Admin    Role = "admin"    // everything
	Engineer Role = "engineer" // reads, uploads and decides
	Viewer   Role = "viewer"   // reads
	Ingest   Role = "ingest"   // uploads and nothing else: for CI
)

// Roles lists what a key can be.
func Roles() []Role { return []Role{Admin, Engineer, Viewer, Ingest} }

// UserRoles lists what a person can be: whoever signs in may at least read.
func UserRoles() []Role { return []Role{Admin, Engineer, Viewer} }

// May reports whether whoever has this role has the permission. The zero
// Permission is nobody's.
func (r Role) May(p Permission) bool {
	switch p {
	case Public:
		return true
	case Anyone:
		return slices.Contains(Roles(), r)
	case Read:
		return r == Admin || r == Engineer || r == Viewer
	case Upload:
		return r == Admin || r == Engineer || r == Ingest
	case Decide:
		return r == Admin || r == Engineer
	case Administer:
		return r == Admin
	default:
		return false
	}
}
