package config

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// .env.example is what people copy and what they search. It must name exactly
// what is read, say something about each, and show the defaults that hold.
func TestEnvExample(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	assignment := regexp.MustCompile(`^([A-Z][A-Z0-9_]*)=(.*)$`)
	listed := make(map[string]string)
	var previous string
	for number, line := range strings.Split(string(content), "\n") {
		switch parts := assignment.FindStringSubmatch(line); {
		case parts != nil:
			if _, twice := listed[parts[1]]; twice {
				t.Errorf("line %d: %s stands there twice", number+1, parts[1])
			}
			if !strings.HasPrefix(previous, "# ") {
				t.Errorf("line %d: %s has no comment on the line above", number+1, parts[1])
			}
			listed[parts[1]] = parts[2]
		case line != "" && !strings.HasPrefix(line, "#"):
			t.Errorf("line %d is neither a comment nor NAME=value: %q", number+1, line)
		}
		previous = line
	}

	read := make(map[string]bool)
	for _, environ := range [][]string{nil, {"APP_ENV=production"}} {
		r := newReader(environ)
		r.everything()
		r.scan()
		for _, name := range r.asked {
			read[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(read)) {
		if _, ok := listed[name]; !ok {
			t.Errorf("%s is read but not listed", name)
		}
	}
	// The few that other packages ask the process for. What belongs to every
	// program of its kind (NO_COLOR, TERM) needs no line of its own.
	others := readElsewhere(t)
	for name, where := range others.variables {
		read[name] = true
		if !regexp.MustCompile(`\b` + name + `\b`).Match(content) {
			t.Errorf("%s is read in %s but not mentioned", name, where)
		}
	}
	for name, value := range others.defaults {
		if listed[name] != value {
			t.Errorf("%s=%s is listed, but telemetry's default is %q", name, listed[name], value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		if !read[name] {
			t.Errorf("%s is listed but not read", name)
		}
	}

	for name, want := range fixedDefaults() {
		if got := listed[name]; got != want {
			t.Errorf("%s=%s is listed, want its default %q", name, got, want)
		}
	}

	// Copied as it stands, it starts a development service that behaves like one
	// without any configuration.
	var lines []string
	for name, value := range listed {
		lines = append(lines, name+"="+value)
	}
	cfg, err := Load(lines)
	if err != nil {
		t.Errorf("loading it unchanged: %v", err)
	}
	bare, err := Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, setting := range bare.Effective() {
		if got := cfg.Effective()[i]; got.Name != setting.Name || got.Value != setting.Value {
			t.Errorf("loading it unchanged gives %s=%s, want %s=%s", got.Name, got.Value, setting.Name, setting.Value)
		}
	}
}

// elsewhere is what the source outside this package tells about variables.
type elsewhere struct {
	variables map[string]string // name: where it is read
	defaults  map[string]string // name: the value telemetry sets if it is unset
}

// readElsewhere reads the source of the program, test helpers left out. In
// telemetry, which hands variables to the SDK under composed names, whatever
// looks like one counts.
func readElsewhere(t *testing.T) elsewhere {
	t.Helper()
	found := elsewhere{variables: make(map[string]string), defaults: make(map[string]string)}
	for _, root := range []string{"../../cmd", "../../internal"} {
		err := filepath.WalkDir(root, func(folder string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil || !entry.IsDir():
				return err
			case entry.Name() == "testdata" || entry.Name() == "pgtest" || entry.Name() == "tftest":
				return fs.SkipDir
			case folder == "../../internal/config":
				return nil
			}
			return found.inFolder(t, folder)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func (e elsewhere) inFolder(t *testing.T, folder string) error {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return err
	}
	telemetry := filepath.Base(folder) == "telemetry"
	otelName := regexp.MustCompile(`^OTEL_[A-Z_]*[A-Z]$`)
	constants := make(map[string]string)
	var calls []*ast.CallExpr
	fset := token.NewFileSet()
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for node := range ast.Preorder(file) {
			switch node := node.(type) {
			case *ast.ValueSpec:
				for i, value := range node.Values {
					constants[node.Names[i].Name] = literal(value)
				}
			case *ast.KeyValueExpr:
				if name := literal(node.Key); telemetry && otelName.MatchString(name) && literal(node.Value) != "" {
					e.defaults[name] = literal(node.Value)
				}
			case *ast.BasicLit:
				if name := literal(node); telemetry && otelName.MatchString(name) {
					e.variables[name] = fset.Position(node.Pos()).String()
				}
			case *ast.CallExpr:
				if f, ok := node.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "Getenv" || f.Sel.Name == "LookupEnv") {
					calls = append(calls, node)
				}
			}
		}
	}
	for _, call := range calls {
		where := fset.Position(call.Pos()).String()
		name := literal(call.Args[0])
		if ident, ok := call.Args[0].(*ast.Ident); ok {
			name = constants[ident.Name]
		}
		switch {
		case name != "":
			e.variables[name] = where
		case !telemetry:
			t.Errorf("%s: can't tell which variable is read: name it in a constant", where)
		}
	}
	return nil
}

// literal is the text of a string literal, or nothing.
func literal(e ast.Expr) string {
	if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
		if text, err := strconv.Unquote(lit.Value); err == nil {
			return text
		}
	}
	return ""
}

// fixedDefaults are the values that hold everywhere when a variable is unset;
// empty for a secret and for a default that depends on other variables.
func fixedDefaults() map[string]string {
	defaults := make(map[string]string)
	development, production := newReader(nil), newReader([]string{"APP_ENV=production"})
	for _, r := range []*reader{development, production} {
		r.everything()
		r.scan()
	}
	inProduction := make(map[string]string)
	for _, setting := range production.settings {
		inProduction[setting.Name] = setting.Value
	}
	for _, setting := range development.settings {
		name, value := setting.Name, setting.Value
		switch {
		case name == "APP_ENV":
			defaults[name] = value
		case value == mask, value != inProduction[name]:
			defaults[name] = ""
		default:
			defaults[name] = value
		}
	}
	return defaults
}
