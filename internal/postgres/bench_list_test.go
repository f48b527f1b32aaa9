package postgres_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// stored is how many drifts the benchmarks of reads find in the database.
var stored = flag.Int("stored", 10_000, "drifts in the database of a benchmark of reads")

// seed fills a database: fifty stacks of very different sizes, some forty
// types, three fifths resolved, and on purpose what is hard to find: kinds that
// are rare and all old, and names that are rare and spread.
const seed = `
	INSERT INTO stacks (id, name, created_at)
		SELECT gen_random_uuid(), 'prod/stack-' || lpad(i::text, 3, '0'), now() FROM generate_series(0, 49) i;
	INSERT INTO coverage (stack_id, origin, scans, scanned_at)
		SELECT id, o, 1000, now() FROM stacks, unnest(ARRAY['outside', 'pending']) o;
	INSERT INTO drifts (id, stack_id, scan_id, address, type, provider, cloud_id, region, account, origin, action,
			severity, severity_reason, status, detected_at, last_seen_at, times_seen, seen_scans, status_changed_at,
			acknowledged_at, resolved_at, resolution, fingerprint, changes)
		SELECT (lpad(to_hex(ms), 12, '0') || '7000' || '8' || lpad(to_hex(i), 15, '0'))::uuid, k.id, k.id,
			'module.' || (ARRAY['network', 'compute', 'data', 'edge', 'iam'])[1 + (h >> 3) % 5] || '["' || (h >> 5) % 1000 || '"].'
				|| type || '.r' || i || CASE WHEN i % (:n / 40) = 0 THEN '_needle' ELSE '' END
				|| CASE WHEN i < :n / 20 THEN '_legacy' ELSE '' END,
			type, 'registry.terraform.io/hashicorp/aws', 'sg-' || substr(md5(i::text), 1, 17), 'eu-west-1', '123456789012',
			CASE WHEN h % 4 = 0 THEN 'pending' ELSE 'outside' END, 'update',
			CASE WHEN h % 50 = 0 THEN 'critical' WHEN h % 3 = 0 THEN 'info' ELSE 'warning' END, 'reason', status,
			to_timestamp(ms / 1000.0), to_timestamp(ms / 1000.0), 1, 1, now(),
			CASE WHEN h % 7 = 0 THEN now() - (h % 50) * interval '1 day' END,
			CASE WHEN status = 'resolved' THEN now() - (i % 90) * interval '1 day' END,
			CASE WHEN status = 'resolved' THEN 'disappeared' END, decode(md5(i::text), 'hex'),
			json_build_array(json_build_object('path', 'ingress', 'before', repeat(md5(i::text), 8), 'after', repeat(md5((i + 1)::text), 8)))
		FROM (
			SELECT i, h, 1700000000000 + i * (50000000000 / :n) AS ms,
				CASE WHEN i < :n / 2000 THEN 'aws_rare' ELSE 'aws_type_' || (h % 97) % 40 END AS type,
				CASE WHEN i < :n / 5000 THEN 'approved' WHEN i < :n / 5 * 3 THEN 'resolved' WHEN h % 100 < 3 THEN 'triaged'
					WHEN h % 100 < 8 THEN 'rejected' ELSE 'detected' END AS status,
				CASE WHEN h % 10 = 0 THEN 0 ELSE (h >> 4) % 50 END AS stack
			FROM (SELECT i::bigint, ('x' || substr(md5(i::text), 1, 7))::bit(28)::int AS h FROM generate_series(1, :n) i) AS numbers
		) AS made
		JOIN (SELECT id, row_number() OVER (ORDER BY name) - 1 AS n FROM stacks) AS k ON k.n = made.stack;
	INSERT INTO drift_counts SELECT stack_id, bucket, count(*) FROM drifts GROUP BY 1, 2;`

// seeded is a database with -stored drifts.
func seeded(b *testing.B) *postgres.DB {
	b.Helper()
	db, conn := open(b)
	if _, err := conn.PgConn().Exec(b.Context(), strings.ReplaceAll(seed, ":n", fmt.Sprint(*stored))).ReadAll(); err != nil {
		b.Fatal(err)
	}
	query(b, conn, `VACUUM ANALYZE`)
	return db
}

// BenchmarkReads measures every read that a caller can make expensive. Run it
// with -stored 10000 and -stored 1000000: the two should not differ.
func BenchmarkReads(b *testing.B) {
	db := seeded(b)
	old := []drift.Status{drift.Approved}
	for _, bc := range []struct {
		name string
		q    postgres.DriftQuery
	}{
		{"all", postgres.DriftQuery{}},
		{"status", postgres.DriftQuery{Statuses: []drift.Status{drift.Detected}}},
		{"status rare and old", postgres.DriftQuery{Statuses: old}},
		{"severity", postgres.DriftQuery{Severities: []drift.Severity{drift.Critical}}},
		{"origin", postgres.DriftQuery{Origins: []drift.Origin{drift.Pending}}},
		{"stack", postgres.DriftQuery{Stack: "prod/stack-000"}},
		{"type", postgres.DriftQuery{Type: "aws_type_7"}},
		{"type rare and old", postgres.DriftQuery{Type: "aws_rare"}},
		{"stack and status", postgres.DriftQuery{Stack: "prod/stack-000", Statuses: old}},
		{"stack and type", postgres.DriftQuery{Stack: "prod/stack-000", Type: "aws_type_7"}},
		{"stack and rare type", postgres.DriftQuery{Stack: "prod/stack-001", Type: "aws_rare"}},
		{"type, severity and status", postgres.DriftQuery{Type: "aws_type_7", Severities: []drift.Severity{drift.Critical}, Statuses: []drift.Status{drift.Triaged}}},
		{"q nothing", postgres.DriftQuery{Search: "nothinglikeit"}},
		{"q rare", postgres.DriftQuery{Search: "needle"}},
		{"q rare and status", postgres.DriftQuery{Search: "needle", Statuses: []drift.Status{drift.Detected}}},
		{"q a twentieth, all old", postgres.DriftQuery{Search: "legacy"}},
		{"q a fifth", postgres.DriftQuery{Search: "module.iam"}},
		{"q everything", postgres.DriftQuery{Search: "aws_"}},
		{"q cloud id", postgres.DriftQuery{Search: "sg-c4ca42"}},
		{"q two characters", postgres.DriftQuery{Search: "zq"}},
	} {
		for sort, order := range allSorts {
			b.Run(bc.name+" by "+sort, func(b *testing.B) {
				bc.q.Sort, bc.q.Limit = order, 20
				for b.Loop() {
					if _, _, err := db.Drifts(b.Context(), bc.q); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
	for name, read := range map[string]func() error{
		"summary":    func() error { _, err := db.Summary(b.Context(), time.Now()); return err },
		"openCounts": func() error { _, err := db.OpenCounts(b.Context()); return err },
		"oldestOpen": func() error { _, err := db.OldestOpen(b.Context()); return err },
		"stacks":     func() error { _, _, err := db.Stacks(b.Context(), postgres.StackQuery{Limit: 100}); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
