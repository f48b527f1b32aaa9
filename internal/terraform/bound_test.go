package terraform_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// only is the one drift of a plan.
func only(t *testing.T, s *drift.Snapshot) drift.Resource {
	t.Helper()
	if len(s.Drifts) != 1 {
		t.Fatalf("%d drifts, want 1", len(s.Drifts))
	}
	for r, err := range s.EachDrift(nil) {
		if err != nil {
			t.Fatal(err)
		}
		return *r
	}
	panic("unreachable: a drift is counted and not handed out")
}

func TestALongValueIsLeftOut(t *testing.T) {
	text := strings.Repeat("wide water ", 10_000)
	s := read(t, planWith(quote(text), ``))
	c := only(t, s).News[0]
	if want := fmt.Sprintf(`"(value of %d bytes left out)"`, len(quote(text))); c.After.JSON() != want || c.Before.JSON() != `"before"` {
		t.Errorf("the change is %s -> %s, want %s", c.Before, c.After, want)
	}
	if other := read(t, planWith(quote(text[1:]+"w"), ``)); other.Drifts[0].Fingerprint == s.Drifts[0].Fingerprint {
		t.Error("another long value has the same fingerprint")
	}
	short := quote(strings.Repeat("x ", drift.MaxValue/2-1))
	if c := only(t, read(t, planWith(short, ``))).News[0]; c.After.JSON() != short {
		t.Errorf("a value of %d bytes is not shown", len(short))
	}
}

func TestTooManyChangesAreLeftOut(t *testing.T) {
	const attributes = 50
	plan := func(last string) string {
		var before, after strings.Builder
		for i := range attributes {
			fmt.Fprintf(&before, `,"a%02d":"x","b%02d":null`, i, i)
			fmt.Fprintf(&after, `,"a%02d":%s,"b%02d":""`, i, quote(strings.Repeat("y ", 30_000)+fmt.Sprint(i)+last), i)
		}
		return `{"format_version":"1.2","resource_drift":[{"address":"x_thing.a","type":"x_thing","change":{"actions":["update"],"before":{"id":"1"` +
			before.String() + `},"after":{"id":"1"` + after.String() + `}}}]}`
	}
	s := read(t, plan(""))
	r := only(t, s)
	size := 0
	for _, c := range slices.Concat(r.News, r.Noise) {
		size += c.Size()
	}
	last := r.News[len(r.News)-1]
	want := fmt.Sprintf(`"(%d changes left out)"`, attributes-len(r.News)+1)
	if len(r.News) < 10 || last.Path != drift.LeftOutPath || last.After.JSON() != want || size > drift.MaxChanges+100 {
		t.Errorf("%d changes of %d bytes, the last %s: %s, want %s", len(r.News), size, last.Path, last.After, want)
	}
	if s.Drifts[0].Fingerprint == read(t, plan("!")).Drifts[0].Fingerprint {
		t.Error("what is left out is not in the fingerprint")
	}
}
