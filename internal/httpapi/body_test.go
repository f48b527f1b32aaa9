package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/secret"
)

// FuzzReadBody: whatever comes is taken or refused with a client's error, and
// what is refused is not repeated.
func FuzzReadBody(f *testing.F) {
	for _, text := range []string{
		`{"email":"a@example.com","password":"correct horse battery"}`, `{"email":1}`, `{"email":null}`, `{"Email":""}`, `{"a":{"b":[1]}}`,
		`{"email":"a","email":"b"}`, `{}{}`, `[]`, `null`, ``, ` `, `{"email":"\ud800"}`, "{\"email\":\"\xff\"}", `{"email`, `{"":""}`, `{"email/~0":1}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var body struct {
			Email    string        `json:"email" needed:"true"`
			Password secret.String `json:"password" needed:"true"`
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(text))
		r.Header.Set("Content-Type", "application/json")
		err := readBody(httptest.NewRecorder(), r, &body)
		if err == nil {
			if body.Email == "" || body.Password.IsZero() {
				t.Errorf("readBody(%q) = %+v, want every field that is needed", text, body)
			}
			return
		}
		e, classified := fault.As(err)
		if !classified || e.Kind != fault.Invalid && e.Kind != fault.TooLarge {
			t.Fatalf("readBody(%q) = %v, want a client's error", text, err)
		}
		for _, field := range e.Fields {
			if len(field.Field) > longestName*4 || field.Field == "" && text == "" {
				t.Errorf("readBody(%q) quotes %q", text, field.Field)
			}
		}
		if len(text) > 100 && strings.Contains(err.Error(), text) {
			t.Errorf("readBody(%q) repeats it: %v", text, err)
		}
	})
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		header []string
		want   string
		kind   fault.Kind // Internal: no error
	}{
		{nil, "", fault.Internal},
		{[]string{"*"}, "", fault.Internal},
		{[]string{`"abc"`}, "abc", fault.Internal},
		{[]string{` "abc" `}, "abc", fault.Internal},
		{[]string{`W/"abc"`}, "", fault.Stale},
		{[]string{`"abc", "def"`}, "", fault.Invalid},
		{[]string{`"abc"`, `"def"`}, "", fault.Invalid},
		{[]string{"abc"}, "", fault.Invalid},
		{[]string{`""`}, "", fault.Invalid},
		{[]string{`"`}, "", fault.Invalid},
		{[]string{""}, "", fault.Invalid},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", http.NoBody)
		r.Header["If-Match"] = tt.header
		got, err := ifMatch(r)
		if got != tt.want || (err != nil) != (tt.kind != fault.Internal) || err != nil && fault.KindOf(err) != tt.kind {
			t.Errorf("ifMatch(%q) = %q, %v, want %q and kind %d", tt.header, got, err, tt.want, tt.kind)
		}
	}
}
