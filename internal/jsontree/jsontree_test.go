package jsontree_test

import (
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/jsontree"
)

// documents are valid JSON of every shape, for the tests that compare with encoding/json.
var documents = []string{
	`null`, `true`, `false`, `0`, `-1.5e+3`, `""`, `"a"`, `[]`, `{}`, ` [ ] `, "\t{\n}\r\n",
	`{"a":1}`, `{"b":1,"a":2}`, `{ "a" : [ 1 , "x\"y" , { "k\\" : null } ] , "b" : { } }`,
	`["\\", "\\\"", "\\\\\"]", "}{", "\u0041\ud83d\ude00"]`,
	`{"\u0061":"escaped name","é":"ü"}`,
	`[[[[[]]]],{"a":{"b":{"c":[{}]}}}]`,
	`{"a":"{\"b\":[1,2]}","c":"[]"}`,
}

func TestAnyIsWhatEncodingJSONDecodes(t *testing.T) {
	for _, doc := range documents {
		want := decode(t, doc)
		var p jsontree.Parser
		if got := p.Parse([]byte(doc)).Any(); !reflect.DeepEqual(got, want) {
			t.Errorf("Parse(%s).Any() = %#v, want %#v", doc, got, want)
		}
	}
}

func TestCursorVisitsEverything(t *testing.T) {
	for _, doc := range documents {
		if got, want := rebuild(t, []byte(strings.TrimSpace(doc))), decode(t, doc); !reflect.DeepEqual(got, want) {
			t.Errorf("a cursor on %s = %#v, want %#v", doc, got, want)
		}
	}
}

func TestCursorGoesOnBehindWhatItEntered(t *testing.T) {
	c := jsontree.CursorOn([]byte(`{"a": {"x": [1, {"y": 2}], "z": 3} , "b": 4}`))
	var seen []string
	c.Enter()
	name, _ := c.Name()
	seen = append(seen, string(name))
	for c.Enter(); ; {
		name, more := c.Name()
		if !more {
			break
		}
		seen = append(seen, string(name))
		if c.Kind() == jsontree.Array {
			for c.Enter(); c.Element(); {
				seen = append(seen, string(c.Value()))
			}
		} else {
			seen = append(seen, string(c.Value()))
		}
	}
	name, _ = c.Name()
	seen = append(seen, string(name), string(c.Value()))
	if got, want := strings.Join(seen, " "), `"a" "x" 1 {"y": 2} "z" 3 "b" 4`; got != want {
		t.Errorf("a cursor visits %s, want %s", got, want)
	}
	if _, more := c.Name(); more {
		t.Error("a cursor goes on after the end")
	}
}

func TestMember(t *testing.T) {
	object := []byte(`{"ab":1, "a" : [2] ,"b":"x"}`)
	if got := string(jsontree.Member(object, "a")); got != "[2]" {
		t.Errorf("Member(a) = %s, want [2]", got)
	}
	if got := jsontree.Member(object, "c"); got != nil {
		t.Errorf("Member(c) = %s, want nothing", got)
	}
	var p jsontree.Parser
	v := p.Parse([]byte(`{"z":1,"a":2,"a":3}`))
	if got := string(v.Member("a").Raw); got != "3" {
		t.Errorf("of two members a the tree gives %s, want the last", got)
	}
	if v.Member("b") != nil || v.Member("a").Member("b") != nil || v.Element(0) != nil {
		t.Error("found a member that is not there")
	}
}

func TestInner(t *testing.T) {
	for text, want := range map[string]string{
		`"{\"a\":1}"`:            `{"a":1}`,
		`" [1] \n"`:              `[1]`,
		`"{\"a\":1,\"a\":2}"`:    `{"a":1,"a":2}`,
		`"{\"a\":1"`:             "",
		`"{{resolve:ssm:/x}}"`:   "",
		`"5"`:                    "",
		`"\"quoted\""`:           "",
		`{"a":1}`:                "",
		`"[\"[\\\"deep\\\"]\"]"`: `["[\"deep\"]"]`,
	} {
		var p jsontree.Parser
		v := p.Parse([]byte(text))
		got := ""
		if inner := v.Inner(&p); inner != nil {
			got = string(inner.Raw)
		}
		if got != want {
			t.Errorf("Inner(%s) = %q, want %q", text, got, want)
		}
	}
}

