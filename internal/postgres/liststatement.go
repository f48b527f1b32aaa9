package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// driftList is a query on its way to SQL. There are as many texts as there are
// orders and sets of filters, each prepared once per connection.
type driftList struct {
	DriftQuery
	stack  uuid.UUID
	starts []bucketStart
	rare   bool // few drifts fit the search

	args []any
}

// param adds a parameter and returns how the text names it.
func (l *driftList) param(value any) string {
	l.args = append(l.args, value)
	return fmt.Sprintf("$%d", len(l.args))
}

// statement returns the SQL of the page and one more, and its arguments.
func (l *driftList) statement() (string, []any) {
	limit := l.param(l.Limit + 1)
	starts := l.startRows()
	inner, outer := l.orders()
	var page string
	if l.rare {
		// All that fits the search is found once, by its trigrams, and sorted.
		page = `SELECT d.id, d.bucket, d.address
			FROM (SELECT d.id, d.bucket, d.address FROM drifts d WHERE ` + l.filters() + ` OFFSET 0) AS d
			JOIN ` + starts + ` ON d.bucket = b.bucket AND ` + l.afterStart() + `
			ORDER BY ` + outer + ` LIMIT ` + limit
	} else {
		page = `SELECT d.id, d.bucket, d.address
			FROM ` + starts + `
			CROSS JOIN LATERAL (
				SELECT d.id, d.bucket, d.address FROM drifts d
				WHERE ` + l.afterStart() + ` AND ` + l.sameBucket() + ` AND ` + l.filters() + `
				ORDER BY ` + inner + ` LIMIT ` + limit + `
			) AS d
			ORDER BY ` + outer + ` LIMIT ` + limit
	}
	return `-- name: ListDrifts` + driftSelect + `
		FROM (` + page + `) AS page
		JOIN drifts d ON d.id = page.id` + driftJoins + `
		ORDER BY ` + outer, l.args
}

// startRows is the table of the buckets to read and where each begins.
func (l *driftList) startRows() string {
	buckets, addresses, ids := make([]int16, len(l.starts)), make([]string, len(l.starts)), make([]uuid.UUID, len(l.starts))
	for i, s := range l.starts {
		buckets[i], addresses[i], ids[i] = int16(s.bucket), s.address, s.id
	}
	table := `unnest(` + l.param(buckets) + `::smallint[], ` + l.param(ids) + `::uuid[]`
	if !l.Sort.byAddress() {
		return table + `) AS b (bucket, id)`
	}
	return table + `, ` + l.param(addresses) + `::text[]) AS b (bucket, id, address)`
}

// orders returns the order in which buckets are read and the one of the page.
// The first begins with the bucket although there is only one of it, so that
// no other index fits: the planner would rather read the whole primary key of
// a small table, thirty times.
func (l *driftList) orders() (inner, outer string) {
	forwards, backwards := " ASC", " DESC"
	if l.Sort.descending() {
		forwards, backwards = backwards, forwards
	}
	outer = "d.id" + forwards
	if l.Sort.byAddress() {
		outer = "d.address" + forwards + ", " + outer
	}
	inner = "d.bucket" + forwards + ", " + outer
	if l.Sort.bySeverity() {
		// The severity is in the bucket, worst lowest.
		outer = "d.bucket / 2 % 3" + backwards + ", " + outer
	}
	return inner, outer
}

// afterStart holds for what comes after a bucket's start and is in no other
// bucket that is read in the same direction from there.
func (l *driftList) afterStart() string {
	compare := " > "
	if l.Sort.descending() {
		compare = " < "
	}
	if l.Sort.byAddress() {
		return "(d.bucket, d.address, d.id)" + compare + "(b.bucket, b.address, b.id)"
	}
	return "(d.bucket, d.id)" + compare + "(b.bucket, b.id)"
}

// sameBucket keeps a read that afterStart begins within its bucket. It is an
// inequality for the sake of orders: an equality would make the bucket
// meaningless there.
func (l *driftList) sameBucket() string {
	if l.Sort.descending() {
		return "d.bucket >= b.bucket"
	}
	return "d.bucket <= b.bucket"
}

// filters are the conditions that the bucket does not already mean.
func (l *driftList) filters() string {
	filters := []string{"true"}
	if l.Stack != "" {
		filters = append(filters, "d.stack_id = "+l.param(l.stack))
	}
	if l.Type != "" {
		filters = append(filters, "d.type = "+l.param(l.Type))
	}
	if l.Search != "" {
		p := l.param(l.pattern())
		filters = append(filters, "(d.address ILIKE "+p+" OR d.cloud_id ILIKE "+p+")")
	}
	return strings.Join(filters, " AND ")
}

// pattern is the search as LIKE takes it.
func (l *driftList) pattern() string { return "%" + likeEscaper.Replace(l.Search) + "%" }

// likeEscaper makes text mean itself in a LIKE pattern.
var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// rareMatches is how many drifts may fit a search for all of them to be found
// and sorted; that takes about a microsecond for each. When more do, some are soon met
// by reading in order.
const rareMatches = 100_000

// searchIsRare asks the planner's statistics how many drifts fit a pattern.
// The planner would use them itself, but for each bucket apart, finding the
// same few matches thirty times.
func (db *DB) searchIsRare(ctx context.Context, pattern string) (bool, error) {
	var text []byte
	err := db.pool.QueryRow(ctx, `-- name: EstimateSearch
		EXPLAIN (FORMAT JSON) SELECT FROM drifts d WHERE d.address ILIKE $1 OR d.cloud_id ILIKE $1`,
		pgx.QueryExecModeExec, pattern).Scan(&text)
	if err != nil {
		return false, classify(fmt.Errorf("estimate search: %w", err))
	}
	var plans []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
		}
	}
	if err := json.Unmarshal(text, &plans); err != nil || len(plans) != 1 {
		return false, fmt.Errorf("estimate search: the plan reads %q: %w", text, err)
	}
	return plans[0].Plan.Rows < db.rareMatches, nil
}
