package terraform_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestSecretsInKeysWithEscapes has secrets as index and map keys that must be
// escaped there, and short ones.
func TestSecretsInKeysWithEscapes(t *testing.T) {
	for _, secret := range []string{
		`quote"inside-long`, `back\slash-inside`, "line\nbreak-inside", "tab\tinside-long", "bell\ainside-long", "pa${dollar}-inside",
		"zw\u200binside-long", "Q7x!", "h0rse9",
	} {
		hcl := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\a", `\u0007`, "${", "$${", "\u200b", `\u200b`).Replace(secret)
		address := `module.m["` + hcl + `"].x_thing.a["` + hcl + `"]`
		plan := `{"format_version":"1.2","resource_drift":[{"address":` + quote(address) + `,"previous_address":` + quote(address) +
			`,"type":"x_thing","change":{"actions":["update"],"before":{"tags":{}},"after":{"tags":{` + quote(secret) + `:"1","kept":"2"}}}}],` +
			`"variables":{"token":{"value":` + quote(secret) + `}}}`
		s := read(t, plan)
		everything := told(t, s)
		for _, text := range []string{secret, hcl, strings.Trim(quote(secret), `"`), strings.Trim(fmt.Sprintf("%q", secret), `"`)} {
			if strings.Contains(everything, text) {
				t.Errorf("%q is told:\n%s", secret, everything)
				break
			}
		}
		if !strings.HasPrefix(s.Drifts[0].Key.Address, `module.m["(sensitive value `) || !strings.Contains(everything, "tags.kept") {
			t.Errorf("%q: more than the secret is hidden:\n%s", secret, everything)
		}
	}
}

// TestKeysThatHoldNoSecret: a short secret in the middle of a key is chance.
func TestKeysThatHoldNoSecret(t *testing.T) {
	const address = `x_thing.h0rse9["ah0rse9b"]`
	s := read(t, `{"format_version":"1.2","resource_drift":[{"address":`+quote(address)+
		`,"type":"x_thing","change":{"actions":["delete"],"before":{},"after":null}}],"variables":{"token":{"value":"h0rse9"}}}`)
	if got := s.Drifts[0].Key.Address; got != address {
		t.Errorf("the address is %s", got)
	}
}
