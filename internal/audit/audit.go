// Package audit says what an entry of the audit trail is and which actions
// there are.
//
// It decides nothing and stores nothing: postgres appends events in the
// transaction of the change they tell of, and its schema refuses to change
// them afterwards.
package audit

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/correlation"
)

// Action names what happened. The schema refuses any that is not in Actions.
type Action string

// What happens to a drift: by a scan, by time, or by a person.
const (
	Detected Action = "detected"
	Changed  Action = "changed" // still there, with other values
	Moved    Action = "moved"   // the code gave the resource another address
	Reopened Action = "reopened"
	Resolved Action = "resolved"
	Triaged  Action = "triaged"
	Approved Action = "approved"
	Rejected Action = "rejected"
)

// What happens to accounts and to the service itself.
const (
	LoggedIn        Action = "logged_in"
	LoginFailed     Action = "login_failed"
	LoggedOut       Action = "logged_out"
	TokenReused     Action = "token_reused" // a refresh token twice: its session has been ended
	UserCreated     Action = "user_created"
	UserDisabled    Action = "user_disabled"
	UserEnabled     Action = "user_enabled"
	UserRoleChanged Action = "user_role_changed"
	PasswordChanged Action = "password_changed" // which ends the user's sessions
	APIKeyCreated   Action = "api_key_created"
	APIKeyRevoked   Action = "api_key_revoked"
	LogLevelChanged Action = "log_level_changed"
)

// Actions lists every action.
func Actions() []Action {
	return []Action{
		Detected, Changed, Moved, Reopened, Resolved, Triaged, Approved, Rejected,
		LoggedIn, LoginFailed, LoggedOut, TokenReused, UserCreated, UserDisabled, UserEnabled, UserRoleChanged,
		PasswordChanged, APIKeyCreated, APIKeyRevoked, LogLevelChanged,
	}
}

// Actor is who acted, and from where.
type Actor struct {
	// Name is "user:…", "key:…", "system", "operator" or Anonymous, never a
	// credential.
	Name string
	// ClientAddress and UserAgent are empty when nobody called from outside.
	ClientAddress string
	UserAgent     string
}

// Anonymous is the name of an actor who has not proven to be anybody.
const Anonymous = "anonymous"

// System is the actor of what nobody asked for.
func System() Actor { return Actor{Name: "system"} }

// Operator is the actor of what was done by a command on the machine itself,
// which asks for no credential: whoever may run it has the database's password.
func Operator() Actor { return Actor{Name: "operator"} }

// Event is one entry of the audit trail. Ids that do not apply are uuid.Nil.
type Event struct {
	ID      uuid.UUID
	At      time.Time
	Action  Action
	Actor   Actor
	StackID uuid.UUID
	// Stack is the stack's name; the list of the trail fills it in, writes do not
	// use it.
	Stack   string
	DriftID uuid.UUID
	ScanID  uuid.UUID
	// From and To are the drift's status before and after; empty when the
	// action leaves it, and From when there was none.
	From   string
	To     string
	Reason string
	// Until ends a rejection; zero when it has no end.
	Until time.Time
	// Detail holds facts of the action as a JSON object; nil when there are none.
	Detail json.RawMessage
	IDs    correlation.IDs
}
