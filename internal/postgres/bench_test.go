//go:build unix

package postgres_test

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/postgres"
)

// rows is how many drifts the benchmarks of uploads store at a time.
var rows = flag.Int("drifts", 10_000, "drifts in a benchmark's upload")

// words make values that compress about as well as real plans do.
var words = strings.Fields(`arn aws iam policy ingress egress cidr_blocks from_port to_port protocol tcp description
	managed by terraform production staging network subnet availability_zone eu-west-1a us-east-2b instance_type
	m5.large bucket versioning enabled lifecycle rule transition storage_class GLACIER tags owner team cost_center`)

// synthetic yields n drifted resources with some 4 KB of changes each.
func synthetic(n int, seed uint64) iter.Seq2[*drift.Resource, error] {
	return func(yield func(*drift.Resource, error) bool) {
		rng := rand.New(rand.NewPCG(seed, 1))
		value := func() drift.Value {
			var b strings.Builder
			b.WriteByte('"')
			for b.Len() < 150 {
				b.WriteString(words[rng.IntN(len(words))])
				b.WriteByte(' ')
				b.WriteString(strconv.FormatUint(uint64(rng.Uint32()), 36))
				b.WriteByte(' ')
			}
			b.WriteByte('"')
			return drift.Shown(b.String())
		}
		var r drift.Resource
		for i := range n {
			r = *resource(fmt.Sprintf(`module.region[%q].aws_security_group.service["team-%d/app-%06d"]`, words[i%7], i%97, i), strconv.FormatUint(seed, 10))
			r.CloudID = fmt.Sprintf("sg-%017x", rng.Uint64()>>4)
			r.News = r.News[:0]
			for j := range 12 {
				r.News = append(r.News, drift.Change{Path: fmt.Sprintf("rule[%d].description", j), Before: value(), After: value()})
			}
			if !yield(&r, nil) {
				return
			}
		}
	}
}

// resourcesOf leaves out the error that synthetic never yields.
func resourcesOf(resources iter.Seq2[*drift.Resource, error]) iter.Seq[*drift.Resource] {
	return func(yield func(*drift.Resource) bool) {
		for r, err := range resources {
			if err != nil || !yield(r) {
				return
			}
		}
	}
}

// cpuTime is what this process and the server process behind conn have used.
func cpuTime(b *testing.B, pids ...uint32) time.Duration {
	b.Helper()
	var self syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &self); err != nil {
		b.Fatal(err)
	}
	total := time.Duration(self.Utime.Nano() + self.Stime.Nano())
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			b.Skip("this system does not tell the server's CPU time: ", err)
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')'):]))
		for _, f := range fields[12:14] {
			ticks, err := strconv.Atoi(f)
			if err != nil {
				b.Fatal(err)
			}
			total += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return total
}

// newUpload starts an upload of resources nobody has seen.
func newUpload(b *testing.B, tx *postgres.Tx, stack string, at time.Time) *postgres.Upload {
	b.Helper()
	s, err := tx.LockStack(context.Background(), stack, at)
	if err != nil {
		b.Fatal(err)
	}
	return &postgres.Upload{Stack: s, Scan: postgres.Scan{ID: uuid.New(), ReceivedAt: at, Report: report(at), Actor: audit.Actor{Name: "key:ci"}}}
}

func synthKeys(n int) []drift.Key {
	keys := make([]drift.Key, 0, n)
	for r := range resourcesOf(synthetic(n, 1)) {
		keys = append(keys, r.Key())
	}
	return keys
}

// backends lists the server processes of this database.
func backends(b *testing.B, conn *pgx.Conn) []uint32 {
	b.Helper()
	var pids []uint32
	for _, row := range query(b, conn, `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'`) {
		pid, err := strconv.ParseUint(row[0], 10, 32)
		if err != nil {
			b.Fatal(err)
		}
		pids = append(pids, uint32(pid))
	}
	return pids
}

