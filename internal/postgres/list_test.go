package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// allSorts names every order by what it is in the API.
var allSorts = map[string]postgres.DriftSort{
	"-detectedAt": postgres.Newest, "detectedAt": postgres.Oldest, "-severity": postgres.WorstFirst,
	"severity": postgres.MildestFirst, "address": postgres.AddressAZ, "-address": postgres.AddressZA,
}

// variety fills db with drifts of every kind in three stacks, some found by
// the same scan, some with the same address.
func variety(t *testing.T, db *postgres.DB, conn *pgx.Conn) {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, 7))
	pick := func(n int) int { return rng.IntN(n) }
	for round := range 6 {
		for _, stack := range []string{"prod/a", "prod/b", "dev"} {
			rep := report(noon)
			rep.Status, rep.Pending = drift.Incomplete, true // resolve nothing
			var resources []*drift.Resource
			for i := range 12 {
				r := resource(fmt.Sprintf("module.m%d.aws_thing.x%d_%d", pick(3), i, pick(2)*100+round), "1")
				r.CloudID = fmt.Sprintf("Cloud-%d%%", pick(5))
				r.Type = []string{"aws_security_group", "aws_iam_role"}[pick(2)]
				r.Severity = drift.Severities()[pick(3)]
				r.Origin = drift.Origins()[pick(2)]
				resources = append(resources, r)
			}
			apply(t, db, stack, noon.Add(time.Duration(round)*time.Minute), rep, resources...)
		}
	}
	// Nobody decides at random, so this does, behind the store's back.
	query(t, conn, `UPDATE drifts SET status = s, resolved_at = CASE WHEN s = 'resolved' THEN detected_at END,
			resolution = CASE WHEN s = 'resolved' THEN 'resolved' END
		FROM (SELECT id AS i, (ARRAY['detected', 'triaged', 'approved', 'rejected', 'resolved'])[1 + get_byte(uuid_send(id), 15) % 5] AS s FROM drifts) x
		WHERE i = id`)
}

// walk reads every page of q and returns all drifts in order.
func walk(t *testing.T, db *postgres.DB, q postgres.DriftQuery, between func()) []postgres.Drift {
	t.Helper()
	var all []postgres.Drift
	for {
		page, more, err := db.Drifts(t.Context(), q)
		if err != nil {
			t.Fatalf("Drifts(%+v) = %v", q, err)
		}
		if len(page) > q.Limit || more && len(page) != q.Limit {
			t.Fatalf("Drifts(%+v) returned %d and more: %v", q, len(page), more)
		}
		all = append(all, page...)
		if !more {
			return all
		}
		c := page[len(page)-1].Cursor()
		q.After = &c
		if between != nil {
			between()
		}
	}
}

// less is what the orders mean, said in another way than SQL does.
func less(sort postgres.DriftSort, a, b *postgres.Drift) int {
	rank := func(d *postgres.Drift) int { return -slices.Index(drift.Severities(), d.Severity) }
	byID := strings.Compare(a.ID.String(), b.ID.String())
	byTime := a.DetectedAt.Compare(b.DetectedAt)
	if byTime == 0 {
		byTime = byID
	}
	first := func(c, otherwise int) int {
		if c != 0 {
			return c
		}
		return otherwise
	}
	switch sort {
	case postgres.Newest:
		return -byTime
	case postgres.Oldest:
		return byTime
	case postgres.WorstFirst:
		return -first(rank(a)-rank(b), byTime)
	case postgres.MildestFirst:
		return first(rank(a)-rank(b), byTime)
	case postgres.AddressAZ:
		return first(strings.Compare(a.Address, b.Address), byID)
	default:
		return -first(strings.Compare(a.Address, b.Address), byID)
	}
}

func ids(drifts []postgres.Drift) []string {
	var all []string
	for _, d := range drifts {
		all = append(all, d.Stack+" "+d.Address+" "+d.ID.String())
	}
	return all
}

