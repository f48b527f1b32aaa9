package drift_test

import (
	"slices"
	"testing"
)

// TestUnsetInBlocks: what the cloud fills in inside a block is noise, an
// attribute of the resource itself that becomes false is not.
func TestUnsetInBlocks(t *testing.T) {
	for _, tt := range []struct{ before, after, want string }{
		{`{"rule":[{"name":"a","max_age":null}]}`, `{"rule":[{"name":"a","max_age":0}]}`, "rule[0].max_age: null -> 0 (empty)"},
		{`{"rule":[{"name":"a"}]}`, `{"rule":[{"name":"a","on":false}]}`, "rule[0].on: - -> false (empty)"},
		{`{"rule":[{"name":"a","on":false}]}`, `{"rule":[{"name":"a","on":null}]}`, "rule[0].on: false -> null (empty)"},
		{`{"rule":[{"name":"a","in":{"n":0}}]}`, `{"rule":[{"name":"a","in":{"n":null}}]}`, "rule[0].in.n: 0 -> null (empty)"},
		{`{"rule":[{"name":"a","on":null}]}`, `{"rule":[{"name":"a","on":true}]}`, "rule[0].on: null -> true"},
		{`{"rule":[{"name":"a","n":null}]}`, `{"rule":[{"name":"a","n":1}]}`, "rule[0].n: null -> 1"},
		{`{"rule":[{"name":"a","on":true}]}`, `{"rule":[{"name":"a","on":false}]}`, "rule[0].on: true -> false"},
		{`{"on":null}`, `{"on":false}`, "on: null -> false"},
		{`{"size":null}`, `{"size":0}`, "size: null -> 0"},
		{`{"env":[{"name":"a","variables":{"N":null}}]}`, `{"env":[{"name":"a","variables":{"N":0}}]}`, "env[0].variables.N: null -> 0"},
	} {
		if got := compare(t, "x", tt.before, tt.after, `{}`); !slices.Equal(got, []string{tt.want}) {
			t.Errorf("%s and %s differ in %q, want %q", tt.before, tt.after, got, tt.want)
		}
	}
}
