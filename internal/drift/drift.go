// Package drift is the domain: what a drift is, how two values of an
// attribute differ, how bad that is, and what a new report means for the
// drifts already known.
//
// It turns values into values. It reads no clock, opens no socket, and knows no
// SQL and no plan format. What is kept, a Resource and all in it, cannot carry a
// raw secret; Difference and Subject can, and live only while a report is read.
package drift

import "github.com/google/uuid"

// Origin says where a report saw the difference. The two are different news
// and are never added up.
type Origin string

// The origins.
const (
	Outside Origin = "outside" // reality was changed behind the code's back
	Pending Origin = "pending" // the code asks for something not applied yet
)

// Origins lists every origin.
func Origins() []Origin { return []Origin{Outside, Pending} }

// Action is what happened to the resource (outside) or what applying the code
// would do to it (pending).
type Action string

// The actions, in the words of Terraform's plan.
const (
	Create  Action = "create"
	Update  Action = "update"
	Delete  Action = "delete"
	Replace Action = "replace"
	Import  Action = "import"
	Forget  Action = "forget"
)

// Actions lists every action.
func Actions() []Action { return []Action{Create, Update, Delete, Replace, Import, Forget} }

// Severity says how fast somebody should look.
type Severity string

// The severities, worst first.
const (
	Critical Severity = "critical"
	Warning  Severity = "warning"
	Info     Severity = "info"
)

// Severities lists every severity, worst first.
func Severities() []Severity { return []Severity{Critical, Warning, Info} }

// Key names a drift within its stack. At most one drift with a key is open at
// any time; the schema enforces it.
type Key struct {
	Origin  Origin
	Address string
}

// Fingerprint is a keyed hash of a drift's action and of all its news, hidden
// values included: two reports with the same fingerprint say the same thing.
type Fingerprint [16]byte

// Resource is one resource that a report shows not to be as the code says,
// with everything secret already hidden.
type Resource struct {
	// Address is unique within the report and origin. A deposed object's ends
	// in " (deposed object KEY)", as Terraform prints it.
	Address         string
	PreviousAddress string // where a moved block took it from; else empty
	Type            string
	Provider        string
	// CloudID, Region and Account are empty where the values do not tell.
	CloudID string
	Region  string
	Account string

	Origin         Origin
	Action         Action
	Severity       Severity
	SeverityReason string
	// News are the changes that make this a drift; Noise those that do not. A
	// resource with noise alone never becomes a drift.
	News        []Change
	Noise       []Change
	Fingerprint Fingerprint
}

// Key is the name under which the resource's drift is found again.
func (r *Resource) Key() Key { return Key{Origin: r.Origin, Address: r.Address} }

// OnlyNoise reports whether nothing about the resource is news. Whatever
// creates, deletes, replaces, imports or forgets an object always is.
func (r *Resource) OnlyNoise() bool { return r.Action == Update && len(r.News) == 0 }

// Standing is what must be known of a stored open drift to tell what a new
// report means for it.
type Standing struct {
	ID          uuid.UUID
	Key         Key
	Status      Status
	Fingerprint Fingerprint
	// QuietUntil ends a rejection, in Unix seconds; zero means no end.
	QuietUntil int64
}

// Sighting is what must be kept of a reported drift to reconcile it: small,
// because a report can have a hundred thousand.
type Sighting struct {
	Key             Key
	PreviousAddress string
	Fingerprint     Fingerprint
}