func TestDriftsFiltersAndSorts(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	variety(t, db, conn)
	everything := walk(t, db, postgres.DriftQuery{Limit: 100}, nil)
	if len(everything) != 6*3*12 {
		t.Fatalf("Drifts() without filters has %d, want %d", len(everything), 6*3*12)
	}
	for name, tc := range map[string]struct {
		query postgres.DriftQuery
		fits  func(d *postgres.Drift) bool
	}{
		"all":      {postgres.DriftQuery{}, func(*postgres.Drift) bool { return true }},
		"status":   {postgres.DriftQuery{Statuses: []drift.Status{drift.Triaged}}, func(d *postgres.Drift) bool { return d.Status == drift.Triaged }},
		"severity": {postgres.DriftQuery{Severities: []drift.Severity{drift.Critical}}, func(d *postgres.Drift) bool { return d.Severity == drift.Critical }},
		"origin":   {postgres.DriftQuery{Origins: []drift.Origin{drift.Pending}}, func(d *postgres.Drift) bool { return d.Origin == drift.Pending }},
		"stack":    {postgres.DriftQuery{Stack: "prod/b"}, func(d *postgres.Drift) bool { return d.Stack == "prod/b" }},
		"type":     {postgres.DriftQuery{Type: "aws_iam_role"}, func(d *postgres.Drift) bool { return d.Type == "aws_iam_role" }},
		"address":  {postgres.DriftQuery{Search: "MODULE.m1"}, func(d *postgres.Drift) bool { return strings.Contains(d.Address, "module.m1") }},
		"cloud id": {postgres.DriftQuery{Search: "cloud-3%"}, func(d *postgres.Drift) bool { return d.CloudID == "Cloud-3%" }},
		"short":    {postgres.DriftQuery{Search: "m2"}, func(d *postgres.Drift) bool { return strings.Contains(d.Address, "m2") }},
		"pattern":  {postgres.DriftQuery{Search: "x_"}, func(d *postgres.Drift) bool { return false }},
		"two of a kind": {
			postgres.DriftQuery{Statuses: []drift.Status{drift.Detected, drift.Resolved}, Severities: []drift.Severity{drift.Info, drift.Warning}},
			func(d *postgres.Drift) bool {
				return (d.Status == drift.Detected || d.Status == drift.Resolved) && d.Severity != drift.Critical
			},
		},
		"together": {
			postgres.DriftQuery{Stack: "dev", Type: "aws_iam_role", Search: "aws_thing", Origins: []drift.Origin{drift.Outside}, Statuses: []drift.Status{drift.Detected}},
			func(d *postgres.Drift) bool {
				return d.Stack == "dev" && d.Type == "aws_iam_role" && d.Origin == drift.Outside && d.Status == drift.Detected
			},
		},
		"no such stack": {postgres.DriftQuery{Stack: "nowhere"}, func(*postgres.Drift) bool { return false }},
	} {
		for sort, order := range allSorts {
			q := tc.query
			q.Sort, q.Limit = order, 7
			var want []postgres.Drift
			for _, d := range everything {
				if tc.fits(&d) {
					want = append(want, d)
				}
			}
			slices.SortFunc(want, func(a, b postgres.Drift) int { return less(order, &a, &b) })
			if diff := cmp.Diff(ids(want), ids(walk(t, db, q, nil))); diff != "" {
				t.Errorf("%s by %s (-want +got):\n%s", name, sort, diff)
			}
		}
	}
}

func TestDriftsReadsCommonSearchesInOrder(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	variety(t, db, conn)
	for sort, order := range allSorts {
		q := postgres.DriftQuery{Search: "m1.aws", Statuses: []drift.Status{drift.Detected, drift.Triaged}, Sort: order, Limit: 5}
		found := walk(t, db, q, nil)
		inOrder, err := postgres.Open(t.Context(), postgres.Options{URL: conn.Config().ConnString()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(inOrder.Close)
		postgres.NoSearchIsRare(inOrder)
		if diff := cmp.Diff(ids(found), ids(walk(t, inOrder, q, nil))); diff != "" || len(found) == 0 {
			t.Errorf("by %s the two ways of searching differ (-rare +common):\n%s", sort, diff)
		}
	}
}

func TestAWalkMeetsEveryDriftOnceWhileOthersAreInserted(t *testing.T) {
	t.Parallel()
	for sort, order := range allSorts {
		t.Run(sort, func(t *testing.T) {
			t.Parallel()
			db, conn := open(t)
			variety(t, db, conn)
			before := walk(t, db, postgres.DriftQuery{Limit: 100}, nil)
			round := 0
			met := make(map[string]int)
			for _, d := range walk(t, db, postgres.DriftQuery{Sort: order, Limit: 10}, func() {
				round++
				rep := report(noon)
				rep.Status = drift.Incomplete
				if round < 20 {
					apply(t, db, "new", noon.Add(time.Duration(round)*time.Second), rep,
						resource(fmt.Sprintf("a.%d", round), "1"), resource(fmt.Sprintf("z.%d", round), "1"))
				}
			}) {
				met[d.ID.String()]++
			}
			for _, d := range before {
				if met[d.ID.String()] != 1 {
					t.Errorf("%s was met %d times, want once", d.Address, met[d.ID.String()])
				}
			}
			for id, n := range met {
				if n != 1 {
					t.Errorf("%s was met %d times, want once", id, n)
				}
			}
		})
	}
}

func TestBucketsAreWhatTheSchemaComputes(t *testing.T) {
	t.Parallel()
	db, conn := open(t)
	variety(t, db, conn)
	for i, b := range postgres.Buckets() {
		if int(b) != i {
			t.Errorf("bucket %d is computed as %d", i, b)
		}
	}
	for _, d := range walk(t, db, postgres.DriftQuery{Limit: 100}, nil) {
		page, _, err := db.Drifts(t.Context(), postgres.DriftQuery{
			Statuses: []drift.Status{d.Status}, Severities: []drift.Severity{d.Severity}, Origins: []drift.Origin{d.Origin}, Limit: 100,
		})
		if err != nil || !slices.ContainsFunc(page, func(p postgres.Drift) bool { return p.ID == d.ID }) {
			t.Fatalf("Drifts() of %s %s %s = %v, %v: %s is missing", d.Status, d.Severity, d.Origin, ids(page), err, d.ID)
		}
	}
	wantRows(t, conn, `SELECT count(*) FROM drifts WHERE (bucket >= 24) <> (status = 'resolved')`, []string{"0"})
}
