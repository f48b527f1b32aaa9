package auth_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/secret"
)

func TestHashAndVerify(t *testing.T) {
	t.Parallel()
	passwords := auth.NewPasswords(2)
	password := secret.New("violet teapot 7 lanterns")
	shape := regexp.MustCompile(`^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`)

	stored, err := passwords.Hash(t.Context(), password)
	if err != nil || !shape.MatchString(stored) {
		t.Fatalf("Hash(...) = %q, %v, want %v", stored, err, shape)
	}
	if again, err := passwords.Hash(t.Context(), password); again == stored || err != nil {
		t.Errorf("Hash(...) = %q twice, %v, want a fresh salt each time", again, err)
	}
	for _, test := range []struct {
		text string
		want bool
	}{
		{password.Reveal(), true},
		{"violet teapot 7 lantern", false},
		{"violet teapot 7 lanterns ", false},
		{"Violet teapot 7 lanterns", false},
		{"", false},
		{strings.Repeat("a", 1<<20), false},
		{"\xff\xfe", false},
	} {
		ok, rehash, err := passwords.Verify(t.Context(), stored, secret.New(test.text))
		if ok != test.want || rehash || err != nil {
			t.Errorf("Verify(%.40q) = %v, %v, %v, want %v, false, no error", test.text, ok, rehash, err, test.want)
		}
	}
	if ok, rehash, err := passwords.Verify(t.Context(), "", password); ok || rehash || err != nil {
		t.Errorf("Verify(no account) = %v, %v, %v, want false", ok, rehash, err)
	}
}

// The dummy of unknown accounts has a hash of zeros: no password may be it, and
// no stored text may pass for it.
func TestNobodyIsNotAnAccount(t *testing.T) {
	t.Parallel()
	passwords := auth.NewPasswords(1)
	for _, text := range []string{"", "\x00", "password"} {
		if ok, _, err := passwords.Verify(t.Context(), "", secret.New(text)); ok || err != nil {
			t.Errorf("Verify(no account, %q) = %v, %v, want false", text, ok, err)
		}
	}
}

// The reference implementation's own examples, at other costs than ours.
func TestVerifyAgainstTheReference(t *testing.T) {
	t.Parallel()
	passwords := auth.NewPasswords(1)
	for _, stored := range []string{
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	} {
		if ok, rehash, err := passwords.Verify(t.Context(), stored, secret.New("password")); !ok || !rehash || err != nil {
			t.Errorf("Verify(%s, password) = %v, %v, %v, want true, and to hash it anew", stored, ok, rehash, err)
		}
		if ok, rehash, err := passwords.Verify(t.Context(), stored, secret.New("Password")); ok || rehash || err != nil {
			t.Errorf("Verify(%s, Password) = %v, %v, %v, want false", stored, ok, rehash, err)
		}
	}
}

// People type the same letters on systems that compose them differently.
func TestPasswordsAreNormalised(t *testing.T) {
	t.Parallel()
	passwords := auth.NewPasswords(1)
	stored, err := passwords.Hash(t.Context(), secret.New("caf\u00e9 \ufb01ne \uff21 \u00e5ngstr\u00f6m"))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"cafe\u0301 fine A a\u030angstro\u0308m":         true,
		"cafe\u0301\u00a0fine\u3000A \u212bngstr\u00f6m": false, // another letter: Å
		"cafe\u0301\u00a0fine\u3000A \u00e5ngstr\u00f6m": true,  // other spaces
		"cafe fine A angstrom":                           false,
	} {
		if ok, _, err := passwords.Verify(t.Context(), stored, secret.New(text)); ok != want || err != nil {
			t.Errorf("Verify(%+q) = %v, %v, want %v", text, ok, err, want)
		}
	}
}

func TestHashRefusesDocuments(t *testing.T) {
	t.Parallel()
	if got, err := auth.NewPasswords(1).Hash(t.Context(), secret.New(strings.Repeat("a", 1025))); got != "" || err == nil {
		t.Errorf("Hash(1025 bytes) = %q, %v, want an error", got, err)
	}
}

