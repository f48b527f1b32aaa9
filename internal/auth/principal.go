package auth

import (
	"time"

	"github.com/google/uuid"
)

// Kind says what stands behind a credential.
type Kind string

// The kinds, as the API and the audit trail spell them.
const (
	KindUser Kind = "user" // a person who signed in
	KindKey  Kind = "key"  // a program with an API key
)

// Principal is somebody who has proved who they are.
type Principal struct {
	Kind    Kind
	ID      uuid.UUID // of the user or the key
	Name    string    // the e-mail address of a user, the name of a key
	Role    Role
	Session uuid.UUID // of a user's login; Nil for keys
	Stacks  Pattern   // what a key may touch; zero for users and for every stack
	Expires time.Time // when the credential ends; zero: never
}

// Actor is how the audit trail names the principal: "user:alice@example.com",
// "key:ci-prod".
func (p *Principal) Actor() string { return string(p.Kind) + ":" + p.Name }

// UserID is how logs and traces name the principal: by id, as addresses are
// personal data.
func (p *Principal) UserID() string { return p.ID.String() }
