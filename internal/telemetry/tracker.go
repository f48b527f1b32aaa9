package telemetry

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// maxGroups bounds the tracker's memory: the group longest not seen goes.
	maxGroups = 1000
	// maxSamples is how many correlation ids a group remembers, the newest.
	maxSamples = 5
	// maxMessage bounds a group's message, in bytes.
	maxMessage = 500
	// trackInterval is how often one group is logged.
	trackInterval = time.Minute
)

// ErrorGroup is what is known of all errors with one fingerprint: one code, at
// one place, with one innermost type.
type ErrorGroup struct {
	Fingerprint    string    `json:"fingerprint"`
	Code           string    `json:"code"`
	Where          string    `json:"where"` // "GET /api/v1/drifts/{id}", or the name of background work
	Type           string    `json:"type"`
	Message        string    `json:"message"` // of the last one, cleaned
	Count          uint64    `json:"count"`
	FirstSeen      time.Time `json:"firstSeen"`
	LastSeen       time.Time `json:"lastSeen"`
	CorrelationIDs []string  `json:"correlationIds"` // of some, the newest first
}

// ErrorReport is what the tracker knows, for GET /api/v1/errors.
type ErrorReport struct {
	// Total counts every error since the start, those of forgotten groups too.
	Total uint64 `json:"total"`
	// Forgotten counts the groups that had to make room.
	Forgotten uint64       `json:"forgotten"`
	Since     time.Time    `json:"since"`
	Groups    []ErrorGroup `json:"groups"` // the newest first
}

type fingerprint struct{ code, where, kind string }

func (f fingerprint) hash() string {
	sum := sha256.Sum256([]byte(f.code + "\x00" + f.where + "\x00" + f.kind))
	return hex.EncodeToString(sum[:8])
}

// tracker groups errors and counts them, in bounded memory.
type tracker struct {
	now func() time.Time

	mu        sync.Mutex
	groups    map[fingerprint]*trackedGroup
	total     uint64
	forgotten uint64
	since     time.Time
}

type trackedGroup struct {
	ErrorGroup
	logged time.Time
}

func newTracker(now func() time.Time) *tracker {
	return &tracker{now: now, groups: map[fingerprint]*trackedGroup{}, since: now().UTC()}
}

// track counts one error. news reports whether the group should be logged.
func (t *tracker) track(key fingerprint, message, correlationID string) (group ErrorGroup, news bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now().UTC()
	t.total++
	g, known := t.groups[key]
	if !known {
		t.makeRoom()
		g = &trackedGroup{ErrorGroup: ErrorGroup{
			Fingerprint: key.hash(), Code: key.code, Where: key.where, Type: key.kind, FirstSeen: now,
		}}
		t.groups[key] = g
	}
	g.Count++
	g.LastSeen = now
	g.Message = clip(message, maxMessage)
	g.remember(correlationID)
	if now.Sub(g.logged) >= trackInterval {
		g.logged, news = now, true
	}
	return g.snapshot(), news
}

// makeRoom forgets the group longest not seen if there are too many. Looking
// through a thousand is cheap beside what an error costs anyway.
func (t *tracker) makeRoom() {
	if len(t.groups) < maxGroups {
		return
	}
	var oldest fingerprint
	var seen time.Time
	for key, g := range t.groups {
		if seen.IsZero() || g.LastSeen.Before(seen) {
			oldest, seen = key, g.LastSeen
		}
	}
	delete(t.groups, oldest)
	t.forgotten++
}

// remember keeps the newest ids, each once.
func (g *trackedGroup) remember(id string) {
	if id == "" || slices.Contains(g.CorrelationIDs, id) {
		return
	}
	g.CorrelationIDs = slices.Insert(g.CorrelationIDs, 0, id)
	g.CorrelationIDs = g.CorrelationIDs[:min(len(g.CorrelationIDs), maxSamples)]
}

func (g *trackedGroup) snapshot() ErrorGroup {
	group := g.ErrorGroup
	group.CorrelationIDs = append([]string{}, g.CorrelationIDs...)
	return group
}

// Errors tells the tracked errors, the newest group first.
func (t *Telemetry) Errors() ErrorReport {
	return t.tracker.report(func(ErrorGroup) bool { return true })
}

// ErrorsOf tells the groups that remember this correlation id. A group
// remembers few, so that an old id may be missing.
func (t *Telemetry) ErrorsOf(correlationID string) []ErrorGroup {
	return t.tracker.report(func(g ErrorGroup) bool { return slices.Contains(g.CorrelationIDs, correlationID) }).Groups
}

func (t *tracker) report(wanted func(ErrorGroup) bool) ErrorReport {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := ErrorReport{Total: t.total, Forgotten: t.forgotten, Since: t.since, Groups: []ErrorGroup{}}
	for _, g := range t.groups {
		if wanted(g.ErrorGroup) {
			r.Groups = append(r.Groups, g.snapshot())
		}
	}
	slices.SortFunc(r.Groups, func(a, b ErrorGroup) int {
		return cmp.Or(b.LastSeen.Compare(a.LastSeen), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	return r
}

// clip cuts s to at most n bytes, between characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
