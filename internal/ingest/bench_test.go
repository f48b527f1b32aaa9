package ingest_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/audit"
	"github.com/driftsentry/driftsentry/internal/ingest"
	"github.com/driftsentry/driftsentry/internal/postgres"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
	"github.com/driftsentry/driftsentry/internal/terraform"
	"github.com/driftsentry/driftsentry/internal/terraform/plantest"
)

// drifts is how large the benchmarks' plan is: 100,000 are some 700 MB.
var drifts = flag.Int("drifts", 10_000, "drifted resources in the benchmarks' plan")

// uploader is what a pipeline looks like from here.
var uploader = audit.Actor{Name: "key:ci-prod", ClientAddress: "203.0.113.7", UserAgent: "driftsentry/1.0.0"}

// BenchmarkUpload measures, in one run, the CPU time of client and server
// together: for reading a plan, for its whole first upload, for uploading the
// same state again under a later time, and for the server's own COPY of the
// rows that the first upload wrote, from files. The two ratios are those that
// uploads are held to: first upload against COPY plus read, and re-scan
// against first upload.
func BenchmarkUpload(b *testing.B) {
	var read, first, again, copied time.Duration
	for b.Loop() {
		url := pgtest.URL(b)
		db, err := postgres.Open(b.Context(), postgres.Options{URL: url})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(db.Close)
		now := time.Now()
		service := &ingest.Service{DB: db, Key: []byte(strings.Repeat("k", 32)), MaxBytes: 4 << 30, Now: func() time.Time { return now }}
		plan := planFile(b, *drifts)

		read += cpu(b, func() {
			f := open(b, plan)
			defer f.Close()
			snapshot, err := terraform.Read(f, terraform.Options{Key: service.Key})
			if err != nil {
				b.Fatal(err)
			}
			if err := snapshot.Close(); err != nil {
				b.Fatal(err)
			}
		})
		upload := func() {
			f := open(b, plan)
			defer f.Close()
			if _, created, err := service.Scan(b.Context(), ingest.Upload{Stack: "bench", Body: f, Actor: uploader}); err != nil || !created {
				b.Fatal(created, err)
			}
		}
		first += cpu(b, upload)
		later(b, plan) // other bytes, the same state
		now = now.Add(time.Hour)
		again += cpu(b, upload)
		copied += serverCopy(b, url, "drifts") + serverCopy(b, url, "events")
	}
	perDrift := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(*drifts*b.N) }
	b.ReportMetric(perDrift(read), "read-cpu-µs/drift")
	b.ReportMetric(perDrift(first), "first-cpu-µs/drift")
	b.ReportMetric(perDrift(again), "again-cpu-µs/drift")
	b.ReportMetric(perDrift(copied), "copy-cpu-µs/drift")
	b.ReportMetric(float64(first)/float64(copied+read), "first/(copy+read)")
	b.ReportMetric(float64(again)/float64(first), "again/first")
}

func planFile(b *testing.B, n int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "plan.json")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if err := plantest.Write(f, n); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// later gives the plan other bytes without another meaning: a space at its end.
func later(b *testing.B, path string) {
	b.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := f.WriteString("\n"); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}

func open(b *testing.B, path string) *os.File {
	b.Helper()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	return f
}

// cpu is the CPU time that work takes in this process and in the PostgreSQL
// server it started, all of its processes.
func cpu(b *testing.B, work func()) time.Duration {
	b.Helper()
	before := treeCPU(b)
	work()
	return treeCPU(b) - before
}

// treeCPU adds up this process and all below it, ended ones included.
func treeCPU(b *testing.B) time.Duration {
	b.Helper()
	const parent, utime, cstime = 1, 11, 14 // fields of /proc/PID/stat behind the name
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		b.Skip("this system does not tell the CPU time of processes")
	}
	fields := map[string][]string{}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		fields[filepath.Base(filepath.Dir(path))] = strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	}
	self := strconv.Itoa(os.Getpid())
	var ticks int
	for pid, f := range fields {
		for up := pid; ; up = fields[up][parent] {
			if up == self {
				for _, text := range f[utime : cstime+1] {
					n, err := strconv.Atoi(text)
					if err != nil {
						b.Fatal(err)
					}
					ticks += n
				}
				break
			}
			if fields[up] == nil {
				break
			}
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// serverCopy is the CPU time of the server's own COPY, from a file, of what is
// in a table: the cheapest way there is to get these rows in.
func serverCopy(b *testing.B, url, table string) time.Duration {
	b.Helper()
	dir, err := os.MkdirTemp("/tmp", "driftsentry-bench-") //nolint:usetesting // the server is another user, who cannot enter b.TempDir
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
	columns := psql(b, url, fmt.Sprintf(`SELECT string_agg(column_name, ',' ORDER BY ordinal_position)
		FROM information_schema.columns WHERE table_name = '%s' AND is_generated = 'NEVER'`, table))
	file := filepath.Join(dir, table)
	psql(b, url, fmt.Sprintf(`COPY (SELECT %s FROM %s ORDER BY id) TO '%s'`, columns, table, file))
	psql(b, url, fmt.Sprintf(`ALTER TABLE %s DISABLE TRIGGER USER; TRUNCATE %s`, table, table))
	return cpu(b, func() { psql(b, url, fmt.Sprintf(`COPY %s (%s) FROM '%s'`, table, columns, file)) })
}

func psql(b *testing.B, url, statement string) string {
	b.Helper()
	bin, err := exec.LookPath("psql")
	if err != nil {
		b.Skip("psql is needed to compare with the server's own COPY")
	}
	out, err := exec.CommandContext(b.Context(), bin, "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement, url).CombinedOutput()
	if err != nil {
		b.Fatalf("%s: %v\n%s", statement, err, out)
	}
	return strings.TrimSpace(string(out))
}
