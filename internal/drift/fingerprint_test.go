package drift_test

import (
	"testing"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/jsontree"
)

// fingerprint is that of what differs between two versions of attribute a.
func fingerprint(t *testing.T, key, before, after string, action drift.Action) drift.Fingerprint {
	t.Helper()
	var p jsontree.Parser
	c := drift.Comparer{Parser: &p}
	f := drift.NewFingerprinter([]byte(key), &p)
	f.Start()
	for _, d := range c.Attribute([]byte("a"), p.Parse([]byte(before)), p.Parse([]byte(after)), nil) {
		f.Add(&d)
	}
	return f.News(action)
}

func TestFingerprint(t *testing.T) {
	base := [...]string{`{"x":[{"name":"p","port":80},{"name":"q","port":81}],"y":"1"}`, `{"x":[{"name":"p","port":80},{"name":"r","list":["m","n"]}],"y":"2"}`}
	want := fingerprint(t, "key", base[0], base[1], drift.Update)
	for name, sides := range map[string][2]string{
		"the same":        base,
		"another order":   {base[0], `{"y":"2","x":[{"list":["n","m"],"name":"r"},{"port":80,"name":"p"}]}`},
		"other writing":   {base[0], `{"x":[{"name":"p","port":8e1},{"name":"\u0072","list":["m","n"],"z":null}],"y":"2"}`},
		"noise beside it": {base[0], `{"x":[{"name":"p","port":80},{"name":"r","list":["m","n"]}],"y":"2","z":""}`},
	} {
		if got := fingerprint(t, "key", sides[0], sides[1], drift.Update); got != want {
			t.Errorf("%s: the fingerprint differs", name)
		}
	}
	for name, got := range map[string]drift.Fingerprint{
		"another value":  fingerprint(t, "key", base[0], `{"x":[{"name":"p","port":80},{"name":"r","list":["m","o"]}],"y":"2"}`, drift.Update),
		"another before": fingerprint(t, "key", `{"x":[{"name":"p","port":80},{"name":"q","port":82}],"y":"1"}`, base[1], drift.Update),
		"another place":  fingerprint(t, "key", base[0], `{"x":[{"name":"p","port":80},{"name":"r","list":["m","n"]}],"y":"1","z":"2"}`, drift.Update),
		"another action": fingerprint(t, "key", base[0], base[1], drift.Replace),
		"another key":    fingerprint(t, "yek", base[0], base[1], drift.Update),
		"nothing":        fingerprint(t, "key", base[0], base[0], drift.Update),
	} {
		if got == want {
			t.Errorf("%s: the fingerprint is the same", name)
		}
	}
	text := func(a, b string) drift.Fingerprint {
		return fingerprint(t, "key", `{"p":"{\"a\":[1,2]}"}`, `{"p":"`+a+`","q":"`+b+`"}`, drift.Update)
	}
	if text(`{\"a\":[3,1],\"b\":2}`, "x") != text(`{ \"b\": 2, \"a\": [1, 3] }`, "x") {
		t.Error("JSON written in another way has another fingerprint")
	}
	if text("", "ab") == text("a", "b") || text("null", "") == text("", "null") {
		t.Error("values that run together have the same fingerprint")
	}
}
