package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/telemetry/otlptest"
	"github.com/driftsentry/driftsentry/internal/terraformcli/tftest"
)

// scanProgram is `driftsentry scan` as a process of its own: OpenTelemetry reads
// the environment of the process, and so do signals and terminals.
func scanProgram(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"scan"}, args...)...)
	// Its files for a while lie in a folder of their own, to see what is left of them.
	cmd.Env = slices.Concat([]string{asProgram + "=yes", "PATH=" + os.Getenv("PATH")}, env, []string{"TMPDIR=" + t.TempDir()})
	return cmd
}

// runScan runs the process to its end.
func runScan(t *testing.T, cmd *exec.Cmd) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs lockedBuffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	leash, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer leash.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its exit code is what counts
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// TestOneTraceFromThePipelineToTheSQL: whoever starts the scan finds in one trace
// what Terraform did, the upload, and what the server did with it.
func TestOneTraceFromThePipelineToTheSQL(t *testing.T) {
	t.Parallel()
	collector := otlptest.Start(t, nil)
	h := program(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL)
	tool := tftest.StandIn(t, "")
	tool.Drift(t)
	env := slices.Concat(h.scanEnv(tool.Env...), []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL, "TRACEPARENT=" + traceparent, "TRACESTATE=vendor=1", "BAGGAGE=team=edge,correlation_id=run-42",
		"GITLAB_CI=true", "CI_PIPELINE_ID=99", "CI_COMMIT_SHA=c0ffee",
	})
	code, out, errs := runScan(t, scanProgram(t, env, "--stack", "prod/files", "--dir", tool.Dir, "--init"))
	if code != exitDrift || !strings.Contains(out, "run-42") || !strings.Contains(out, callersTrace) || errs != "" {
		t.Fatalf("scan = %d\n%s%s", code, out, errs)
	}
	if code := h.stop(); code != exitOK {
		t.Fatalf("exit code of the server %d\n%s", code, h.out)
	}
	byID, byName := map[string]span{}, map[string]span{}
	for _, s := range received(collector) {
		if s.trace != callersTrace {
			continue
		}
		byID[s.id], byName[s.name] = s, s
		if s.attributes["correlation_id"] != "run-42" {
			t.Errorf("span %s has correlation_id %v, want run-42", s.name, s.attributes["correlation_id"])
		}
	}
	// Each hangs under the one before it.
	for _, chain := range [][]string{
		{"driftsentry scan", "terraform init"},
		{"driftsentry scan", "terraform plan"},
		{"driftsentry scan", "upload", "HTTP POST", "POST /api/v1/scans", "scan store"},
		{"driftsentry scan", "upload", "HTTP POST", "POST /api/v1/scans", "scan parse"},
		{"driftsentry scan", "upload", "terraform show"},
	} {
		parent := callersSpan
		for _, name := range chain {
			s, ok := byName[name]
			if !ok || s.parent != parent {
				t.Errorf("in %q: span %q = %+v, want one under %s", chain, name, s, parent)
			}
			parent = s.id
		}
	}
	sql := 0
	for _, s := range byID {
		if s.attributes["db.system.name"] == "postgresql" {
			sql++
		}
	}
	if sql == 0 {
		t.Errorf("no SQL in the trace: %v", byName)
	}
	root := byName["driftsentry scan"].attributes
	if root["cicd.pipeline.run.id"] != "99" || root["vcs.ref.head.revision"] != "c0ffee" || root["process.exit.code"] != int64(exitDrift) {
		t.Errorf("the scan's span has %v", root)
	}
	if !strings.Contains(collector.Text("/v1/traces"), "driftsentry-scan") {
		t.Error("nothing says that it comes from driftsentry-scan")
	}
	checkChildren(t, tool, byName)
	for _, key := range env {
		if secret, ok := strings.CutPrefix(key, "DRIFTSENTRY_API_KEY="); ok && strings.Contains(collector.Text("/v1/traces"), secret) {
			t.Error("the key is in a span")
		}
	}
}

// checkChildren: Terraform was handed the span it ran under, and not our key.
func checkChildren(t *testing.T, tool tftest.Tool, byName map[string]span) {
	t.Helper()
	calls := tool.Calls(t)
	if len(calls) != 3 {
		t.Fatalf("Terraform was called %q, want init, plan, show", calls)
	}
	for i, verb := range []string{"init", "plan", "show"} {
		want := "TRACEPARENT=00-" + callersTrace + "-" + byName["terraform "+verb].id + "-01 key="
		if !strings.HasPrefix(calls[i], verb+" ") || !strings.HasSuffix(calls[i], want) {
			t.Errorf("call %d = %q, want %s with %q", i, calls[i], verb, want)
		}
	}
	if !strings.Contains(calls[1], "-refresh-only") || !strings.Contains(calls[1], "-lock=false") || !strings.Contains(calls[1], "-input=false") {
		t.Errorf("plan was called as %q", calls[1])
	}
}

// TestAScanWithoutCollector has a sampled trace all the same: the server's half
// of it is worth having.
func TestAScanWithoutCollector(t *testing.T) {
	t.Parallel()
	collector := otlptest.Start(t, nil)
	h := program(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL)
	tool := tftest.StandIn(t, "")
	code, out, errs := runScan(t, scanProgram(t, h.scanEnv(tool.Env...), "--stack", "prod/files", "--dir", tool.Dir))
	if code != exitOK || errs != "" {
		t.Fatalf("scan = %d\n%s%s", code, out, errs)
	}
	h.stop()
	_, rest, _ := strings.Cut(out, "trace id ")
	trace := strings.Fields(rest)
	if len(trace) == 0 || !slices.ContainsFunc(received(collector), func(s span) bool { return s.trace == trace[0] && s.name == "POST /api/v1/scans" }) {
		t.Errorf("the server's spans are not in the trace that was printed:\n%s", out)
	}
}

// TestADeadCollectorHoldsNobodyUp and does not change what comes of a scan.
func TestADeadCollectorHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	h := serve(t)
	tool := tftest.StandIn(t, "")
	for name, env := range map[string]string{"gone": "http://127.0.0.1:1", "no URL": "http://bad host"} {
		begun := time.Now()
		code, out, errs := runScan(t, scanProgram(t, h.scanEnv(append(tool.Env, "OTEL_EXPORTER_OTLP_ENDPOINT="+env)...), "--stack", "prod/files", "--dir", tool.Dir))
		if took := time.Since(begun); code != exitOK || !strings.Contains(errs, "telemetry") || took > 30*time.Second {
			t.Errorf("scan with a collector that is %s = %d in %s\n%s%s", name, code, took, out, errs)
		}
	}
}
