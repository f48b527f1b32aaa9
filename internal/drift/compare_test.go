package drift_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/jsontree"
)

// compare compares two objects attribute by attribute and writes each
// difference as "path: before -> after", with what else is known of it.
func compare(t *testing.T, resourceType, before, after, unknown string) []string {
	t.Helper()
	var p jsontree.Parser
	c := drift.Comparer{Type: resourceType, Parser: &p}
	b, a, u := p.Parse([]byte(before)), p.Parse([]byte(after)), p.Parse([]byte(unknown))
	names := map[string]bool{}
	for _, v := range []*jsontree.Value{b, a, u} {
		for _, kid := range v.Kids {
			names[string(kid.Name)] = true
		}
	}
	sorted := []string{}
	for name := range names {
		sorted = append(sorted, name)
	}
	slices.Sort(sorted)
	var lines []string
	for _, name := range sorted {
		for _, d := range c.Attribute([]byte(name), b.Member(name), a.Member(name), u.Member(name)) {
			line := fmt.Sprintf("%s: %s -> %s", d.Path, raw(d.Before), raw(d.After))
			if d.Unknown {
				line += " unknown"
			}
			if d.Noise != "" {
				line += " (" + string(d.Noise) + ")"
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func raw(v *jsontree.Value) string {
	if v == nil {
		return "-"
	}
	return string(v.Raw)
}

func TestCompare(t *testing.T) {
	const rule = `{"from_port":443,"to_port":443,"protocol":"tcp","cidr_blocks":["10.0.0.0/8"],"self":false,"description":""}`
	const ssh = `{"from_port":22,"to_port":22,"protocol":"tcp","cidr_blocks":["0.0.0.0/0"],"self":false,"description":""}`
	for _, tt := range []struct {
		name                   string
		kind                   string
		before, after, unknown string
		want                   []string
	}{
		{
			name: "scalars", before: `{"a":1,"b":"x","c":true,"d":null}`, after: `{"a":2,"b":"x","c":false,"d":"y"}`,
			want: []string{"a: 1 -> 2", "c: true -> false", `d: null -> "y"`},
		},
		{
			name: "absent is null", before: `{"a":null,"b":1}`, after: `{"c":null}`,
			want: []string{"b: 1 -> -"},
		},
		{
			name: "a map, leaf by leaf", before: `{"tags":{"Name":"a","Old":"x"}}`, after: `{"tags":{"Name":"b","a.b/c":"y"}}`,
			want: []string{`tags.Name: "a" -> "b"`, `tags.Old: "x" -> -`, `tags["a.b/c"]: - -> "y"`},
		},
		{
			name: "a map against nothing", before: `{"tags":null}`, after: `{"tags":{"1st":"x","":"y"}}`,
			want: []string{`tags[""]: - -> "y"`, `tags["1st"]: - -> "x"`},
		},
		{
			name: "odd names", before: `{"we\"ird":{"ü":1}}`, after: `{"we\"ird":{"ü":2}}`,
			want: []string{`["we\"ird"]["ü"]: 1 -> 2`},
		},

		{
			name: "empty", before: `{"a":null,"b":"","c":[],"d":{},"e":[""],"f":{"x":null}}`, after: `{"a":"","b":[],"c":null,"d":null,"e":null,"f":{"x":""}}`,
			want: []string{
				`a: null -> "" (empty)`, `b: "" -> [] (empty)`, `c: [] -> null (empty)`, `d: {} -> null (empty)`,
				`e: [""] -> null (empty)`, `f.x: null -> "" (empty)`,
			},
		},
		{
			name: "false and zero are not empty", before: `{"a":null,"b":null}`, after: `{"a":false,"b":0}`,
			want: []string{"a: null -> false", "b: null -> 0"},
		},
		{
			name: "written differently", before: `{"a":"80","b":true,"c":"1.0","d":1.0,"e":"x","f":12345678901234567890.123}`,
			after: `{"a":80,"b":"true","c":"1","d":1e0,"e":"\u0078","f":12345678901234567890.124}`,
			want: []string{
				`a: "80" -> 80 (normalized)`, `b: true -> "true" (normalized)`, `c: "1.0" -> "1"`,
				"f: 12345678901234567890.123 -> 12345678901234567890.124",
			},
		},
		{
			name: "huge exponents", before: `{"a":1e999999999,"b":1e-999999999999999999999}`, after: `{"a":10e999999998,"b":2e-999999999999999999999}`,
			want: []string{"b: 1e-999999999999999999999 -> 2e-999999999999999999999"},
		},
		{
			name: "another kind", before: `{"a":[1],"b":"x"}`, after: `{"a":{"x":1},"b":["x"]}`,
			want: []string{`a: [1] -> {"x":1}`, `b: "x" -> ["x"]`},
		},

		{
			name: "reordered", before: `{"a":["x","y","z"]}`, after: `{"a":["z","x","y"]}`,
			want: []string{`a: ["x","y","z"] -> ["z","x","y"] (reordered)`},
		},
		{
			name: "one added in the middle", before: `{"a":["x","z"]}`, after: `{"a":["x","y","z"]}`,
			want: []string{`a[1]: - -> "y"`},
		},
		{
			name: "one removed", before: `{"a":["x","y","z"]}`, after: `{"a":["x","z"]}`,
			want: []string{`a[1]: "y" -> -`},
		},
		{
			name: "a multiset", before: `{"a":["x","x"]}`, after: `{"a":["x"]}`,
			want: []string{`a[1]: "x" -> -`},
		},
		{
			name: "a list out of nothing", before: `{"a":null}`, after: `{"a":["x",{"y":1}]}`,
			want: []string{`a[0]: - -> "x"`, `a[1]: - -> {"y":1}`},
		},
		{
			name: "an empty element", before: `{"a":["x"]}`, after: `{"a":["x",""]}`,
			want: []string{`a[1]: - -> "" (empty)`},
		},

		{
			name: "a rule added in front", before: `{"ingress":[` + rule + `]}`, after: `{"ingress":[` + ssh + `,` + rule + `]}`,
			want: []string{"ingress[0]: - -> " + ssh},
		},
		{
			name: "a rule for another", before: `{"ingress":[` + rule + `,` + strings.ReplaceAll(rule, "443", "80") + `]}`,
			after: `{"ingress":[` + rule + `,` + ssh + `]}`,
			want:  []string{"ingress[1]: - -> " + ssh, "ingress[1]: " + strings.ReplaceAll(rule, "443", "80") + " -> -"},
		},
		{
			name: "a rule opened", before: `{"ingress":[` + ssh + `,` + rule + `]}`,
			after: `{"ingress":[` + strings.Replace(rule, "10.0.0.0/8", "0.0.0.0/0", 1) + `,` + ssh + `]}`,
			want:  []string{`ingress[0].cidr_blocks[0]: - -> "0.0.0.0/0"`, `ingress[0].cidr_blocks[0]: "10.0.0.0/8" -> -`},
		},
		{
			name: "a block that occurs once", before: `{"versioning":[{"enabled":false,"mfa_delete":false}]}`, after: `{"versioning":[{"enabled":true,"mfa_delete":false}]}`,
			want: []string{"versioning[0].enabled: false -> true"},
		},
		{
			name: "objects with names", before: `{"c":[{"name":"a","x":1,"y":1},{"name":"b","x":2,"y":2}]}`, after: `{"c":[{"name":"b","x":3,"y":3},{"name":"a","x":1,"y":1}]}`,
			want: []string{"c[0].x: 2 -> 3", "c[0].y: 2 -> 3"},
		},
		{
			name: "noise inside elements", before: `{"c":[{"n":1,"d":null},{"n":2,"d":""}]}`, after: `{"c":[{"n":2,"d":""},{"n":1,"d":""}]}`,
			want: []string{`c[1].d: null -> "" (empty)`},
		},
		{
			name: "lists in lists", before: `{"a":[[1,2],[3]]}`, after: `{"a":[[3],[2,1]]}`,
			want: []string{"a[1]: [1,2] -> [2,1] (reordered)"},
		},

		{
			name: "JSON written differently", before: `{"p":"{\"b\": 1, \"a\": [1]}"}`, after: `{"p":"{\"a\":[1],\"b\":1}"}`,
			want: []string{`p: "{\"b\": 1, \"a\": [1]}" -> "{\"a\":[1],\"b\":1}" (normalized)`},
		},
		{
			name: "inside JSON", before: `{"p":"{\"a\":{\"b\":[1,2]}}"}`, after: `{"p":"{\"a\":{\"b\":[1,3]}}"}`,
			want: []string{"p.a.b[1]: - -> 3", "p.a.b[1]: 2 -> -"},
		},
		{
			name: "JSON out of nothing", before: `{"p":""}`, after: `{"p":"{}"}`,
			want: []string{`p: "" -> "{}"`},
		},
		{
			name: "a trust policy", before: `{"assume_role_policy":"{\"Statement\":[{\"Action\":\"sts:AssumeRole\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"ec2.amazonaws.com\"}}]}"}`,
			after: `{"assume_role_policy":"{\"Statement\":[{\"Action\":\"sts:AssumeRole\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"*\"}}]}"}`,
			want: []string{
				`assume_role_policy.Statement[0].Principal.AWS: - -> "*"`,
				`assume_role_policy.Statement[0].Principal.Service: "ec2.amazonaws.com" -> -`,
			},
		},
		{
			name:   "a policy AWS wrote differently",
			before: `{"policy":"{\"Statement\":[{\"Sid\":\"\",\"Action\":[\"s3:GetObject\"],\"Effect\":\"Allow\",\"Resource\":\"*\",\"Principal\":\"*\"},{\"Action\":\"s3:*\",\"Effect\":\"Deny\",\"Resource\":[\"*\"]}]}"}`,
			after:  `{"policy":"{\"Statement\":[{\"Action\":\"s3:*\",\"Effect\":\"Deny\",\"Resource\":\"*\"},{\"Action\":\"s3:GetObject\",\"Effect\":\"Allow\",\"Resource\":\"*\",\"Principal\":{\"AWS\":\"*\"}}]}"}`,
			want: []string{
				`policy.Statement[0].Resource: ["*"] -> "*" (normalized)`,
				`policy.Statement[1].Action: ["s3:GetObject"] -> "s3:GetObject" (normalized)`,
				`policy.Statement[1].Principal: "*" -> {"AWS":"*"} (normalized)`,
				`policy.Statement[1].Sid: "" -> - (empty)`,
			},
		},
		{
			name: "a statement not in a list", before: `{"policy":"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"a:b\"}}"}`,
			after: `{"policy":"{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"A:b\"},{\"Effect\":\"Deny\",\"Action\":\"c\"}]}"}`,
			want: []string{
				`policy.Statement[0].Action: "a:b" -> "A:b" (normalized)`,
				`policy.Statement[1]: - -> {"Effect":"Deny","Action":"c"}`,
			},
		},
		{
			name: "lists of one mean more elsewhere", before: `{"p":"{\"Action\":\"x\"}"}`, after: `{"p":"{\"Action\":[\"x\"]}"}`,
			want: []string{`p.Action: "x" -> ["x"]`},
		},

		{
			name: "clocks", before: `{"etag":"a","last_modified":"x","update_time":"1","tags":{"updated_at":"1"},"expiration_timestamp":"1"}`,
			after: `{"etag":"b","last_modified":"y","update_time":null,"tags":{"updated_at":"2"},"expiration_timestamp":"2"}`,
			want: []string{
				`etag: "a" -> "b" (computed)`, `expiration_timestamp: "1" -> "2"`, `last_modified: "x" -> "y" (computed)`,
				`tags.updated_at: "1" -> "2"`, `update_time: "1" -> null (computed)`,
			},
		},
		{
			name: "an etag that is the content", kind: "aws_s3_object", before: `{"etag":"a"}`, after: `{"etag":"b"}`,
			want: []string{`etag: "a" -> "b"`},
		},
		{
			name: "kubernetes counters", kind: "kubernetes_config_map", before: `{"metadata":[{"generation":1,"resource_version":"1","name":"x"}]}`,
			after: `{"metadata":[{"generation":2,"resource_version":"7","name":"x"}]}`,
			want:  []string{`metadata[0].generation: 1 -> 2 (computed)`, `metadata[0].resource_version: "1" -> "7" (computed)`},
		},
		{
			name: "the same names elsewhere", kind: "aws_x", before: `{"generation":1}`, after: `{"generation":2}`,
			want: []string{`generation: 1 -> 2`},
		},

		{
			name: "not known yet", before: `{"id":"i-1","b":[{"x":1,"y":2}],"t":["old"],"m":null}`,
			after:   `{"b":[{"x":1}],"t":[null]}`,
			unknown: `{"id":true,"b":[{"y":true}],"t":[true],"m":{"k":true},"f":{"x":false},"n":true}`,
			want: []string{
				"b[0].y: 2 -> - unknown", `id: "i-1" -> - unknown`, "m.k: - -> - unknown", "n: - -> - unknown",
				`t[0]: "old" -> - unknown`,
			},
		},
		{
			name: "an element not known yet", before: `{"t":["a"]}`, after: `{"t":["a"]}`, unknown: `{"t":[false,true]}`,
			want: []string{"t[1]: - -> - unknown"},
		},
		{
			name: "a clock not known yet", before: `{"last_modified":"x"}`, after: `{}`, unknown: `{"last_modified":true}`,
			want: []string{`last_modified: "x" -> - unknown (computed)`},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.unknown == "" {
				tt.unknown = "{}"
			}
			got := compare(t, tt.kind, tt.before, tt.after, tt.unknown)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(tt.want, "\n  "))
			}
		})
	}
}

func TestAnAttributeThatDiffersEverywhereIsToldAsOne(t *testing.T) {
	before := `{"a":[` + strings.Repeat(`"x",`, 5000) + `"x"]}`
	got := compare(t, "", before, `{"a":[]}`, `{}`)
	if len(got) != 1 || !strings.HasPrefix(got[0], "a: [") {
		t.Errorf("got %d differences, want the attribute as a whole", len(got))
	}
}

func TestShuffledListsAreNoise(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		before := map[string]any{"a": randomValue(random, 4)}
		text := write(before, nil)
		if got := compare(t, "", text, text, "{}"); len(got) > 0 {
			t.Fatalf("Compare(a, a) = %q, want nothing, for a = %s", got, text)
		}
		shuffled := write(before, random)
		for _, line := range compare(t, "", text, shuffled, "{}") {
			if !strings.HasSuffix(line, ")") {
				t.Fatalf("after shuffling %s\nto %s\ngot %s", text, shuffled, line)
			}
		}
	}
}

