package auth_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/fault"
)

func issued(t testing.TB, s *auth.Signer, p *auth.Principal, now time.Time) string {
	t.Helper()
	token, _, err := s.Issue(p, now)
	if err != nil {
		t.Fatal(err)
	}
	return token.Reveal()
}

func TestIssueAndVerify(t *testing.T) {
	t.Parallel()
	signer := auth.NewSigner(currentSecret, nil, 15*time.Minute)
	for _, role := range auth.UserRoles() {
		want := alice()
		want.Role = role
		token, expires, err := signer.Issue(want, noon.Add(999*time.Millisecond))
		if err != nil || !expires.Equal(noon.Add(15*time.Minute)) {
			t.Fatalf("Issue(%s) expires %v, %v, want %v", role, expires, err, noon.Add(15*time.Minute))
		}
		want.Expires = expires
		got, err := signer.Verify(token.Reveal(), noon.Add(time.Minute))
		if err != nil {
			t.Fatalf("Verify(%s) = %v, want no error", role, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Verify(%s) (-want +got):\n%s", role, diff)
		}
	}
}

// A token does not outlive the session it is for.
func TestATokenEndsWithItsSession(t *testing.T) {
	t.Parallel()
	signer := auth.NewSigner(currentSecret, nil, 15*time.Minute)
	p := alice()
	p.Expires = noon.Add(5*time.Minute + 700*time.Millisecond)
	token, expires, err := signer.Issue(p, noon)
	if err != nil || !expires.Equal(noon.Add(5*time.Minute)) {
		t.Fatalf("Issue() expires %v, %v, want the whole second before %v", expires, err, p.Expires)
	}
	if _, err := signer.Verify(token.Reveal(), noon.Add(6*time.Minute)); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("Verify() after the session = %v, want Unauthenticated", err)
	}
}