func TestNewPassword(t *testing.T) {
	t.Parallel()
	shape := regexp.MustCompile(`^dsp_[a-z2-7]{5}(-[a-z2-7]{5}){3}$`) // 100 bits
	seen := map[string]bool{}
	for range 100 {
		text := auth.NewPassword().Reveal()
		if !shape.MatchString(text) || seen[text] {
			t.Fatalf("NewPassword() = %q, want a new %v", text, shape)
		}
		seen[text] = true
		if err := auth.CheckPassword(secret.New(text), "alice@example.com"); err != nil {
			t.Fatalf("CheckPassword(%q) = %v, but we made it", text, err)
		}
	}
}

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, problem string }{
		// A person's own choice, of any characters.
		{"violet teapot 7 lanterns", ""},
		{"correct marmot stapler nine", ""},
		{"x7Gk29LmQ0vT", ""},
		{"пароль от сейфа бабушки", ""},
		{"正しい馬電池ホッチキス九番", ""},
		{"🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧", ""},
		{"alicewonderland-teapot", ""},
		{"admin839201847362951", ""}, // many digits make up for it
		{"monkeys like teapots", ""},
		{strings.Repeat("ab cd ef gh ij kl", 7) + "123456789", ""}, // 128

		{"", "at least 12"},
		{"elevenchars", "at least 12"},
		{"正しい馬電池", "at least 12"},
		{strings.Repeat("e\u0301", 11), "at least 12"}, // eleven to a person
		{strings.Repeat("\ufdfa", 11), "at least 12"},  // which NFKC makes 198
		{strings.Repeat("ab cd ef gh ij kl", 7) + "1234567890", "at most 128"},
		{strings.Repeat("a", 1<<20), "at most 128"},
		{"violet teapot \xff lanterns", "valid UTF-8"},
		{"violet teapot lanterns\n", "control"},
		{"violet teapot \x00 lanterns", "control"},

		{"alice@example.com", "e-mail"},
		{"ALICE@Example.com", "e-mail"},
		{"alice@example.com1!", "e-mail"},
		{"alicealicealice", "e-mail"},
		{"alice.alice.1!", "e-mail"},

		{"aaaaaaaaaaaa", "repeated"},
		{"            ", "repeated"},
		{"abababababab", "repeated"},
		{"abcabcabcabca", "repeated"},
		{"12341234123412", "repeated"},
		{"аааааааааааа", "repeated"},
		{"abcdefghijkl", "row"},
		{"ABCDEFGHIJKLMN", "row"},
		{"xyzabcdefghij", "row"},
		{"lkjihgfedcba", "row"},
		{"123456789012", "row"},
		{"012345678901", "row"},
		{"987654321098", "row"},
		{"qwertyuiop[]", ""},
		{"qwertyuiopas", "row"},
		{"1q2w3e4r5t6y", "row"},
		{"1qaz2wsx3edc", "row"},
		{"１２３４５６７８９０１２", "row"}, // full width

		{"password1234", "anybody would try"},
		{"Password123!", "anybody would try"},
		{"P@ssw0rd2026!", "anybody would try"},
		{"passwordpassword", "anybody would try"},
		{"Password-Password", "anybody would try"},
		{"administrator", "anybody would try"},
		{"!!Welcome2026!!", "anybody would try"},
		{"driftsentry2026", "anybody would try"},
		{"DriftSentry-Admin", "anybody would try"},
		{"Terraform2026!", "anybody would try"},
		{"iloveyou1234", "anybody would try"},
		{"Summer2026!!!", "anybody would try"},
		{"trustno1trustno1", "anybody would try"},
		{"correct horse battery staple", "anybody would try"},
		{"CorrectHorseBatteryStaple1", "anybody would try"},
		{"letmein letmein", "anybody would try"},
	} {
		err := auth.CheckPassword(secret.New(test.text), "Alice@example.com")
		if test.problem == "" {
			if err != nil {
				t.Errorf("CheckPassword(%q) = %v, want no error", test.text, err)
			}
			continue
		}
		failure, ok := fault.As(err)
		if !ok || failure.Kind != fault.Invalid || len(failure.Fields) != 1 || failure.Fields[0].Field != "password" || !strings.Contains(failure.Message, test.problem) {
			t.Errorf("CheckPassword(%.60q) = %v, want the field password and %q", test.text, err, test.problem)
		}
	}
}

// Without an address, or with one of a letter, there is nothing to compare.
func TestCheckPasswordWithShortEmails(t *testing.T) {
	t.Parallel()
	for _, email := range []string{"", "@", "a@b", "io@io"} {
		if err := auth.CheckPassword(secret.New("violet teapot lanterns"), email); err != nil {
			t.Errorf("CheckPassword(..., %q) = %v, want no error", email, err)
		}
	}
}

func FuzzCheckPassword(f *testing.F) {
	for _, text := range []string{"violet teapot 7 lanterns", "P@ssw0rd2026!", "aaaaaaaaaaaa", "\xff", "alice@example.com", "İİİİİİİİİİİİ", strings.Repeat("\ufdfa", 60)} {
		f.Add(text, "alice@example.com")
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, text, email string) {
		err := auth.CheckPassword(secret.New(text), email)
		if err == nil {
			return
		}
		if fault.KindOf(err) != fault.Invalid || len(text) > 20 && strings.Contains(err.Error(), text) {
			t.Fatalf("CheckPassword(%q, %q) = %v, want it to be invalid and to quote nothing", text, email, err)
		}
		if shown := fmt.Sprintf("%+v", err); strings.Contains(shown, "\n") {
			t.Fatalf("CheckPassword(%q, %q) = %q, want one line", text, email, shown)
		}
	})
}
