package drift_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestCompareListsMadeToTakeLong compares what would take a comparison of every
// element with every other hours.
func TestCompareListsMadeToTakeLong(t *testing.T) {
	list := func(n int, element func(i int) string) string {
		elements := make([]string, n)
		for i := range elements {
			elements[i] = element(i)
		}
		return "[" + strings.Join(elements, ",") + "]"
	}
	for name, element := range map[string]func(side, i int) string{
		"all different":     func(side, i int) string { return fmt.Sprintf(`{"x":%d,"y":%d,"z":"same"}`, side*1_000_000+i, i) },
		"all but alike":     func(side, i int) string { return fmt.Sprintf(`{"a":1,"b":2,"c":3,"d":4,"e":%d}`, side*1_000_000+i) },
		"with names":        func(side, i int) string { return fmt.Sprintf(`{"name":"%d","x":%d}`, (i*7919)%30_000, side) },
		"names that repeat": func(side, i int) string { return fmt.Sprintf(`{"name":"%d","x":%d}`, i%100, side*1_000_000+i) },
		"strings":           func(side, i int) string { return fmt.Sprintf(`"%d"`, (side*13+i*7919)%30_000) },
		"lists":             func(side, i int) string { return fmt.Sprintf(`[[[%d]],[%d]]`, i, side*30_000+i) },
		"nothing":           func(_, i int) string { return []string{`""`, `null`, `[]`, `{}`}[i%4] },
		"JSON":              func(side, i int) string { return fmt.Sprintf(`"{\"a\":[%d,%d]}"`, i, side) },
	} {
		t.Run(name, func(t *testing.T) {
			const n = 30_000
			before := list(n, func(i int) string { return element(0, i) })
			after := list(n, func(i int) string { return element(1, n-1-i) })
			compare(t, "", `{"a":`+before+`}`, `{"a":`+after+`}`, `{}`)
		})
	}
	deep := func(core string) string {
		return `{"a":` + strings.Repeat(`[1,`, 190) + core + strings.Repeat(`]`, 190) + `}`
	}
	if got := compare(t, "", deep("2"), deep("3"), `{}`); len(got) == 0 {
		t.Error("a difference deep inside is not found")
	}
}
