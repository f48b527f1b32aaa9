package drift

import (
	"slices"
	"testing"
)

func TestWithout(t *testing.T) {
	tests := []struct{ spans, taken, want []span }{
		{nil, []span{{1, 2}}, nil},
		{[]span{{1, 9}}, nil, []span{{1, 9}}},
		{[]span{{1, 9}}, []span{{1, 9}}, nil},
		{[]span{{1, 9}}, []span{{3, 4}, {6, 6}}, []span{{1, 2}, {5, 5}, {7, 9}}},
		{[]span{{1, 3}, {5, 9}}, []span{{2, 6}}, []span{{1, 1}, {7, 9}}},
		{[]span{{5, 9}}, []span{{1, 2}, {20, 30}}, []span{{5, 9}}},
		{[]span{{1, 3}, {5, 9}, {20, 30}}, []span{{0, 3}, {9, 25}}, []span{{5, 8}, {26, 30}}},
	}
	for _, test := range tests {
		if got := without(test.spans, test.taken); !slices.Equal(got, test.want) {
			t.Errorf("without(%v, %v) = %v, want %v", test.spans, test.taken, got, test.want)
		}
	}
}

func TestMerged(t *testing.T) {
	spans := []span{{20, 30}, {1, 4}, {5, 9}, {25, 40}, {26, 27}}
	if got, want := merged(slices.Clone(spans)), []span{{1, 9}, {20, 40}}; !slices.Equal(got, want) {
		t.Errorf("merged(%v) = %v, want %v", spans, got, want)
	}
}

func TestParseSpans(t *testing.T) {
	every := span{0, lastPort}
	tests := []struct {
		text string
		want []span
	}{
		{"22", []span{{22, 22}}},
		{" 1000 - 2000 ", []span{{1000, 2000}}},
		{"80,443", []span{{80, 80}, {443, 443}}},
		{"*", []span{every}},
		{"Any", []span{every}},
		{"0", []span{every}},
		{"", nil},
		{"ssh", nil},
		{"-1", nil},
		{"2000-1000", nil},
		{"1-70000", nil},
	}
	for _, test := range tests {
		if got := parseSpans(test.text); !slices.Equal(got, test.want) {
			t.Errorf("parseSpans(%q) = %v, want %v", test.text, got, test.want)
		}
	}
}
