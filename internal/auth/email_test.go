package auth_test

import (
	"net/mail"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/fault"
)

func TestParseEmail(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 61) + "." // a label and its dot
	for _, test := range []struct{ text, want string }{
		{"alice@example.com", "alice@example.com"},
		{"Alice.Smith+CI@Example.COM", "alice.smith+ci@example.com"},
		{"root@localhost", "root@localhost"},
		{"o'brien!#$%&*-/=?^_`{|}~@a-b.c1", "o'brien!#$%&*-/=?^_`{|}~@a-b.c1"},
		{"1@2", "1@2"},
		{"a@xn--bcher-kva.example", "a@xn--bcher-kva.example"},
		{strings.Repeat("a", 64) + "@" + strings.Repeat("b", 63), strings.Repeat("a", 64) + "@" + strings.Repeat("b", 63)},
		{"abcd@" + strings.Repeat(long, 4) + "b", "abcd@" + strings.Repeat(long, 4) + "b"}, // 254 bytes
	} {
		got, err := auth.ParseEmail(test.text)
		if got != test.want || err != nil {
			t.Errorf("ParseEmail(%q) = %q, %v, want %q", test.text, got, err, test.want)
		}
	}
}

func TestParseEmailRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, message string }{
		{"", "is missing"},
		{"alice", "no @"},
		{"alice@@example.com", "more than one @"},
		{"a@b@c", "more than one @"},
		{"@example.com", "before the @"},
		{".alice@example.com", "before the @"},
		{"alice.@example.com", "before the @"},
		{"al..ice@example.com", "before the @"},
		{`"alice"@example.com`, "before the @"},
		{"alice(work)@example.com", "before the @"},
		{strings.Repeat("a", 65) + "@example.com", "before the @"},
		{"alice@", "domain"},
		{"alice@.com", "domain"},
		{"alice@example.", "domain"},
		{"alice@-example.com", "domain"},
		{"alice@example-.com", "domain"},
		{"alice@exa_mple.com", "domain"},
		{"alice@[127.0.0.1]", "domain"},
		{"alice@" + strings.Repeat("b", 64), "domain"},
		{"alice@" + strings.Repeat("b.", 150), "at most 254 bytes"},
		{strings.Repeat("a", 1<<20), "at most 254 bytes"},
		{" alice@example.com", "spaces"},
		{"alice@example.com\n", "spaces"},
		{"alice@example.com\x00", "control"},
		{"alice@example.com\x7f", "control"},
		{"Alice <alice@example.com>", "spaces"},
		{"аlice@example.com", "U+0430"},       // Cyrillic а
		{"alice@exаmple.com", "U+0430"},       // and in the domain
		{"ａlice@example.com", "U+FF41"},       // full width
		{"alice@example。com", "U+3002"},       // a dot to some
		{"alıce@example.com", "U+0131"},       // becomes I in capitals
		{"\u212a@example.com", "U+212A"},      // the Kelvin sign: becomes k in small letters
		{"alice\u200b@example.com", "U+200B"}, // zero width
		{"alice@example.com\u202e", "U+202E"}, // right to left
		{"alice\xff@example.com", "U+FFFD"},
		{"' OR 1=1 --@example.com", "spaces"},
	} {
		got, err := auth.ParseEmail(test.text)
		failure, ok := fault.As(err)
		if !ok || failure.Kind != fault.Invalid || len(failure.Fields) != 1 || failure.Fields[0].Field != "email" || got != "" {
			t.Errorf("ParseEmail(%.60q) = %q, %v, want it to be invalid by the field email", test.text, got, err)
			continue
		}
		if !strings.Contains(failure.Message, test.message) {
			t.Errorf("ParseEmail(%.60q) says %q, want %q in it", test.text, failure.Message, test.message)
		}
		for _, c := range []byte(failure.Message) {
			if c < ' ' || c > '~' {
				t.Errorf("ParseEmail(%.60q) says %q, which quotes what nobody can see", test.text, failure.Message)
				break
			}
		}
	}
}

func FuzzParseEmail(f *testing.F) {
	for _, text := range []string{"alice@example.com", "A.B+c@D-e.f", "root@localhost", "a@b@c", "@", "", "аlice@example.com", `"a b"@c`, "a@[::1]", "\u212a@k"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := auth.ParseEmail(text)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid || got != "" {
				t.Fatalf("ParseEmail(%q) = %q, %v, want it to be invalid", text, got, err)
			}
			return
		}
		if again, err := auth.ParseEmail(got); again != got || err != nil || !strings.EqualFold(got, text) || got != strings.ToLower(got) {
			t.Fatalf("ParseEmail(%q) = %q, and of that %q, %v", text, got, again, err)
		}
		// The library knows more forms; ours must be among them.
		if parsed, err := mail.ParseAddress(got); err != nil || parsed.Address != got || parsed.Name != "" {
			t.Fatalf("ParseEmail(%q) = %q, but mail.ParseAddress says %v, %v", text, got, parsed, err)
		}
	})
}
