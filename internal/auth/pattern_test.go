package auth_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/fault"
)

func TestPatternMatch(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ pattern, yes, no string }{
		{"prod/network", "prod/network", "prod/networks prod/networ Prod/network xprod/network prod"},
		{"prod/*", "prod/network prod/a.b-c", "prod prod/a/b stage/network xprod/a"},
		{"prod/**", "prod/network prod/a/b/c", "prod prods/a stage/prod/a"},
		{"**", "prod a/b/c -", ""},
		{"*", "prod -", "a/b"},
		{"*/network", "prod/network", "a/b/network network"},
		{"**/network", "prod/network a/b/network", "network xnetwork"},
		{"**network", "network prod/network prod/vpc-network", "prod/networks"},
		{"prod-?", "prod-1", "prod- prod-12 prod-/"},
		{"prod/?*", "prod/a prod/ab", "prod/a/b prod"},
		{"prod/**/db", "prod/a/db prod/a/b/db prod//db", "prod/db prod/a/dbs"},
		{"a*b*c", "abc aXbYc abbc abcbc", "ab/c acb abcd"},
		{"a**b*c", "a/x/bc abc a/b/bc", "a/b/c/d a/b/x/c"},
		{"a***b", "ab a/b axxb", "a/bc"},
		{"a.b+c", "a.b+c", "aXb+c a.bbc"},
	} {
		p, err := auth.ParsePattern(test.pattern)
		if err != nil {
			t.Errorf("ParsePattern(%q) = %v, want no error", test.pattern, err)
			continue
		}
		for stack := range strings.FieldsSeq(test.yes) {
			if !p.Match(stack) {
				t.Errorf("Pattern(%q).Match(%q) = false, want true", test.pattern, stack)
			}
		}
		for stack := range strings.FieldsSeq(test.no) {
			if p.Match(stack) {
				t.Errorf("Pattern(%q).Match(%q) = true, want false", test.pattern, stack)
			}
		}
		if p.Match("") != regexp.MustCompile(`^\*+$`).MatchString(test.pattern) {
			t.Errorf("Pattern(%q).Match(\"\") = %v", test.pattern, p.Match(""))
		}
		if p.String() != test.pattern || p.IsZero() {
			t.Errorf("Pattern(%q).String() = %q, IsZero() = %v, want it back", test.pattern, p, p.IsZero())
		}
	}
}

func TestZeroPatternMatchesAll(t *testing.T) {
	t.Parallel()
	var p auth.Pattern
	if !p.IsZero() || p.String() != "" || !p.Match("prod/network") || !p.Match("") {
		t.Errorf("the zero pattern is %q, want one that matches everything", p)
	}
	other, err := auth.ParsePattern("prod")
	if err != nil || p.Equal(other) || !p.Equal(auth.Pattern{}) {
		t.Errorf("ParsePattern(prod) = %q, %v, equal to zero: %v", other, err, p.Equal(other))
	}
}

func TestParsePatternRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "prod network", "/prod", "prod/", "prod//db", "prod/\x00", "prod\n", "próд", "prod/[ab]", "(prod)", "{a,b}", "a\\*", "prod%", "a'; DROP TABLE stacks; --",
		strings.Repeat("a", 201), strings.Repeat("*", 1<<20),
	} {
		p, err := auth.ParsePattern(text)
		failure, ok := fault.As(err)
		if !ok || failure.Kind != fault.Invalid || len(failure.Fields) != 1 || failure.Fields[0].Field != "stacks" || !p.IsZero() {
			t.Errorf("ParsePattern(%.40q) = %q, %v, want it to be invalid by the field stacks", text, p, err)
		}
	}
	if _, err := auth.ParsePattern(strings.Repeat("a", 200)); err != nil {
		t.Errorf("ParsePattern(200 bytes) = %v, want no error", err)
	}
}

// A matcher that goes back would be busy with these until the end of days.
func TestPatternMatchIsLinear(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"*a", "**a", "?*", "*", "**/*a"} {
		text := strings.Repeat(unit, 195/len(unit)) + "b"
		p, err := auth.ParsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		if stack := strings.Repeat("a", 1<<13); p.Match(stack) {
			t.Errorf("Pattern(%q) matched a name without its last letter", text)
		}
	}
}

// oracle is a pattern as a regular expression.
func oracle(text string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(text)
	return regexp.MustCompile(`^(?s:` + strings.NewReplacer(`\*\*`, `.*`, `\*`, `[^/]*`, `\?`, `[^/]`).Replace(quoted) + `)$`)
}

func FuzzPattern(f *testing.F) {
	for _, text := range []string{"prod/*", "prod/**", "**", "a*b?c", "a***b", "**/x", "a.b+c", "*?*?", "", "/"} {
		for _, stack := range []string{"prod/network", "a/b/x", "aXbYc", "a.b+c", ""} {
			f.Add(text, stack)
		}
	}
	f.Fuzz(func(t *testing.T, text, stack string) {
		p, err := auth.ParsePattern(text)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid || !p.IsZero() {
				t.Fatalf("ParsePattern(%q) = %q, %v, want it to be invalid", text, p, err)
			}
			return
		}
		if p.String() != text || len(text) > 200 {
			t.Fatalf("ParsePattern(%q).String() = %q", text, p)
		}
		for _, r := range stack {
			if r == '\ufffd' || r > 0x7f {
				return // names of stacks are ASCII; ? counts bytes
			}
		}
		if got, want := p.Match(stack), oracle(text).MatchString(stack); got != want {
			t.Fatalf("Pattern(%q).Match(%q) = %v, want %v", text, stack, got, want)
		}
	})
}
