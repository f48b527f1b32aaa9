package review

import (
	"strings"
	"testing"
)

func TestReasons(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, problem string }{
		{"ten letters", "abcdefghij", ""},
		{"ten letters among spaces", " a b c d e f g h i j ", ""},
		{"a thousand characters", strings.Repeat("ü", 1000), ""},
		{"a zero-width non-joiner between letters, as Persian has it", "تغییر می\u200cخواهیم و ثبت", ""},
		{"a zero-width joiner after a mark, as Hindi has it", "नेटवर्क क्\u200dष टीम ने माना", ""},
		{"an Arabic sign that is seen", "agreed, see \u0600123 of the rules", ""},
		{"an emoji", "agreed with them all ✔\ufe0f", ""},
		{"nine letters and spaces", "a b c d e f g h i", "at least 10 characters that can be seen"},
		{"one letter and many spaces", "x" + strings.Repeat(" ", 20) + "y", "but has 2"},
		{"ten no-break spaces", "x" + strings.Repeat("\u00a0", 10) + "y", "but has 2"},
		{"ten blank letters", strings.Repeat("\u3164", 10), "but has 0"},
		{"ten blank patterns of Braille", strings.Repeat("\u2800", 10), "but has 0"},
		{"ten combining joiners", "x" + strings.Repeat("\u034f", 10), "but has 1"},
		{"ten zero-width spaces", strings.Repeat("\u200b", 10), "U+200B"},
		{"a zero-width space", "agreed with the\u200b team", "U+200B"},
		{"a bidi override", "agreed with the \u202emaet", "U+202E"},
		{"a bidi isolate", "agreed with the \u2066team", "U+2066"},
		{"a byte order mark", "agreed with\ufeff the team", "U+FEFF"},
		{"a soft hyphen", "agreed with the net\u00adwork team", "U+00AD"},
		{"a tag character", "agreed with the team\U000e0041", "U+E0041"},
		{"a joiner between spaces", "agreed with \u200d the team", "U+200D"},
		{"a joiner at the end", "agreed with the team\u200d", "U+200D"},
		{"1001 characters", strings.Repeat("ü", 1001), "at most 1000"},
		{"control characters", "a reason\x1b[2J with more", "control"},
		{"broken UTF-8", "a reason \xff which breaks", "UTF-8"},
	} {
		reason, problem := cleanReason(tt.text)
		if (problem == "") != (tt.problem == "") || !strings.Contains(problem, tt.problem) || (problem == "") != (reason != "") {
			t.Errorf("%s: cleanReason(%q) = %q, %q, want the problem %q", tt.name, tt.text, reason, problem, tt.problem)
		}
	}
}
