package internal_test

import (
	"cmp"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/driftsentry/driftsentry/"

// The import table. A package imports only packages of a lower level, and only
// what its purpose needs. Changing a line is a design change: the commit says why.
var table = []struct {
	path  string
	level int
	why   string
}{
	// Words that everybody uses. They know nothing of the house.
	{"internal/fault", 1, "kinds of failure; whatever can fail speaks in them"},
	{"internal/secret", 1, "a string that prints as ***; whatever can be secret is one"},
	{"internal/correlation", 1, "ids in a context; logs, rows and spans all carry them"},
	{"internal/jsontree", 1, "checked JSON taken apart as it was written; comparing values and reading plans both need that"},
	{"internal/spool", 1, "more records than memory holds, encrypted on disk; knows nothing of what is in them"},
	{"internal/transcript", 1, "what a program says, read while it talks; for tests of whatever runs"},
	{"internal/clientip", 1, "who is really calling, behind proxies; limits, logs and spans must agree on it"},

	{"internal/pipeline", 1, "what the CI system says of the run it runs us in; knows its variables and nothing of us"},
	{"internal/terraformcli/tftest", 1, "a Terraform for tests: the real one, and a stand-in"},
	{"internal/telemetry/otlptest", 1, "a collector for tests: takes OTLP and keeps what came"},

	// What stands beside the program. No package of it is imported, or imports.
	{"internal/dashboards", 1, "Grafana's dashboards, one line a query; deploy/grafana/dashboards is written from it"},
	{"internal/deploytest", 1, "tests alone: dashboards, rules and runbooks against the series there are"},

	{"internal/terraformcli", 2, "runs terraform or tofu; knows programs and nothing of plans"},

	// The domain and its neighbours, each about one noun.
	{"internal/drift", 2, "THE DOMAIN: what drifted, how bad it is, what became of it"},
	{"internal/audit", 2, "names of what people and scans did"},
	{"internal/auth", 2, "who may do what, and how they prove who they are"},

	// Judgements about the domain.
	{"internal/redact", 3, "decides what is secret, and makes the drift.Value that can't tell"},
	{"internal/alert", 3, "decides which outcomes deserve telling whom"},
	{"internal/terraform/plantest", 3, "plans of any size, for the benchmarks; made of real entries"},

	// The sender's side of an upload. It shares words with the server, no code.
	{"internal/client", 3, "sends a plan to a server and reads its answer"},
	{"internal/report", 4, "what a scan found, as people and pipelines read it"},

	// The two ends of an upload: where it comes from, where it stays.
	{"internal/devpg", 4, "a private PostgreSQL server for the demo and the tests; needs nothing of the domain"},
	{"internal/terraform", 4, "plan JSON to masked snapshot; the last package that sees a raw value"},
	{"internal/postgres", 4, "every SQL statement there is, and every SQLSTATE"},
	{"internal/postgres/pgtest", 5, "one fresh database per test, so it needs both devpg and postgres"},

	// Use cases: more than one thing happens, and all of it or nothing.
	{"internal/ingest", 5, "one upload from first byte to receipt: parse, reconcile, store"},
	{"internal/accounts", 5, "who may call: each login, key and user with its entry in the trail"},
	{"internal/review", 5, "what becomes of a drift: each decision with its entry in the trail"},
	{"internal/jobs", 5, "what is due every so often, once for all replicas; it needs connections, and is handed the work"},
	{"internal/notify", 5, "delivers what alert decided and postgres queued"},

	{"internal/httpapi", 6, "the API: who asks, with which right, and how the answer looks"},

	// Wrapped round the outside by cmd; nobody below may reach for them.
	{"internal/telemetry", 7, "sees every seam, so it may know every package; none may know it"},
	{"internal/config", 7, "the environment as a struct; whoever needs a value of it is given the value"},
	{"internal/web", 7, "the review page, embedded"},

	{"cmd/driftsentry", 8, "wires everything on one screen"},
	{"internal/e2e", 8, "tests alone: the program as a process among real components; imports none of it"},
}

// Packages, ours and others', that only a few may import. A name that ends in a
// slash stands for all below it. "Only" holds for tests too, unless tests says so.
var reserved = []struct {
	path string
	only []string
	why  string
	// tests lists packages whose tests may import it beside those in only.
	tests []string
}{
	{
		path: "go.opentelemetry.io/",
		only: []string{"internal/telemetry", "internal/telemetry/otlptest"},
		why:  "telemetry is wrapped round seams; business code only passes ctx on",
		// The whole program's tests read what a collector would receive.
		tests: []string{"cmd/driftsentry", "internal/e2e"},
	},
	{
		path: "github.com/exaring/otelpgx",
		only: []string{"internal/telemetry"},
		why:  "queries are traced where the pool is wired, not where they are written",
	},
	{
		path: "github.com/prometheus/",
		only: []string{"internal/telemetry"},
		why:  "a metric made elsewhere is in no golden list and on no dashboard",
	},
	{
		path: "github.com/getsentry/",
		only: []string{"internal/telemetry"},
		why:  "errors leave through the one tracker, behind redaction",
	},
	{
		path:  "github.com/jackc/",
		only:  []string{"internal/postgres", "internal/postgres/pgtest", "internal/telemetry"},
		why:   "SQL stays in one package; telemetry gives it a tracer",
		tests: []string{"internal/devpg"},
	},
	{
		path: "database/sql",
		only: []string{"internal/postgres", "internal/postgres/pgtest"},
		why:  "the migration tool wants it; our own SQL goes through pgx",
	},
	{
		path:  "log/slog",
		only:  []string{"internal/httpapi", "internal/jobs", "internal/notify", "internal/telemetry", "cmd/driftsentry"},
		why:   "an error is returned or logged, never both; who can't log returns it, and River tells jobs its troubles by no other way",
		tests: []string{"internal/secret"},
	},
	{
		path: "log",
		why:  "it knows no context, no level and no redaction",
	},
	{
		path: "github.com/spf13/",
		only: []string{"cmd/driftsentry"},
		why:  "flags are process facts",
	},
	{
		path: "github.com/riverqueue/",
		only: []string{"internal/jobs"},
		why:  "what is due is handed to jobs as a function; only jobs knows who calls it when",
	},
	{
		path: "github.com/golang-jwt/",
		only: []string{"internal/auth"},
		why:  "one place decides which tokens are good",
	},
	{
		path: "golang.org/x/crypto/argon2",
		only: []string{"internal/auth"},
		why:  "a hash takes 19 MiB; whoever makes one waits for a slot there",
	},
	{
		path: module + "internal/config",
		only: []string{"cmd/driftsentry"},
		why:  "the environment is read once, at the start; others are given values",
	},
	{
		path: module + "internal/telemetry",
		only: []string{"cmd/driftsentry"},
		why:  "wrapping is done in serve.go; a wrapped package does not know",
	},
	{
		path: module + "internal/devpg",
		only: []string{"cmd/driftsentry", "internal/postgres/pgtest"},
		why:  "a server of our own is for the demo and for tests",
	},
	{
		path:  module + "internal/terraformcli/tftest",
		why:   "it is for tests",
		tests: []string{"internal/terraformcli", "cmd/driftsentry"},
	},
	{
		path:  module + "internal/telemetry/otlptest",
		why:   "it is for tests",
		tests: []string{"internal/telemetry", "cmd/driftsentry"},
	},
	{
		path:  module + "internal/transcript",
		why:   "it is for tests",
		tests: []string{"internal/terraformcli", "internal/telemetry", "internal/e2e", "cmd/driftsentry"},
	},
	{
		path: module + "internal/postgres/pgtest",
		why:  "it is for tests",
		// Whoever sits above SQL, and SQL itself, tests against a real database.
		tests: []string{
			"internal/postgres", "internal/postgres/pgtest", "internal/ingest", "internal/jobs", "internal/notify", "internal/accounts", "internal/review",
			"internal/httpapi", "internal/telemetry", "cmd/driftsentry", "internal/e2e",
		},
	},
}

// pure packages turn values into values: time, bytes and decisions are handed to
// them. Their tests may touch what they like.
var pure = struct{ packages, mustNot []string }{
	packages: []string{
		"internal/fault", "internal/secret", "internal/jsontree", "internal/drift", "internal/audit", "internal/auth",
		"internal/redact", "internal/alert", "internal/terraform",
	},
	mustNot: []string{"net", "net/http", "os", "os/exec", "os/signal", "syscall", "database/sql"},
}

// listed is what go list tells of one package.
type listed struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func TestImports(t *testing.T) {
	t.Parallel()
	packages := goList(t)

	level := make(map[string]int)
	for i, line := range table {
		if level[line.path] != 0 {
			t.Errorf("%s stands in the import table twice", line.path)
		}
		if i > 0 && line.level < table[i-1].level {
			t.Errorf("the import table is out of order at %s: lowest level first", line.path)
		}
		if line.why == "" {
			t.Errorf("%s has no reason in the import table", line.path)
		}
		level[line.path] = line.level
	}

	for _, p := range packages {
		from := strings.TrimPrefix(p.ImportPath, module)
		if level[from] == 0 {
			t.Errorf("%s is not in the import table of internal/deps_test.go: add it with a reason, "+
				"on the lowest level that is above all it imports", from)
			continue
		}
		for _, imported := range p.Imports {
			checkLevel(t, level, from, imported)
			checkReserved(t, from, imported, false)
			if slices.Contains(pure.packages, from) && slices.Contains(pure.mustNot, imported) {
				t.Errorf("%s imports %s, but it is pure: let its caller do that and hand in the value", from, imported)
			}
		}
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			// A test may look at its own package and borrow a database; beyond
			// that it stands where its package stands.
			if ours, ok := strings.CutPrefix(imported, module); !ok || ours != from && ours != "internal/postgres/pgtest" {
				checkLevel(t, level, from, imported)
			}
			checkReserved(t, from, imported, true)
		}
	}
}