func TestParserResets(t *testing.T) {
	var p jsontree.Parser
	for range 3 {
		v := p.Parse([]byte(`{"a":[1,2,3],"b":{"c":"d"}}`))
		if got := string(v.Member("b").Member("c").Text()); got != "d" {
			t.Errorf("b.c = %q, want d", got)
		}
		p.Reset()
	}
}

func TestDecimal(t *testing.T) {
	for number, want := range map[string]string{
		"0": "0e0", "-0": "0e0", "0.000": "0e0", "0e99": "0e0",
		"1": "1e0", "1.0": "1e0", "1e0": "1e0", "10e-1": "1e0", "100": "1e2", "1E+2": "1e2",
		"-12.50": "-125e-1", "0.001": "1e-3", "12345678901234567890.123": "12345678901234567890123e-3",
		"1e00000000000000000000005": "1e5",
		"1e999999999999999999999":   "1e999999999999999999999",
	} {
		if got := string(jsontree.AppendDecimal(nil, []byte(number))); got != want {
			t.Errorf("AppendDecimal(%s) = %s, want %s", number, got, want)
		}
	}
	if jsontree.SameNumber([]byte("12345678901234567890.123"), []byte("12345678901234567890.124")) {
		t.Error("two numbers that a float64 confuses are taken for the same")
	}
}

func FuzzDecimal(f *testing.F) {
	for _, number := range []string{"1", "-0.0", "1e5", "12.50", "1e-7"} {
		f.Add(number, "10")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, number := range []string{a, b} {
			if got, want := jsontree.IsNumber([]byte(number)), isNumber(number); got != want {
				t.Fatalf("IsNumber(%q) = %v, want %v", number, got, want)
			}
		}
		if !isNumber(a) || !isNumber(b) || len(a) > 30 || len(b) > 30 || hugeExponent(a) || hugeExponent(b) {
			return
		}
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		if got, want := jsontree.SameNumber([]byte(a), []byte(b)), x.Cmp(y) == 0; got != want {
			t.Fatalf("SameNumber(%s, %s) = %v, want %v", a, b, got, want)
		}
	})
}

func hugeExponent(number string) bool {
	_, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	return len(exponent) > 4
}

func isNumber(text string) bool {
	var number json.Number
	return json.Unmarshal([]byte(text), &number) == nil && string(number) == text && text != ""
}

func decode(t *testing.T, doc string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(doc))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("test document %s: %v", doc, err)
	}
	return v
}

// rebuild decodes a document by cursors alone.
func rebuild(t *testing.T, text []byte) any {
	t.Helper()
	c := jsontree.CursorOn(text)
	switch c.Kind() {
	case jsontree.Object:
		members := map[string]any{}
		for c.Enter(); ; {
			name, more := c.Name()
			if !more {
				return members
			}
			members[string(jsontree.Unquote(name))] = rebuild(t, c.Value())
		}
	case jsontree.Array:
		elements := []any{}
		for c.Enter(); c.Element(); {
			elements = append(elements, rebuild(t, c.Value()))
		}
		return elements
	default:
		return decode(t, string(text))
	}
}

func TestMeasure(t *testing.T) {
	values, depth := jsontree.Measure([]byte(`{"a":[{"b":"[[[[]]]],,"}],"c":[1,2]}`))
	if values != 7 || depth != 3 {
		t.Errorf("Measure() = %d values, %d deep, want 7 and 3", values, depth)
	}
	for depth, want := range map[int]bool{jsontree.MaxInnerDepth: true, jsontree.MaxInnerDepth + 1: false} {
		document := strings.Repeat("[", depth) + strings.Repeat("]", depth)
		if got := jsontree.HoldsJSON([]byte(document)); got != want {
			t.Errorf("HoldsJSON of %d lists in each other = %v, want %v", depth, got, want)
		}
	}
}
