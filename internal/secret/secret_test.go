package secret_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/secret"
)

const plain = "hunter2-correct-horse"

func TestStringNeverPrints(t *testing.T) {
	s := secret.New(plain)

	// Shapes in which a secret reaches a printer. The unexported field matters
	// most: fmt does not call methods on it.
	values := map[string]any{
		"value":            s,
		"pointer":          &s,
		"exported field":   struct{ Password secret.String }{s},
		"unexported field": struct{ password secret.String }{s},
		"pointer to field": &struct{ password *secret.String }{&s},
		"slice":            []secret.String{s},
		"map":              map[string]secret.String{"password": s},
		"inside an error":  fmt.Errorf("dial: %w", errors.New("password "+s.String())),
		"any in a slice":   []any{s, &s},
	}
	verbs := []string{
		"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%t", "%p", "%T",
		"%40s", "%-3v", "%.1s", "%w", "%!", "%c", "%U", "%e",
	}
	for name, value := range values {
		for _, verb := range verbs {
			t.Run(name+" "+verb, func(t *testing.T) {
				assertHidden(t, fmt.Sprintf(verb, value))
			})
		}
		t.Run(name+" Sprint", func(t *testing.T) { assertHidden(t, fmt.Sprint(value)) })
		t.Run(name+" slog", func(t *testing.T) { assertHidden(t, logged(t.Context(), value)) })
	}
}

func TestStringPrintsAsMask(t *testing.T) {
	for _, s := range []secret.String{secret.New(plain), {}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if got := fmt.Sprintf(verb, s); got != "***" {
				t.Errorf("Sprintf(%q) = %q, want ***", verb, got)
			}
		}
		if got := s.String(); got != "***" {
			t.Errorf("String() = %q, want ***", got)
		}
	}
}

func TestStringEncodesAsMask(t *testing.T) {
	type account struct {
		Password secret.String
		Token    *secret.String
		Keys     map[string]secret.String
	}
	token := secret.New(plain)
	value := account{
		Password: secret.New(plain),
		Token:    &token,
		Keys:     map[string]secret.String{"a": secret.New(plain)},
	}

	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"Password":"***","Token":"***","Keys":{"a":"***"}}`
	if string(encoded) != want {
		t.Errorf("json.Marshal = %s, want %s", encoded, want)
	}

	document, err := xml.Marshal(struct {
		XMLName  struct{}      `xml:"account"`
		Password secret.String `xml:"password,attr"`
		Token    secret.String `xml:"token"`
	}{Password: value.Password, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	if want := `<account password="***"><token>***</token></account>`; string(document) != want {
		t.Errorf("xml.Marshal = %s, want %s", document, want)
	}
}

// The log handlers are the printers that matter: neither asks fmt first.
func TestStringLogsAsMask(t *testing.T) {
	got := logged(t.Context(), secret.New(plain))
	for _, want := range []string{`"key":"***"`, `key=***`, `"inner":"***"`, `group.inner=***`} {
		if !strings.Contains(got, want) {
			t.Errorf("logged = %s, want it to contain %s", got, want)
		}
	}
}

// logged returns what slog's own two handlers write for value, bare and grouped.
func logged(ctx context.Context, value any) string {
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		log := slog.New(handler)
		log.InfoContext(ctx, "as attribute", "key", value)
		log.InfoContext(ctx, "in a group", slog.Group("group", "inner", value))
		log.With("key", value).WithGroup("group").InfoContext(ctx, "on the logger", "inner", value)
	}
	return out.String()
}

func TestRevealAndUnmarshal(t *testing.T) {
	if got := secret.New(plain).Reveal(); got != plain {
		t.Errorf("Reveal() = %q, want %q", got, plain)
	}

	var zero secret.String
	if zero.Reveal() != "" || !zero.IsZero() {
		t.Errorf("zero value reveals %q, want nothing", zero.Reveal())
	}

	text := []byte(plain)
	var s secret.String
	if err := s.UnmarshalText(text); err != nil {
		t.Fatal(err)
	}
	text[0] = 'X' // the caller may reuse its buffer
	if s.Reveal() != plain || s.IsZero() {
		t.Errorf("after UnmarshalText Reveal() = %q, want %q", s.Reveal(), plain)
	}

	var decoded struct{ Password secret.String }
	if err := json.Unmarshal([]byte(`{"Password":"`+plain+`"}`), &decoded); err != nil {
		t.Fatal(err)
	}
	if decoded.Password.Reveal() != plain {
		t.Errorf("after json.Unmarshal Reveal() = %q, want %q", decoded.Password.Reveal(), plain)
	}
}

func TestEqual(t *testing.T) {
	tests := []struct {
		a, b secret.String
		want bool
	}{
		{secret.New("a"), secret.New("a"), true},
		{secret.New("a"), secret.New("b"), false},
		{secret.New("a"), secret.New("aa"), false},
		{secret.New(""), secret.String{}, true},
		{secret.New("a"), secret.String{}, false},
	}
	for _, test := range tests {
		if got := test.a.Equal(test.b); got != test.want {
			t.Errorf("New(%q).Equal(New(%q)) = %v, want %v", test.a.Reveal(), test.b.Reveal(), got, test.want)
		}
	}
}

// assertHidden fails if text carries the secret, whole or as the hex that %x prints.
func assertHidden(t *testing.T, text string) {
	t.Helper()
	for _, form := range []string{plain, fmt.Sprintf("%x", plain), fmt.Sprintf("%X", plain), fmt.Sprintf("% x", plain)} {
		if strings.Contains(text, form) {
			t.Errorf("printed %s, which shows the secret", text)
		}
	}
}
