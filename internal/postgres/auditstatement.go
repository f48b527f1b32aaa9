package postgres

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/audit"
)

// auditList is a query on its way to SQL.
//
// Every read is written so that only the index meant for it fits: it goes
// backwards from a place in the index (a row comparison) to where the key
// changes (an inequality on it), in an order that names the key. The planner
// would rather read the newest events until enough fit, which may be none.
type auditList struct {
	AuditQuery
	stack uuid.UUID

	args          []any
	limit, before string // parameters: how many, and the id before which the page is
}

// param adds a parameter and returns how the text names it.
func (l *auditList) param(value any) string {
	l.args = append(l.args, value)
	return fmt.Sprintf("$%d", len(l.args))
}

// statement returns the SQL of the page and one more, and its arguments.
func (l *auditList) statement() (string, []any) {
	first, last := l.bounds()
	l.limit, l.before = l.param(l.Limit+1), l.param(last)
	since := l.param(first)
	// Where the page begins is asked of what was found. Were it asked of every
	// read, one that finds too few would go on through all that is older.
	return `-- name: ListEvents
		SELECT ` + eventColumns + `, k.name
		FROM (
			SELECT found.id FROM (` + strings.Join(l.reads(last), ` UNION ALL `) + `) AS found
			WHERE found.id >= ` + since + ` ORDER BY found.id DESC LIMIT ` + l.limit + `
		) AS page
		JOIN events e ON e.id = page.id LEFT JOIN stacks k ON k.id = e.stack_id
		ORDER BY e.id DESC`, l.args
}

// reads are the statements that find the ids of the page. People do little, so
// their name says more than a stack does; a key uploads all day.
func (l *auditList) reads(last uuid.UUID) []string {
	person := strings.HasPrefix(l.Actor, "user:")
	switch {
	case l.DriftID != uuid.Nil:
		return []string{l.byKey("drift_id", l.param(l.DriftID))}
	case l.Correlation != "":
		return []string{l.byKey("correlation_id", l.param(l.Correlation))}
	case l.Stack != "" && !person:
		return l.byAction("e.stack_id = "+l.param(l.stack), l.detectedInStack)
	case l.Actor != "":
		return l.byAction("e.actor = "+l.param(l.Actor), func() string { return l.detectedByActor(last) })
	case len(l.Actions) > 0:
		return l.byAction("true", l.detected)
	default:
		return []string{`(SELECT e.id FROM events e WHERE e.id < ` + l.before + ` ORDER BY e.id DESC LIMIT ` + l.limit + `)`}
	}
}

// byKey reads the events of one value of a column.
func (l *auditList) byKey(column, value string) string {
	rest := l.rest()
	if len(l.Actions) > 0 {
		rest += " AND e.action = ANY (" + l.param(l.Actions) + ")"
	}
	if l.Correlation != "" && column != "correlation_id" {
		rest += " AND e.correlation_id = " + l.param(l.Correlation)
	}
	return `(SELECT e.id FROM events e
		WHERE (e.` + column + `, e.id) < (` + value + `, ` + l.before + `) AND e.` + column + ` >= ` + value + rest + `
		ORDER BY e.` + column + ` DESC, e.id DESC LIMIT ` + l.limit + `)`
}

// byAction reads the events of each action in turn among those that fit where,
// and those of detected drifts with a statement of their own. Asking for the
// actions as a list once more would have each read go through all of them.
func (l *auditList) byAction(where string, detected func() string) []string {
	actions := slices.Clone(l.Actions)
	if len(actions) == 0 {
		actions = audit.Actions()
	}
	var reads []string
	if slices.Contains(actions, audit.Detected) {
		reads = append(reads, detected())
		actions = slices.DeleteFunc(actions, func(a audit.Action) bool { return a == audit.Detected })
	}
	if len(actions) == 0 {
		return reads
	}
	return append(reads, `(SELECT e.id FROM (SELECT DISTINCT unnest(`+l.param(actions)+`::text[])) AS a (action)
		CROSS JOIN LATERAL (
			SELECT e.id FROM events e
			WHERE `+where+` AND (e.action, e.id) < (a.action, `+l.before+`) AND e.action >= a.action
				AND e.action <> 'detected'`+l.rest()+`
			ORDER BY e.action DESC, e.id DESC LIMIT `+l.limit+`
		) AS e)`)
}