func checkLevel(t *testing.T, level map[string]int, from, imported string) {
	t.Helper()
	to, ours := strings.CutPrefix(imported, module)
	if !ours || level[to] == 0 || level[to] < level[from] {
		return
	}
	t.Errorf("%s (level %d) imports %s (level %d), but imports go to lower levels only: "+
		"move the code down, or hand the value in", from, level[from], to, level[to])
}

func checkReserved(t *testing.T, from, imported string, inTest bool) {
	t.Helper()
	for _, rule := range reserved {
		hit := imported == rule.path || strings.HasSuffix(rule.path, "/") && strings.HasPrefix(imported, rule.path)
		allowed := module+from == rule.path || slices.Contains(rule.only, from) ||
			inTest && slices.Contains(rule.tests, from)
		if hit && !allowed {
			t.Errorf("%s imports %s, which is for %s: %s",
				from, imported, cmp.Or(strings.Join(rule.only, ", "), "no package"), rule.why)
		}
	}
}

// goList asks the go command, as it alone knows what a package imports.
func goList(t *testing.T) []listed {
	t.Helper()
	// -e: a package that does not compile fails its own tests, not this one.
	command := exec.CommandContext(t.Context(), "go", "list", "-e", "-tags", "e2e",
		"-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	command.Dir = ".."
	output, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listed
	for decoder := json.NewDecoder(strings.NewReader(string(output))); decoder.More(); {
		var p listed
		if err := decoder.Decode(&p); err != nil {
			t.Fatalf("go list: %v", err)
		}
		if p.ImportPath == module+"internal" {
			continue // the map and this test
		}
		packages = append(packages, p)
	}
	if len(packages) == 0 {
		t.Fatal("go list found no packages: the rules were held against nothing")
	}
	return packages
}
