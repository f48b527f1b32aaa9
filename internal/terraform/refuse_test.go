package terraform_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/terraform"
)

// minimal is a plan with one drift; its parts can be replaced.
const minimal = `{"format_version":"1.2","terraform_version":"1.11.4","resource_drift":[` +
	`{"address":"aws_vpc.main","mode":"managed","type":"aws_vpc","name":"main","provider_name":"registry.terraform.io/hashicorp/aws",` +
	`"change":{"actions":["update"],"before":{"id":"vpc-1","cidr":"a"},"after":{"id":"vpc-1","cidr":"b"},"after_unknown":{}}}` +
	`],"timestamp":"2026-01-02T03:04:05Z","applyable":true,"complete":true,"errored":false}`

// with is the minimal plan with one part replaced.
func with(t testing.TB, old, replacement string) string {
	t.Helper()
	if !strings.Contains(minimal, old) {
		t.Fatalf("the minimal plan has no %s", old)
	}
	return strings.Replace(minimal, old, replacement, 1)
}

func readString(t testing.TB, text string) error {
	t.Helper()
	s, err := terraform.Read(strings.NewReader(text), terraform.Options{Key: testKey, MaxBytes: 64 << 20, SpoolDir: t.TempDir()})
	if err == nil {
		drain(t, s)
		closeSnapshot(t, s)
	}
	return err
}