// BenchmarkInsertDrifts stores new drifts with their events, and then loads
// the same rows with the server's own COPY from a file, the fastest there is.
func BenchmarkInsertDrifts(b *testing.B) {
	keys := synthKeys(*rows)
	var ours, client, theirs, events time.Duration
	for b.Loop() {
		b.StopTimer()
		db, conn := open(b)
		if err := db.Ping(b.Context()); err != nil {
			b.Fatal(err)
		}
		var prep time.Duration
		b.StartTimer()
		err := db.InTx(b.Context(), func(tx *postgres.Tx) error {
			up := newUpload(b, tx, "s", noon)
			pids := backends(b, conn)
			own, before, start := cpuTime(b), cpuTime(b, pids...), time.Now()
			_, err := tx.InsertDrifts(b.Context(), up, keys, synthetic(*rows, 1))
			ours += cpuTime(b, pids...) - before
			client += cpuTime(b) - own
			prep = time.Since(start)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		b.ReportMetric(float64(*rows)/prep.Seconds(), "rows/s")
		// The cost of making the resources is not ours.
		before := cpuTime(b)
		for range resourcesOf(synthetic(*rows, 1)) {
		}
		making := cpuTime(b) - before
		ours, client = ours-making, client-making
		theirs += serverCopy(b, conn, "drifts", `id, stack_id, scan_id, previous_id, address, type, provider, cloud_id, region, account,
			origin, action, severity, severity_reason, status, detected_at, last_seen_at, times_seen,
			seen_scans, status_changed_at, fingerprint, changes, noise`)
		events += serverCopy(b, conn, "events", `id, at, stack_id, drift_id, scan_id, action, actor, to_status, correlation_id, trace_id, span_id`)
		b.StartTimer()
	}
	perRow := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(*rows*b.N) }
	b.ReportMetric(perRow(ours), "cpu-µs/row")
	b.ReportMetric(perRow(client), "client-cpu-µs/row")
	b.ReportMetric(perRow(theirs), "copy-drifts-µs/row")
	b.ReportMetric(perRow(events), "copy-events-µs/row")
	b.ReportMetric(float64(ours)/float64(theirs+events), "ratio")
}

// serverCopy empties a table of what is in it and loads it back from a file.
func serverCopy(b *testing.B, conn *pgx.Conn, table, columns string) time.Duration {
	b.Helper()
	dir, err := os.MkdirTemp("/tmp", "driftsentry-bench-") //nolint:usetesting // the server, another user, writes into it
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			b.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o777); err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(dir, table)
	query(b, conn, fmt.Sprintf(`COPY (SELECT %s FROM %s ORDER BY id) TO '%s'`, columns, table, file))
	query(b, conn, `ALTER TABLE `+table+` DISABLE TRIGGER USER`)
	query(b, conn, `TRUNCATE `+table)
	pids := []uint32{conn.PgConn().PID()}
	before := cpuTime(b, pids...)
	query(b, conn, fmt.Sprintf(`COPY %s (%s) FROM '%s'`, table, columns, file))
	return cpuTime(b, pids...) - before
}

// BenchmarkRescan uploads a report again that shows the same drifts, and one
// where every drift has other values.
func BenchmarkRescan(b *testing.B) {
	var resources []*drift.Resource
	for r := range resourcesOf(synthetic(*rows, 1)) {
		c := *r
		c.News = append([]drift.Change(nil), r.News...)
		resources = append(resources, &c)
	}
	db, conn := open(b)
	apply(b, db, "s", noon, report(noon), resources...)
	minutes := 0
	again := func() {
		minutes++
		apply(b, db, "s", noon.Add(time.Duration(minutes)*time.Minute), report(noon), resources...)
	}
	measure := func(name string, change func()) {
		b.Run(name, func(b *testing.B) {
			var cpu time.Duration
			for b.Loop() {
				change()
				pids := backends(b, conn)
				before := cpuTime(b, pids...)
				again()
				cpu += cpuTime(b, pids...) - before
			}
			b.ReportMetric(float64(cpu.Microseconds())/float64(*rows*b.N), "cpu-µs/row")
		})
	}
	measure("unchanged", func() {})
	measure("changed", func() {
		for _, r := range resources {
			r.Fingerprint[0]++
		}
	})
	b.Run("open drifts", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			standing(b, db, "s")
		}
	})
}
