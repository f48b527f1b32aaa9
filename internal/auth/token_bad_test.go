package auth_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/fault"
)

// good are the claims of a token for alice at noon.
func good() jwt.MapClaims {
	at := float64(noon.Unix())
	return jwt.MapClaims{
		"iss": "driftsentry", "aud": "driftsentry", "sub": alice().ID.String(), "sid": alice().Session.String(), "name": "alice@example.com",
		"role": "engineer", "iat": at, "nbf": at, "exp": at + 900, "jti": "0b6c1c5e-7d0c-4a55-9c0c-111111111111",
	}
}

// forge signs any claims with any method, the way an attacker would.
func forge(t testing.TB, method jwt.SigningMethod, key any, header map[string]any, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	token.Header["kid"] = kid(currentSecret)
	for name, value := range header {
		token.Header[name] = value
		if value == nil {
			delete(token.Header, name)
		}
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// with is the good claims but for some; nil takes one away.
func with(changes jwt.MapClaims) jwt.MapClaims {
	claims := good()
	for name, value := range changes {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	return claims
}

func signed(t testing.TB, changes jwt.MapClaims) string {
	t.Helper()
	return forge(t, jwt.SigningMethodHS256, currentSecret, nil, with(changes))
}

func at(offset time.Duration) int64 { return noon.Add(offset).Unix() }

func TestVerifyTakesWhatIsGood(t *testing.T) {
	t.Parallel()
	signer := auth.NewSigner(currentSecret, nil, 15*time.Minute)
	for name, token := range map[string]string{
		"as it is":                   signed(t, nil),
		"of a clock 30 s ahead":      signed(t, jwt.MapClaims{"iat": at(30 * time.Second), "nbf": at(30 * time.Second)}),
		"in its last second":         signed(t, jwt.MapClaims{"exp": at(time.Second)}),
		"with a claim of the future": signed(t, jwt.MapClaims{"locale": "de"}),
	} {
		if p, err := signer.Verify(token, noon.Add(999*time.Millisecond)); err != nil || p.ID != alice().ID {
			t.Errorf("Verify(token %s) = %v, %v, want alice", name, p, err)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	signer := auth.NewSigner(currentSecret, previousSecret, 15*time.Minute)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	valid := signed(t, nil)
	parts := strings.Split(valid, ".")
	raw := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	hs256 := func(unsigned string) string {
		mac, err := jwt.SigningMethodHS256.Sign(unsigned, currentSecret)
		if err != nil {
			t.Fatal(err)
		}
		return unsigned + "." + base64.RawURLEncoding.EncodeToString(mac)
	}
	hs := jwt.SigningMethodHS256

	tokens := map[string]string{
		// Headers.
		"alg none":               forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, good()),
		"alg none, a signature":  raw(`{"alg":"none","kid":"`+kid(currentSecret)+`","typ":"JWT"}`) + "." + parts[1] + "." + parts[2],
		"alg None":               hs256(raw(`{"alg":"None","kid":"`+kid(currentSecret)+`","typ":"JWT"}`) + "." + parts[1]),
		"alg hs256":              hs256(raw(`{"alg":"hs256","kid":"`+kid(currentSecret)+`","typ":"JWT"}`) + "." + parts[1]),
		"alg twice":              hs256(raw(`{"alg":"none","alg":"HS256","kid":"`+kid(currentSecret)+`","typ":"JWT"}`) + "." + parts[1]),
		"no alg":                 hs256(raw(`{"kid":"`+kid(currentSecret)+`","typ":"JWT"}`) + "." + parts[1]),
		"HS384":                  forge(t, jwt.SigningMethodHS384, currentSecret, nil, good()),
		"HS512":                  forge(t, jwt.SigningMethodHS512, currentSecret, nil, good()),
		"RS256":                  forge(t, jwt.SigningMethodRS256, rsaKey, nil, good()),
		"RS256, signed as HS256": forge(t, hs, currentSecret, map[string]any{"alg": "RS256"}, good()),
		"key by another's kid":   forge(t, hs, currentSecret, map[string]any{"kid": kid(previousSecret)}, good()),
		"unknown kid":            forge(t, hs, currentSecret, map[string]any{"kid": "0123456789abcdef"}, good()),
		"no kid":                 forge(t, hs, currentSecret, map[string]any{"kid": nil}, good()),
		"kid a path":             forge(t, hs, []byte{}, map[string]any{"kid": "../../dev/null"}, good()),
		"kid SQL":                forge(t, hs, currentSecret, map[string]any{"kid": "' OR 1=1 --"}, good()),
		"kid a number":           forge(t, hs, currentSecret, map[string]any{"kid": 1}, good()),
		"crit":                   forge(t, hs, currentSecret, map[string]any{"crit": []string{"exp"}}, good()),
		"a key of its own":       forge(t, hs, []byte("attacker"), map[string]any{"jwk": map[string]any{"kty": "oct", "k": raw("attacker")}}, good()),
		"jku":                    forge(t, hs, currentSecret, map[string]any{"jku": "https://attacker.example/keys"}, good()),

		// Signatures.
		"wrong key":              forge(t, hs, []byte("somebody else's secret, 32 bytes."), nil, good()),
		"empty key":              forge(t, hs, []byte{}, nil, good()),
		"no signature":           parts[0] + "." + parts[1] + ".",
		"two parts":              parts[0] + "." + parts[1],
		"four parts":             valid + ".x",
		"an encrypted one":       valid + "." + parts[1] + "." + parts[2],
		"signature cut":          valid[:len(valid)-1],
		"signature half":         valid[:len(valid)-20],
		"signature padded":       valid + "=",
		"signature with a break": valid[:len(valid)-3] + "\n" + valid[len(valid)-3:],
		"signature respelled":    valid[:len(valid)-1] + respell(valid[len(valid)-1]),
		"claims of another": parts[0] + "." + strings.Split(signed(t, jwt.MapClaims{"role": "admin"}), ".")[1] +
			"." + parts[2],
		"claims with a break": parts[0] + "." + parts[1][:4] + "\n" + parts[1][4:] + "." + parts[2],

		// Texts.
		"nothing":         "",
		"a dot":           ".",
		"two dots":        "..",
		"a header":        parts[0],
		"a header's dot":  parts[0] + ".",
		"spaces":          " " + valid + " ",
		"Bearer":          "Bearer " + valid,
		"a key":           oldKey,
		"NUL":             valid + "\x00",
		"1 MB":            strings.Repeat("a", 1<<20),
		"1 MB of dots":    strings.Repeat(".", 1<<20),
		"1 MB of header":  parts[0] + "." + strings.Repeat("a", 1<<20),
		"1 MB signed":     signed(t, jwt.MapClaims{"name": strings.Repeat("a", 1<<20)}),
		"4097 bytes":      parts[0] + "." + strings.Repeat("a", 4096-len(parts[0])),
		"not JSON":        hs256(parts[0] + "." + raw("x")),
		"an array":        hs256(parts[0] + "." + raw("[]")),
		"null":            hs256(parts[0] + "." + raw("null")),
		"two values":      hs256(parts[0] + "." + raw("{}{}")),
		"not base64":      hs256(parts[0] + ".!!!!"),
		"no claims":       hs256(parts[0] + "."),
		"a claim twice":   hs256(parts[0] + "." + raw(`{"role":"viewer","role":"admin",`+string(decoded(t, parts[1]))[1:])),
		"not UTF-8":       hs256(parts[0] + "." + raw("{\"name\":\"\xff\"}")),
		"nested too deep": hs256(parts[0] + "." + raw(strings.Repeat("[", 2500))),

		// Claims, signed with our own secret.
		"other iss":            signed(t, jwt.MapClaims{"iss": "accounts.example.com"}),
		"iss in capitals":      signed(t, jwt.MapClaims{"iss": "DriftSentry"}),
		"other aud":            signed(t, jwt.MapClaims{"aud": "another-service"}),
		"aud among others":     signed(t, jwt.MapClaims{"aud": []string{"driftsentry", "another"}}),
		"nbf in 31 s":          signed(t, jwt.MapClaims{"nbf": at(31 * time.Second)}),
		"iat in 31 s":          signed(t, jwt.MapClaims{"iat": at(31 * time.Second)}),
		"iat a text":           signed(t, jwt.MapClaims{"iat": "1767355200"}),
		"exp a text":           signed(t, jwt.MapClaims{"exp": "never"}),
		"exp null":             signed(t, jwt.MapClaims{"exp": jwt.MapClaims(nil)}),
		"exp 1e300":            signed(t, jwt.MapClaims{"exp": 1e300}),
		"sub no UUID":          signed(t, jwt.MapClaims{"sub": "alice"}),
		"sub nobody":           signed(t, jwt.MapClaims{"sub": uuid.Nil.String()}),
		"sid nobody":           signed(t, jwt.MapClaims{"sid": uuid.Nil.String()}),
		"role unknown":         signed(t, jwt.MapClaims{"role": "root"}),
		"role empty":           signed(t, jwt.MapClaims{"role": ""}),
		"role of keys only":    signed(t, jwt.MapClaims{"role": "ingest"}),
		"role a list":          signed(t, jwt.MapClaims{"role": []string{"admin"}}),
		"role in another case": signed(t, jwt.MapClaims{"role": nil, "Role": "admin"}),
		"expired and forged":   forge(t, hs, []byte("attacker"), nil, with(jwt.MapClaims{"exp": at(-time.Hour)})),
		"expired elsewhere":    signed(t, jwt.MapClaims{"iss": "another", "exp": at(-time.Hour)}),
	}
	for name := range good() {
		tokens["without "+name] = signed(t, jwt.MapClaims{name: nil})
	}
	for name, token := range tokens {
		refused(t, signer, name, token, noon, "the token is not valid")
	}
}

func refused(t *testing.T, s *auth.Signer, name, token string, now time.Time, message string) {
	t.Helper()
	p, err := s.Verify(token, now)
	failure, ok := fault.As(err)
	if !ok || p != nil || failure.Kind != fault.Unauthenticated || failure.Message != message || failure.Unwrap() == nil {
		t.Errorf("Verify(%s) = %v, %v, want %q with a cause for the log", name, p, err, message)
		return
	}
	// The cause goes to the log, and a token is a credential even when it is bad.
	if strings.Contains(err.Error(), "eyJ") || len(err.Error()) > 300 {
		t.Errorf("Verify(%s) quotes the token: %v", name, err)
	}
}

// respell changes the bits of the last letter that mean nothing: 32 bytes are
// 42⅔ letters.
func respell(letter byte) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return letters[strings.IndexByte(letters, letter)^1:][:1]
}

func decoded(t *testing.T, segment string) []byte {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
