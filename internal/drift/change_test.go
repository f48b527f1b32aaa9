package drift

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestChangeJSON(t *testing.T) {
	tests := []struct {
		name   string
		change Change
		want   string
	}{
		{
			"as in the contract",
			Change{Path: "ingress[1]", After: Shown(`{"from_port":22}`)},
			`{"path":"ingress[1]","before":null,"after":{"from_port":22}}`,
		},
		{
			"sensitive before",
			Change{Path: "user_data", Before: Hidden(), After: Shown(`"told"`)},
			`{"path":"user_data","sensitive":true}`,
		},
		{
			"sensitive after",
			Change{Path: "user_data", Before: Shown(`"told"`), After: Hidden()},
			`{"path":"user_data","sensitive":true}`,
		},
		{
			"unknown",
			Change{Path: "id", Before: Shown(`"a"`), Unknown: true},
			`{"path":"id","before":"a","after":null,"afterUnknown":true}`,
		},
		{
			"sensitive and unknown",
			Change{Path: "id", Before: Hidden(), Unknown: true},
			`{"path":"id","sensitive":true,"afterUnknown":true}`,
		},
		{
			"noise",
			Change{Path: "tags", After: Shown(`{}`), Noise: NoiseEmpty},
			`{"path":"tags","before":null,"after":{},"noise":"empty"}`,
		},
		{
			"a path with quotes",
			Change{Path: `tags["a\"b"]`},
			`{"path":"tags[\"a\\\"b\"]","before":null,"after":null}`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := string(test.change.AppendJSON(nil))
			if got != test.want {
				t.Errorf("AppendJSON() = %s, want %s", got, test.want)
			}
			b, err := json.Marshal(&test.change)
			if err != nil {
				t.Fatal(err)
			}
			if string(b) != test.want {
				t.Errorf("json.Marshal() = %s, want %s", b, test.want)
			}
		})
	}
}

func TestAppendChanges(t *testing.T) {
	tests := []struct {
		changes []Change
		want    string
	}{
		{nil, `[]`},
		{[]Change{{Path: "a"}}, `[{"path":"a","before":null,"after":null}]`},
		{
			[]Change{{Path: "a"}, {Path: "b", After: Hidden()}},
			`[{"path":"a","before":null,"after":null},{"path":"b","sensitive":true}]`,
		},
	}
	for _, test := range tests {
		if got := string(AppendChanges([]byte("x"), test.changes)); got != "x"+test.want {
			t.Errorf("AppendChanges(x, ...) = %s, want x%s", got, test.want)
		}
	}
}

func TestAppendString(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", `""`},
		{"plain", `"plain"`},
		{`"\/`, `"\"\\/"`},
		{"\x00\t\n\x1f\x7f", `"\u0000\u0009\u000a\u001f\u007f"`},
		{"ü世\U0001F600", "\"ü世\U0001F600\""},
		{"\u2028\u2029", "\"\u2028\u2029\""}, // fine in JSON, if not in JavaScript before 2019
		{"a\xffb", "\"a\ufffdb\""},
		{"\xed\xa0\x80", "\"\ufffd\ufffd\ufffd\""}, // half a surrogate pair
		{"\xe4\xb8", "\"\ufffd\ufffd\""},           // cut short
		{"\ufffd", "\"\ufffd\""},
	}
	for _, test := range tests {
		if got := string(AppendString(nil, test.text)); got != test.want {
			t.Errorf("AppendString(%q) = %s, want %s", test.text, got, test.want)
		}
	}
}

func FuzzAppendString(f *testing.F) {
	for _, text := range []string{"", "plain", `"\`, "\x00\x1f\x7f", "\u2028\u2029", "\xff\xc0\x80", "\xed\xa0\x80", "世\U0001F600", "</script>"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b := AppendString([]byte("["), text)
		var got []string
		if err := json.Unmarshal(append(b, ']'), &got); err != nil {
			t.Fatalf("AppendString(%q) = %s: %v", text, b[1:], err)
		}
		if want := string([]rune(text)); got[0] != want { // each invalid byte as U+FFFD
			t.Errorf("AppendString(%q) reads as %q, want %q", text, got[0], want)
		}
	})
}

func FuzzChangeJSON(f *testing.F) {
	f.Add("ingress[1]", `null`, `{"from_port":22}`, false, "")
	f.Add("tags[\"\x00\xff\u2028\"]", `"\u0000"`, ` [1, 2] `, true, "empty")
	f.Fuzz(func(t *testing.T, path, before, after string, unknown bool, noise string) {
		if !json.Valid([]byte(before)) || !json.Valid([]byte(after)) {
			return
		}
		shown := Change{Path: path, Before: Shown(before), After: Shown(after), Unknown: unknown, Noise: NoiseReason(noise)}
		b := AppendChanges(nil, []Change{shown})
		var got []struct {
			Path          string
			Before, After json.RawMessage
			AfterUnknown  bool
			Noise         string
		}
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("AppendChanges() = %s: %v", b, err)
		}
		g := got[0]
		if g.Path != string([]rune(path)) || g.AfterUnknown != unknown || g.Noise != string([]rune(noise)) {
			t.Errorf("AppendChanges() = %s, want path %q, unknown %t, noise %q", b, path, unknown, noise)
		}
		if !bytes.Equal(g.Before, bytes.TrimSpace([]byte(before))) || !bytes.Equal(g.After, bytes.TrimSpace([]byte(after))) {
			t.Errorf("AppendChanges() = %s, want %s and %s", b, before, after)
		}
		secret := shown
		secret.After = Hidden()
		b = secret.AppendJSON(nil)
		if !json.Valid(b) || strings.Contains(string(b), `"before"`) {
			t.Errorf("AppendJSON() of a hidden value = %s, want valid JSON without values", b)
		}
	})
}

// BenchmarkAppendChanges writes the changes of one resource.
func BenchmarkAppendChanges(b *testing.B) {
	changes := []Change{
		{Path: "ingress[1]", After: Shown(`{"from_port":22,"to_port":22,"protocol":"tcp","cidr_blocks":["0.0.0.0/0"]}`)},
		{Path: `tags["kubernetes.io/cluster/production"]`, Before: Shown(`"owned"`), After: Shown(`"shared"`)},
		{Path: "user_data", Before: Hidden(), After: Hidden()},
	}
	b.ReportAllocs()
	var buffer []byte
	for b.Loop() {
		buffer = AppendChanges(buffer[:0], changes)
	}
}
