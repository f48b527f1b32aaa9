package redact_test

import (
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/redact"
)

// FuzzKeys masks names made of anything: what holds no secret stays as it is,
// and a secret of eight bytes that needs no escape is gone.
func FuzzKeys(f *testing.F) {
	for _, name := range []string{`a.b["c"]`, `a["\u20`, `["\\"]`, `a["$${"]`, "\"", `x["\ud800"].y`, "a.\xff"} {
		f.Add(name, name)
	}
	f.Fuzz(func(t *testing.T, front, behind string) {
		s := redact.NewSecrets()
		if got := s.Path(front, "-") + s.Address(behind, "-"); got != front+behind {
			t.Errorf("without a secret %q and %q become %q", front, behind, got)
		}
		const secret = "Zq8:kkJw#2"
		s.Add([]byte(secret))
		for _, mask := range []func(text, hidden string) string{s.Path, s.Address} {
			if got := mask(front+secret+behind, "-"); strings.Contains(got, secret) && !strings.HasSuffix(front, `\`) && !strings.HasPrefix(behind, secret) && !strings.Contains(front+behind, secret) {
				t.Errorf("%q keeps the secret", got)
			}
		}
	})
}