// detected reads the events of the newest drifts.
func (l *auditList) detected() string {
	return `(SELECT d.id FROM drifts d WHERE d.id < ` + l.before + ` ORDER BY d.id DESC LIMIT ` + l.limit + `)`
}

// detectedInStack merges the buckets of a stack's drifts.
func (l *auditList) detectedInStack() string {
	actor := ""
	if l.Actor != "" {
		actor = ` AND EXISTS (SELECT FROM events e WHERE e.id = d.id AND e.actor = ` + l.param(l.Actor) + `)`
	}
	return `(SELECT d.id FROM unnest(` + l.param(bucketsOf(nil, nil, nil)) + `::smallint[]) AS b (bucket)
		CROSS JOIN LATERAL (
			SELECT d.id FROM drifts d
			WHERE d.stack_id = ` + l.param(l.stack) + ` AND (d.bucket, d.id) < (b.bucket, ` + l.before + `) AND d.bucket >= b.bucket` + actor + `
			ORDER BY d.bucket DESC, d.id DESC LIMIT ` + l.limit + `
		) AS d)`
}

// detectedByActor reads the newest scans of an actor that found something. As
// many as the page has events are enough: a scan's id is of the same
// millisecond as its events.
func (l *auditList) detectedByActor(last uuid.UUID) string {
	actor, stack := l.param(l.Actor), ""
	if l.Stack != "" {
		stack = ` AND s.stack_id = ` + l.param(l.stack)
	}
	return `(SELECT d.id FROM (
			SELECT s.id FROM scans s
			WHERE (s.uploaded_by, s.id) < (` + actor + `, ` + l.param(nextMillisecond(last)) + `) AND s.uploaded_by >= ` + actor + `
				AND s.detected > 0` + stack + `
			ORDER BY s.uploaded_by DESC, s.id DESC LIMIT ` + l.limit + `
		) AS s
		CROSS JOIN LATERAL (
			SELECT d.id FROM drifts d
			WHERE (d.scan_id, d.id) < (s.id, ` + l.before + `) AND d.scan_id >= s.id
			ORDER BY d.scan_id DESC, d.id DESC LIMIT ` + l.limit + `
		) AS d)`
}

// rest are the filters that a read by one key leaves, except the actions.
func (l *auditList) rest() string {
	rest := ""
	if l.Stack != "" {
		rest += " AND e.stack_id = " + l.param(l.stack)
	}
	if l.Actor != "" {
		rest += " AND e.actor = " + l.param(l.Actor)
	}
	return rest
}

// bounds are the ids between which the page lies: from the first to before the
// last. The ids of events begin with their time.
func (l *auditList) bounds() (first, last uuid.UUID) {
	first, last = uuid.Nil, uuid.Max
	if !l.Since.IsZero() {
		first = firstID(l.Since)
	}
	if !l.Until.IsZero() {
		last = firstID(l.Until)
	}
	if l.After != uuid.Nil && l.After.String() < last.String() {
		last = l.After
	}
	return first, last
}

// firstID is before every id of an event that happened at that time or later,
// and after those of earlier ones.
func firstID(at time.Time) uuid.UUID {
	return idOfMillis(at.Add(time.Millisecond - 1).UnixMilli()) // events have whole ones
}

// nextMillisecond is before every id of a later millisecond than that of id.
func nextMillisecond(id uuid.UUID) uuid.UUID {
	return idOfMillis(int64(binary.BigEndian.Uint64(id[:])>>16) + 1)
}

func idOfMillis(millis int64) uuid.UUID {
	if millis >= 1<<48 {
		return uuid.Max
	}
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:], uint64(max(millis, 0))<<16)
	return id
}