// Others read our tokens too: what we write must be what the standard says.
func TestTokenIsStandard(t *testing.T) {
	t.Parallel()
	text := issued(t, auth.NewSigner(currentSecret, nil, 15*time.Minute), alice(), noon)
	var c jwt.MapClaims
	token, err := jwt.ParseWithClaims(text, &c, func(*jwt.Token) (any, error) { return currentSecret, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithStrictDecoding(), jwt.WithIssuer("driftsentry"), jwt.WithAudience("driftsentry"),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithTimeFunc(func() time.Time { return noon }))
	if err != nil {
		t.Fatalf("the library says %v of %s", err, text)
	}
	wantHeader := map[string]any{"alg": "HS256", "typ": "JWT", "kid": kid(currentSecret)}
	if diff := cmp.Diff(wantHeader, token.Header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	id, _ := c["jti"].(string)
	if uuid.Validate(id) != nil {
		t.Errorf("jti = %v, want a UUID", c["jti"])
	}
	want := good()
	want["jti"] = id
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
}

func kid(key []byte) string {
	sum := sha256.Sum256(append([]byte("driftsentry jwt key v1"), key...))
	return hex.EncodeToString(sum[:])[:16]
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	signer := auth.NewSigner(currentSecret, nil, 15*time.Minute)
	token := issued(t, signer, alice(), noon)
	// To the last moment, and no leeway.
	if _, err := signer.Verify(token, noon.Add(15*time.Minute-1)); err != nil {
		t.Errorf("Verify(1 ns before the end) = %v, want no error", err)
	}
	for _, after := range []time.Duration{15 * time.Minute, 15*time.Minute + time.Second, time.Hour * 24 * 365} {
		refused(t, signer, "after "+after.String(), token, noon.Add(after), "the token has expired")
	}
	// A clock that goes back by more than replicas differ.
	refused(t, signer, "before its time", token, noon.Add(-time.Minute), "the token is not valid")
}

func TestRotation(t *testing.T) {
	t.Parallel()
	third := []byte("a third secret, which is 32 bytes")
	before := auth.NewSigner(previousSecret, nil, 15*time.Minute)
	during := auth.NewSigner(currentSecret, previousSecret, 15*time.Minute)
	after := auth.NewSigner(third, currentSecret, 15*time.Minute)

	old, now := issued(t, before, alice(), noon), issued(t, during, alice(), noon)
	for _, test := range []struct {
		name   string
		signer *auth.Signer
		token  string
		good   bool
	}{
		{"previous secret, during", during, old, true},
		{"current secret, during", during, now, true},
		{"previous secret, after", after, old, false},
		{"current secret, after", after, now, true},
		{"current secret, before", before, now, false},
	} {
		if !test.good {
			refused(t, test.signer, test.name, test.token, noon, "the token is not valid")
		} else if p, err := test.signer.Verify(test.token, noon); err != nil || p.ID != alice().ID {
			t.Errorf("Verify(%s) = %v, %v, want alice", test.name, p, err)
		}
	}
	// The previous secret signs nothing any more.
	if header, _, _ := strings.Cut(now, "."); !strings.Contains(string(decoded(t, header)), kid(currentSecret)) {
		t.Errorf("Issue signed with the header %s, want the current secret's", decoded(t, header))
	}
}

// A secret that its owner wipes or reuses must not change under the signer.
func TestSignerKeepsItsSecrets(t *testing.T) {
	t.Parallel()
	current, previous := []byte(string(currentSecret)), []byte(string(previousSecret))
	signer := auth.NewSigner(current, previous, time.Minute)
	clear(current)
	clear(previous)
	for _, secret := range [][]byte{currentSecret, previousSecret} {
		if _, err := signer.Verify(issued(t, auth.NewSigner(secret, nil, time.Minute), alice(), noon), noon); err != nil {
			t.Errorf("Verify(token of %q) = %v, want no error", secret, err)
		}
	}
}

func TestIssueRefuses(t *testing.T) {
	t.Parallel()
	signer := auth.NewSigner(currentSecret, nil, time.Minute)
	for name, change := range map[string]func(*auth.Principal){
		"a key":         func(p *auth.Principal) { p.Kind = auth.KindKey },
		"no kind":       func(p *auth.Principal) { p.Kind = "" },
		"no id":         func(p *auth.Principal) { p.ID = uuid.Nil },
		"no session":    func(p *auth.Principal) { p.Session = uuid.Nil },
		"no name":       func(p *auth.Principal) { p.Name = "" },
		"no UTF-8":      func(p *auth.Principal) { p.Name = "\xff" },
		"a long name":   func(p *auth.Principal) { p.Name = strings.Repeat("a", 4096) },
		"a key's role":  func(p *auth.Principal) { p.Role = auth.Ingest },
		"no such role":  func(p *auth.Principal) { p.Role = "root" },
		"no role":       func(p *auth.Principal) { p.Role = "" },
		"spaced prefix": func(p *auth.Principal) { p.Role = " admin" },
	} {
		p := alice()
		change(p)
		if token, expires, err := signer.Issue(p, noon); err == nil || !token.IsZero() || !expires.IsZero() {
			t.Errorf("Issue(%s) = %q, %v, %v, want an error and nothing else", name, token.Reveal(), expires, err)
		}
	}
}

func TestNewSignerPanics(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(){
		"short secret":   func() { auth.NewSigner(make([]byte, 31), nil, time.Minute) },
		"no secret":      func() { auth.NewSigner(nil, nil, time.Minute) },
		"short previous": func() { auth.NewSigner(currentSecret, []byte{}, time.Minute) },
		"no life":        func() { auth.NewSigner(currentSecret, nil, time.Second-1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("NewSigner(%s) did not panic", name)
				}
			}()
			call()
		}()
	}
}

func FuzzVerify(f *testing.F) {
	signer := auth.NewSigner(currentSecret, previousSecret, 15*time.Minute)
	valid := signed(f, nil)
	header, _, _ := strings.Cut(valid, ".")
	for _, text := range []string{
		valid, "", ".", "..", header, header + ".", header + "..", header + ".e30.", valid + ".", valid[:len(valid)-1], strings.ToUpper(valid),
		signed(f, jwt.MapClaims{"exp": at(-time.Hour)}), "eyJhbGciOiJub25lIn0." + "e30.", oldKey,
	} {
		f.Add(text, false)
		f.Add(text, true)
	}
	f.Fuzz(func(t *testing.T, text string, sign bool) {
		if sign { // so that the claims are read too
			unsigned := header + "." + base64.RawURLEncoding.EncodeToString([]byte(text))
			mac, err := jwt.SigningMethodHS256.Sign(unsigned, currentSecret)
			if err != nil {
				t.Fatal(err)
			}
			text = unsigned + "." + base64.RawURLEncoding.EncodeToString(mac)
		}
		p, err := signer.Verify(text, noon)
		if err != nil {
			failure, ok := fault.As(err)
			if !ok || p != nil || failure.Kind != fault.Unauthenticated || failure.Message != "the token is not valid" && failure.Message != "the token has expired" {
				t.Fatalf("Verify(%q) = %v, %v", text, p, err)
			}
			return
		}
		if !sign && text != valid {
			t.Fatalf("Verify(%q) = %v, but nobody signed that", text, p)
		}
		if p.Kind != auth.KindUser || p.ID == uuid.Nil || p.Session == uuid.Nil || p.Name == "" || !p.Role.May(auth.Read) || !p.Expires.After(noon) {
			t.Fatalf("Verify(%q) = %v, which is nobody", text, p)
		}
	})
}