// randomValue is a random JSON value of at most this depth.
func randomValue(random *rand.Rand, depth int) any {
	kinds := 6
	if depth == 0 {
		kinds = 4
	}
	switch random.IntN(kinds) {
	case 0:
		return random.IntN(5)
	case 1:
		return []any{"", "a", "b", "true", "1"}[random.IntN(5)]
	case 2:
		return random.IntN(2) == 0
	case 3:
		return nil
	case 4:
		list := make([]any, random.IntN(6))
		for i := range list {
			list[i] = randomValue(random, depth-1)
		}
		return list
	default:
		object := map[string]any{}
		for range random.IntN(5) {
			object[string(rune('a'+random.IntN(8)))] = randomValue(random, depth-1)
		}
		return object
	}
}

// write writes a value as JSON, every list and object in an order that shuffle
// chooses when there is one.
func write(v any, shuffle *rand.Rand) string {
	order := func(parts []string) string {
		if shuffle != nil {
			shuffle.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		}
		return strings.Join(parts, ",")
	}
	switch v := v.(type) {
	case []any:
		var parts []string
		for _, element := range v {
			parts = append(parts, write(element, shuffle))
		}
		return "[" + order(parts) + "]"
	case map[string]any:
		var parts []string
		for name, member := range v {
			parts = append(parts, fmt.Sprintf("%q:%s", name, write(member, shuffle)))
		}
		return "{" + order(parts) + "}"
	case string:
		return fmt.Sprintf("%q", v)
	case nil:
		return "null"
	default:
		return fmt.Sprint(v)
	}
}
