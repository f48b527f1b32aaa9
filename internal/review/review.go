// Package review is what becomes of a drift once somebody looks at it: triage,
// approval, rejection for a while, resolution, and the reopening of what was
// rejected until a date.
//
// Which steps exist is drift's to say and how they are kept is postgres's; here
// they become one transaction that either happened, with its entry in the audit
// trail, or did not.
package review

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/correlation"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// Service takes decisions. DB is required.
type Service struct {
	DB *postgres.DB
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Decided is told of every decision that was kept, with the drift as it was
	// before and as it is now; nil if nobody counts.
	Decided func(ctx context.Context, was, is *postgres.Drift)
}

// Decision is what somebody wants to become of a drift, unchecked.
type Decision struct {
	Drift  uuid.UUID
	To     drift.Status
	Reason string
	// Until ends a rejection: an RFC 3339 time or a date, which is the end of that
	// day in UTC; empty when it has no end.
	Until string
	// IfMatch is the Version the decision was made about; empty to decide about
	// whatever stands there now.
	IfMatch string
	// Principal decides, and Actor is how the audit trail names it.
	Principal *auth.Principal
	Actor     audit.Actor
}

// longestRejection is how far away the end of a rejection may be: further is a
// slip, and no end at all can be had by leaving it out.
const longestRejection = 5 * 365 * 24 * time.Hour

// actions are the decisions there are, by the status they lead to.
var actions = map[drift.Status]audit.Action{
	drift.Triaged:  audit.Triaged,
	drift.Approved: audit.Approved,
	drift.Rejected: audit.Rejected,
	drift.Resolved: audit.Resolved,
}

// Decide moves a drift to another status and records who did so and why. It
// returns the drift as it is then. It is a Conflict when the drift cannot go
// there from where it stands, Stale when it is not what IfMatch says any more,
// and NotFound when the principal may not see its stack.
func (s *Service) Decide(ctx context.Context, d Decision) (*postgres.Drift, error) {
	now := s.now()
	decision, err := d.check(now)
	if err != nil {
		return nil, err
	}
	decision.IDs = correlation.From(ctx)
	var was, is *postgres.Drift
	err = s.DB.InTx(ctx, func(tx *postgres.Tx) error {
		if was, err = tx.LockDrift(ctx, d.Drift); err != nil {
			return err
		}
		if err := d.allowed(was); err != nil {
			return err
		}
		is, err = tx.Decide(ctx, was, decision)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s drift %s: %w", decision.Action, d.Drift, err)
	}
	if s.Decided != nil {
		s.Decided(ctx, was, is)
	}
	return is, nil
}

// check turns the wish into what may be written, or says all that is wrong.
func (d *Decision) check(now time.Time) (postgres.Decision, error) {
	action, known := actions[d.To]
	if !known {
		return postgres.Decision{}, fmt.Errorf("nobody decides that a drift is %q", d.To)
	}
	checked := postgres.Decision{Action: action, To: d.To, At: now, Actor: d.Actor}
	var wrong []fault.Field
	bad := func(field, message string) { wrong = append(wrong, fault.Field{Field: field, Message: message}) }
	reason, problem := cleanReason(d.Reason)
	switch {
	case d.To == drift.Triaged && d.Reason != "":
		bad("reason", "is not taken for a triage: it says that somebody is looking, and decides nothing")
	case d.To != drift.Triaged && problem != "":
		bad("reason", problem)
	default:
		checked.Reason = reason
	}
	switch until, err := parseUntil(d.Until); {
	case d.Until == "":
	case d.To != drift.Rejected:
		bad("until", "is only taken for a rejection")
	case err != nil:
		bad("until", "must be a time such as 2027-01-31T08:00:00Z, or a date such as 2027-01-31")
	case !until.After(now):
		bad("until", "must be in the future")
	case until.Sub(now) > longestRejection:
		bad("until", "must be within five years; leave it out to reject for good")
	default:
		checked.Until = until
	}
	if len(wrong) > 0 {
		return postgres.Decision{}, fault.BadFields(wrong...)
	}
	return checked, nil
}

// parseUntil reads a time, or a date as the end of that day.
func parseUntil(text string) (time.Time, error) {
	if day, err := time.ParseInLocation(time.DateOnly, text, time.UTC); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	return time.Parse(time.RFC3339, text)
}

// allowed reports why the decision can't be taken about the drift as it is.
func (d *Decision) allowed(was *postgres.Drift) error {
	if d.Principal != nil && !d.Principal.Stacks.Match(was.Stack) {
		return fault.New(fault.NotFound, "no such drift")
	}
	if d.IfMatch != "" && d.IfMatch != Version(was) {
		return fault.New(fault.Stale, fmt.Sprintf("the drift has changed since you looked at it; it is %s now: read it again, then decide", was.Status))
	}
	if !was.Status.CanBecome(d.To) {
		return fault.New(fault.Conflict, fmt.Sprintf("the drift is %s, and a drift that is %s cannot become %s", was.Status, was.Status, d.To))
	}
	return nil
}

// Version names what a decision about a drift would be about: where it stands
// and what differs. Being seen by one more scan does not change it. It is the
// drift's entity tag (RFC 9110, section 8.8.3), without the quotes.
func Version(d *postgres.Drift) string {
	sum := sha256.New()
	for _, part := range []string{
		d.ID.String(), string(d.Status), strconv.FormatInt(d.StatusChangedAt.UnixMicro(), 10),
		string(d.Action), string(d.Severity), hex.EncodeToString(d.Fingerprint[:]),
	} {
		sum.Write([]byte(part))
		sum.Write([]byte{0})
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

func (s *Service) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}