func TestBadInput(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       string // in the message
	}{
		{"nothing", "", "the body is empty"},
		{"blanks", " \r\n\t ", "the body is empty"},
		{"a binary plan file", "PK\x03\x04\x14\x00\x08", "binary plan file"},
		{"a page", "<!DOCTYPE html><html>", "HTML"},
		{"a page after a blank line", "\n <html>", "HTML"},
		{"an array", `[{"a":1}]`, "JSON array"},
		{"a string", `"x"`, "not a JSON object"},
		{"null", `null`, "not a JSON object"},
		{"a number", `42`, "not a JSON object"},
		{"text", "Terraform will perform the following actions:", "prints for people"},
		{"an error", "\u2577\n\u2502 Error: Failed to load", "prints for people"},
		{"other text", "hello", "not JSON"},
		{"plan -json", `{"@level":"info","@message":"Terraform 1.11.4","type":"version"}` + "\n" + `{"@level":"info"}`, "`terraform plan -json`"},
		{"a line of plan -json", `{"@level":"info","@message":"x"}`, "`terraform plan -json`"},
		{"a state", `{"format_version":"1.0","terraform_version":"1.5.0","values":{"root_module":{}}}`, "JSON of a state"},
		{"an empty state", `{"format_version":"1.0"}`, "prints the state"},
		{"a state file", `{"version":4,"terraform_version":"1.5.0","serial":3,"lineage":"x","resources":[]}`, "state file"},
		{"schemas", `{"format_version":"1.0","provider_schemas":{}}`, "provider schemas"},
		{"outputs", `{"a":{"sensitive":false,"value":1}}`, "no format_version"},
		{"an empty object", `{}`, "no format_version"},
		{"a plan without version", with(t, `"format_version":"1.2",`, ``), "no format_version"},
		{"a newer plan", with(t, `"1.2"`, `"2.0"`), "plan format 2.0 is newer than this version of DriftSentry reads"},
		{"no version", with(t, `"1.2"`, `"latest"`), "/format_version: it must be a version like 1.2"},
		{"a version that is no string", with(t, `"1.2"`, `1.2`), "/format_version: it must be a string"},

		{"broken off", minimal[:300], "breaks off after 300 bytes"},
		{"broken off in a name", minimal[:5], "breaks off after 5 bytes"},
		{"broken off after the last value", minimal[:len(minimal)-1], "breaks off"},
		{"no JSON inside", with(t, `{"id":"vpc-1","cidr":"a"}`, `{id:1}`), "the plan is not valid JSON at byte 240, in /resource_drift/0/change/before"},
		{"a name twice", with(t, `"timestamp"`, `"resource_drift":[],"timestamp"`), "has the same name twice in one object"},
		{"a name twice deep inside", with(t, `"cidr":"a"`, `"cidr":"a","cidr":"b"`), "has the same name twice in one object at byte 2"},
		{"invalid UTF-8", with(t, `"cidr":"a"`, "\"cidr\":\"\xff\""), "is not valid UTF-8 at byte 2"},
		{"half a surrogate pair", with(t, `"cidr":"a"`, `"cidr":"\ud800"`), "has half of a surrogate pair"},
		{"deep nesting", with(t, `"cidr":"a"`, `"cidr":`+strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)), "is nested too deep"},
		{"nesting", with(t, `"cidr":"a"`, `"cidr":`+strings.Repeat("[", 500)+strings.Repeat("]", 500)), "in /resource_drift/0: it is nested too deep"},
		{"nesting elsewhere", with(t, `"applyable"`, `"checks":`+strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)+`,"applyable"`), "is nested too deep"},
		{"other text behind", minimal + "\nhello", "other text after the end"},
		{"another value behind", minimal + "\n" + minimal, "more than one JSON value"},

		{"drift that is no array", `{"format_version":"1.2","resource_drift":{}}`, "at byte 40, in /resource_drift: it must be an array"},
		{"an element that is no object", `{"format_version":"1.2","resource_drift":[1]}`, "/resource_drift/0: it is not an object"},
		{"a null element", `{"format_version":"1.2","resource_drift":[null]}`, "/resource_drift/0: it is not an object"},
		{"no change", `{"format_version":"1.2","resource_drift":[{"address":"a.b"}]}`, "/resource_drift/0: it has no change"},
		{"a change that is no object", with(t, `"change":{`, `"change":[],"x":{`), "it has no change that is an object"},
		{"no actions", with(t, `"actions":["update"],`, ``), "it has no change.actions that is an array"},
		{"actions that are no array", with(t, `["update"]`, `"update"`), "it has no change.actions that is an array"},
		{"unknown actions", with(t, `["update"]`, `["transmogrify"]`), "does not know"},
		{"no actions in the array", with(t, `["update"]`, `[]`), "does not know"},
		{"before that is an array", with(t, `"before":{"id":"vpc-1","cidr":"a"}`, `"before":[]`), "it has a change.before that is neither an object nor null"},
		{"after that is a string", with(t, `"after":{"id":"vpc-1","cidr":"b"}`, `"after":"x"`), "it has a change.after that is neither"},
		{"an address that is a number", with(t, `"aws_vpc.main"`, `1`), "it has as its address something that is not a string"},
		{"no address at all", with(t, `"address":"aws_vpc.main","mode":"managed","type":"aws_vpc","name":"main"`, `"mode":"managed"`), "has neither an address nor a type and a name"},
		{"an endless address", with(t, `"aws_vpc.main"`, `"a.`+strings.Repeat("b", 2000)+`"`), "it has an address of more than 2000 bytes"},
		{"no type", with(t, `"address":"aws_vpc.main","mode":"managed","type":"aws_vpc"`, `"address":"x"`), "it has no type"},
		{"complete that is a string", with(t, `"complete":true`, `"complete":"yes"`), "/complete: it must be true or false"},
		{"variables that are an array", with(t, `"applyable"`, `"variables":[],"applyable"`), "/variables: it must be an object"},
		{
			"the same resource twice", with(t, `],"timestamp"`, `,{"address":"aws_vpc.main","change":{"actions":["delete"],"before":{},"after":null}}],"timestamp"`),
			"in /resource_drift/1: it is the same resource as number 0 before it",
		},
		{"gzip that is none", "\x1f\x8bxxxxxxxxxxxxxxxxxxxx", "gzip that cannot be unpacked"},
		{"gzip that breaks off", string(gzipped(t, minimal))[:100], "gzip that breaks off"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := readString(t, tt.body)
			failure, ok := fault.As(err)
			if !ok {
				t.Fatalf("Read() = %v, want a refusal with %q", err, tt.want)
			}
			if failure.Kind != fault.Invalid || !strings.Contains(failure.Message, tt.want) {
				t.Errorf("Read() = kind %d, %q, want %q", failure.Kind, failure.Message, tt.want)
			}
		})
	}
}

