package terraform_test

import (
	"bytes"
	"encoding/json"
	"io"
	"runtime"
	"sync"
	"testing"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/terraform"
	"github.com/driftsentry/driftsentry/internal/terraform/plantest"
)

// largePlan is a plan of about 100 MB.
var largePlan = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	if err := plantest.Write(&b, 14_000); err != nil {
		panic(err)
	}
	return b.Bytes()
})

// stream hides what kind of reader it is, as a connection would.
func stream(text []byte) io.Reader { return struct{ io.Reader }{bytes.NewReader(text)} }

// drain goes over everything a snapshot has to say.
func drain(t testing.TB, s *drift.Snapshot) (news, noise int) {
	t.Helper()
	for _, err := range s.EachDrift(nil) {
		if err != nil {
			t.Fatal(err)
		}
		news++
	}
	for _, err := range s.EachNoise(nil) {
		if err != nil {
			t.Fatal(err)
		}
		noise++
	}
	return news, noise
}

// BenchmarkRead reads a plan, compares, masks, and goes over all that it says.
func BenchmarkRead(b *testing.B) {
	plan := largePlan()
	b.SetBytes(int64(len(plan)))
	b.ReportAllocs()
	for b.Loop() {
		s, err := terraform.Read(stream(plan), terraform.Options{Key: testKey, SpoolDir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		drain(b, s)
		closeSnapshot(b, s)
	}
}

// BenchmarkEncodingJSONAny is what BenchmarkRead is held against: the standard
// library decoding the same bytes, and nothing else done.
func BenchmarkEncodingJSONAny(b *testing.B) {
	plan := largePlan()
	b.SetBytes(int64(len(plan)))
	b.ReportAllocs()
	for b.Loop() {
		var v any
		if err := json.NewDecoder(stream(plan)).Decode(&v); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRead100k reads a plan with 100,000 drifts and reports what stays in
// memory.
func BenchmarkRead100k(b *testing.B) {
	const n = 100_000
	for b.Loop() {
		r, w := io.Pipe()
		go func() { w.CloseWithError(plantest.Write(w, n)) }()
		s, err := terraform.Read(r, terraform.Options{Key: testKey, SpoolDir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		var memory runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&memory)
		b.ReportMetric(float64(memory.HeapAlloc)/1e6, "live-MB")
		b.ReportMetric(float64(s.Bytes)/1e6, "plan-MB")
		drain(b, s)
		closeSnapshot(b, s)
	}
}
