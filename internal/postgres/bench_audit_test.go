package postgres_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// seedEvents fills the trail of fifty stacks: nine of ten events come from
// uploads, in seals of 1,000, the others are decisions and logins with a seal
// each; what is rare is old.
const seedEvents = `
	INSERT INTO stacks (id, name, created_at)
		SELECT gen_random_uuid(), 'prod/stack-' || lpad(i::text, 3, '0'), now() FROM generate_series(0, 49) i;
	INSERT INTO events (id, at, stack_id, drift_id, scan_id, action, actor, to_status, reason, correlation_id, trace_id, span_id, client_address, seal_id)
		SELECT (lpad(to_hex(ms), 12, '0') || '70008' || lpad(to_hex(i), 15, '0'))::uuid, to_timestamp(ms / 1000.0),
			CASE WHEN uploaded OR i % 20 = 0 THEN k.id END, CASE WHEN uploaded OR i % 20 = 0 THEN md5((i % 1000)::text)::uuid END,
			CASE WHEN uploaded THEN (lpad(to_hex(1700000000000 + i / 1000 * 1000 * (50000000000 / :n)), 12, '0') || '70008' || lpad(to_hex(i / 1000), 15, '0'))::uuid END,
			CASE WHEN uploaded THEN 'detected' WHEN i < :n / 1000 THEN 'api_key_created' WHEN i % 20 = 0 THEN 'triaged' ELSE 'logged_in' END,
			CASE WHEN uploaded THEN 'key:ci' WHEN i < :n / 1000 THEN 'user:root@example.com' ELSE 'user:u' || i % 100 || '@example.com' END,
			'detected', CASE WHEN NOT uploaded THEN 'because of ' || md5(i::text) END, md5((CASE WHEN uploaded THEN i / 1000 ELSE i END)::text),
			md5('t'), substr(md5('s'), 1, 16), CASE WHEN NOT uploaded THEN '203.0.113.7' END,
			('00000000-0000-7000-8000-' || lpad(to_hex(CASE WHEN uploaded THEN i / 1000 * 1000 ELSE i END), 12, '0'))::uuid
		FROM (SELECT i, i % 10 <> 0 AS uploaded, 1700000000000 + i * (50000000000 / :n) AS ms FROM generate_series(1, :n::bigint) i) AS numbers
		JOIN (SELECT id, row_number() OVER (ORDER BY name) - 1 AS n FROM stacks) AS k ON k.n = (i / 1000) % 50;
	INSERT INTO drifts (id, stack_id, scan_id, address, type, provider, origin, action, severity, status, detected_at, last_seen_at,
			times_seen, seen_scans, status_changed_at, fingerprint, changes)
		SELECT id, stack_id, scan_id, id, 't', 'p', 'outside', 'update', 'info', 'detected', at, at, 1, 1, at, decode(md5('x'), 'hex'), '[]'
		FROM events WHERE action = 'detected';
	INSERT INTO scans (id, stack_id, received_at, format, status, outside, pending, payload_sha256, payload_bytes, resources, detected,
			known, reopened, resolved, noise, receipt, uploaded_by, correlation_id)
		SELECT scan_id, stack_id, now(), 'f', 'complete', true, false, sha256(uuid_send(scan_id)), 1, 1, 900, 0, 0, 0, 0, '{}', 'key:ci', 'c'
		FROM (SELECT DISTINCT scan_id, stack_id FROM events WHERE action = 'detected') AS e;
	INSERT INTO audit_seals
		SELECT CASE WHEN n = 1 THEN 'account:' || lane ELSE :stack END, row_number() OVER (PARTITION BY CASE WHEN n = 1 THEN 'account:' || lane ELSE :stack END ORDER BY seal_id),
			seal_id, now(), n, digest, sha256(''), sha256('')
		FROM (SELECT seal_id, count(*) AS n, ('x' || right(seal_id::text, 3))::bit(12)::int / 10 % 16 AS lane,
			sha256(string_agg(sha256(record_send(ROW(e.id, e.at, e.stack_id, e.drift_id, e.scan_id, e.action, e.actor,
			e.from_status, e.to_status, e.reason, e.until, e.detail, e.correlation_id, e.trace_id, e.span_id,
			e.client_address, e.user_agent))), ''::bytea ORDER BY e.id)) AS digest FROM events e GROUP BY seal_id) AS s;
	SET session_replication_role = replica;
	DO $$
	DECLARE
		s record;
		last bytea;
	BEGIN
		FOR s IN SELECT chain, seq FROM audit_seals ORDER BY chain, seq LOOP
			IF s.seq = 1 THEN last := decode(repeat('00', 32), 'hex'); END IF;
			UPDATE audit_seals SET previous = last WHERE chain = s.chain AND seq = s.seq;
			UPDATE audit_seals SET digest = :recompute WHERE chain = s.chain AND seq = s.seq RETURNING digest INTO last;
		END LOOP;
	END
	$$;
	SET session_replication_role = origin;`