func TestTooLarge(t *testing.T) {
	for name, read := range map[string]func() error{
		"the plan": func() error {
			_, err := terraform.Read(strings.NewReader(minimal), terraform.Options{Key: testKey, MaxBytes: int64(len(minimal) - 1)})
			return err
		},
		"the unpacked plan": func() error {
			_, err := terraform.Read(bytes.NewReader(gzipped(t, minimal+strings.Repeat("\n", 1<<20))), terraform.Options{Key: testKey, MaxBytes: 1 << 20})
			return err
		},
		"one value": func() error {
			return readString(t, with(t, `"cidr":"a"`, `"cidr":"`+strings.Repeat("a", 40<<20)+`"`))
		},
		"a value nobody needs": func() error {
			return readString(t, with(t, `"applyable"`, `"checks":"`+strings.Repeat("a", 40<<20)+`","applyable"`))
		},
		"one attribute": func() error {
			return readString(t, with(t, `"cidr":"a"`, `"cidr":[`+strings.Repeat("1,", 300_000)+`1]`))
		},
	} {
		if err := read(); fault.KindOf(err) != fault.TooLarge {
			t.Errorf("%s: Read() = %v, want it to be too large", name, err)
		}
	}
}

// TestGoodInput reads the same plan in all the ways in which people send it.
func TestGoodInput(t *testing.T) {
	want := describe(t, []byte(minimal))
	if !strings.Contains(want, "1 drifts") {
		t.Fatalf("the minimal plan reads as\n%s", want)
	}
	utf16Text := func(little, mark bool) string {
		var b []byte
		units := utf16.Encode([]rune(minimal))
		if mark {
			units = append([]uint16{0xfeff}, units...)
		}
		for _, u := range units {
			if little {
				b = append(b, byte(u), byte(u>>8))
			} else {
				b = append(b, byte(u>>8), byte(u))
			}
		}
		return string(b)
	}
	const wrapper = "[command]/opt/hostedtoolcache/terraform-bin show -json plan.tfplan\n"
	for name, body := range map[string]string{
		"as it is":                        minimal,
		"with blanks":                     "\n\n " + minimal + " \r\n",
		"with many blanks":                strings.Repeat(" ", 100_000) + minimal,
		"with a mark of UTF-8":            "\xef\xbb\xbf" + minimal,
		"UTF-16 little-endian":            utf16Text(true, true),
		"UTF-16 big-endian":               utf16Text(false, true),
		"UTF-16 little-endian, no mark":   utf16Text(true, false),
		"UTF-16 big-endian, no mark":      utf16Text(false, false),
		"gzip":                            string(gzipped(t, minimal)),
		"behind a wrapper's line":         wrapper + minimal,
		"behind blank lines and wrappers": "\n" + wrapper + "\r\n::debug::x\n##[command]y\n" + minimal,
		"behind a very long line":         "::debug::" + strings.Repeat("x", 200_000) + "\n" + minimal,
		"in front of a wrapper's lines":   minimal + "\n::debug::Terraform exited with code 0.\n::debug::stdout: " + strings.Repeat("{", 100_000) + "\n\n::set-output name=exitcode::0\n",
		"indented":                        strings.NewReplacer(",", ",\n  ", ":", ": ").Replace(strings.ReplaceAll(minimal, "03:04:05", "03`04`05")),
	} {
		if name == "indented" {
			body = strings.ReplaceAll(body, "`", ":")
		}
		if got := describe(t, []byte(body)); got != want {
			t.Errorf("%s the plan reads as\n%s\nwant\n%s", name, got, want)
		}
	}
}

func TestABrokenConnectionIsNotThePlansFault(t *testing.T) {
	broken := errors.New("connection reset")
	for _, n := range []int{0, 1, 100, 400} {
		r := io.MultiReader(strings.NewReader(minimal[:n]), iotest.ErrReader(broken))
		_, err := terraform.Read(r, terraform.Options{Key: testKey})
		if !errors.Is(err, broken) {
			t.Errorf("after %d bytes: Read() = %v, want the connection's error", n, err)
		}
		if _, classified := fault.As(err); classified {
			t.Errorf("after %d bytes: Read() blames the plan: %v", n, err)
		}
	}
}

func TestAnUnusableSpoolIsNotThePlansFault(t *testing.T) {
	err := func() error {
		_, err := terraform.Read(stream(largePlan()), terraform.Options{Key: testKey, SpoolDir: "/does/not/exist"})
		return err
	}()
	if _, classified := fault.As(err); err == nil || classified || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Read() = %v, want the file system's error", err)
	}
}

func gzipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