// BenchmarkAudit measures the list of the trail by what is hard to find, and
// verification. Run it with -stored 10000 and -stored 1000000.
func BenchmarkAudit(b *testing.B) {
	db, conn := open(b)
	sql := strings.NewReplacer(":recompute", recompute, ":stack", `(SELECT 'stack:' || id FROM stacks ORDER BY name LIMIT 1)`, ":n", fmt.Sprint(*stored)).Replace(seedEvents)
	if _, err := conn.PgConn().Exec(b.Context(), sql).ReadAll(); err != nil {
		b.Fatal(err)
	}
	query(b, conn, `VACUUM ANALYZE`)
	old := time.UnixMilli(1700000000000 + 1_000_000)
	for _, bc := range []struct {
		name string
		q    postgres.AuditQuery
	}{
		{"all", postgres.AuditQuery{}},
		{"action", postgres.AuditQuery{Actions: []audit.Action{audit.LoggedIn}}},
		{"action rare and old", postgres.AuditQuery{Actions: []audit.Action{audit.APIKeyCreated}}},
		{"action that is not there", postgres.AuditQuery{Actions: []audit.Action{audit.TokenReused}}},
		{"actor", postgres.AuditQuery{Actor: "key:ci"}},
		{"what was detected", postgres.AuditQuery{Actions: []audit.Action{audit.Detected}}},
		{"actor rare and old", postgres.AuditQuery{Actor: "user:root@example.com"}},
		{"actor and action that never meet", postgres.AuditQuery{Actor: "key:ci", Actions: []audit.Action{audit.Triaged}}},
		{"stack", postgres.AuditQuery{Stack: "prod/stack-007"}},
		{"stack and action", postgres.AuditQuery{Stack: "prod/stack-007", Actions: []audit.Action{audit.Triaged}}},
		{"stack and actor", postgres.AuditQuery{Stack: "prod/stack-007", Actor: "user:u20@example.com"}},
		{"drift", postgres.AuditQuery{DriftID: uuid.MustParse("a87ff679-a2f3-e71d-9181-a67b7542122c")}},
		{"correlation", postgres.AuditQuery{Correlation: "eccbc87e4b5ce2fe28308fd9f2a7baf3"}},
		{"long ago", postgres.AuditQuery{Until: old}},
		{"action long ago", postgres.AuditQuery{Until: old, Actions: audit.Actions()}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			bc.q.Limit = 20
			for b.Loop() {
				if _, _, err := db.Events(b.Context(), bc.q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("verify", func(b *testing.B) {
		parts, slowest := 0, time.Duration(0)
		for b.Loop() {
			var q postgres.VerifyQuery
			for done := false; !done; parts++ {
				start := time.Now()
				v, err := db.VerifyAudit(b.Context(), nil, q)
				if err != nil || len(v.Flaws) > 0 {
					b.Fatal(v, err)
				}
				slowest = max(slowest, time.Since(start))
				q.After, done = v.Next, v.Done
			}
		}
		b.ReportMetric(float64(*stored)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		b.ReportMetric(float64(parts)/float64(b.N), "parts")
		b.ReportMetric(float64(slowest.Milliseconds()), "slowest-part-ms")
	})
	b.Run("head", func(b *testing.B) {
		for b.Loop() {
			if _, err := db.AuditHead(b.Context(), time.Time{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
