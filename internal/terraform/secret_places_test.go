package terraform_test

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/terraform"
)

// TestContentsAndTheirDigests has a document with a secret in it, its digests,
// and an id that is one.
func TestContentsAndTheirDigests(t *testing.T) {
	const document = "listen 8080\nuser app\nphrase = " + planted + "\n"
	md5Sum, sha := md5.Sum([]byte(document)), sha256.Sum256([]byte(document))
	values := `{"content":` + quote(document) + `,"content_md5":"` + hex.EncodeToString(md5Sum[:]) + `","content_crc32c":"AbCdEf==","id":"` + hex.EncodeToString(sha[:]) +
		`","mode":"0644"}`
	plan := func(before, after, marks string) string {
		return `{"format_version":"1.2","resource_drift":[{"address":"x_file.a","type":"x_file","change":{"actions":["` +
			map[bool]string{true: "delete", false: "update"}[after == "null"] + `"],"before":` + before + `,"after":` + after + `,"before_sensitive":` + marks + `}}]` +
			sensitiveVariable() + `}`
	}
	for _, tt := range []struct{ name, plan string }{
		{"deleted and marked", plan(values, "null", `{"content":true}`)},
		{"deleted and known from elsewhere", plan(values, "null", `{}`)},
		{"changed elsewhere", plan(values, strings.Replace(values, "0644", "0600", 1), `{}`)},
	} {
		everything := told(t, read(t, tt.plan))
		for _, text := range []string{planted, hex.EncodeToString(md5Sum[:]), hex.EncodeToString(sha[:]), "AbCdEf=="} {
			if strings.Contains(everything, text) {
				t.Errorf("%s: %s is told in\n%s", tt.name, text, everything)
			}
		}
		if !strings.Contains(everything, "0644") {
			t.Errorf("%s: the mode is hidden as well:\n%s", tt.name, everything)
		}
	}
}

func sensitiveVariable() string { return marks()["a sensitive variable"] }

func TestSecretsInAddresses(t *testing.T) {
	entry := func(key string) string {
		return `{"address":` + quote(`x_thing.a[`+quote(key)+`]`) + `,"type":"x_thing","index":` + quote(key) + `,"change":{"actions":["delete"],"before":{"a":1},"after":null}}`
	}
	plan := `{"format_version":"1.2","resource_drift":[` + entry("tenant-hunter2hunter2-a") + `,` + entry("tenant-hunter2hunter2-b") + `,` + entry("tenant") + `],` +
		`"variables":{"token":{"value":"hunter2hunter2"}}}`
	s := read(t, plan)
	everything := told(t, s)
	if strings.Contains(everything, "hunter2") {
		t.Errorf("the address tells the secret:\n%s", everything)
	}
	if s.Drifts[2].Key.Address != `x_thing.a["tenant"]` {
		t.Errorf("the address without a secret is %s", s.Drifts[2].Key.Address)
	}
	a, b := s.Drifts[0].Key.Address, s.Drifts[1].Key.Address
	if a == b || !strings.HasPrefix(a, `x_thing.a["tenant-(sensitive value `) || !strings.HasSuffix(a, `-a"]`) {
		t.Errorf("the addresses are %s and %s", a, b)
	}
	again := read(t, plan)
	if again.Drifts[0].Key.Address != a {
		t.Errorf("the next time the address is %s, not %s", again.Drifts[0].Key.Address, a)
	}
	n := 0
	for r, err := range s.EachDrift(nil) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Address != s.Drifts[n].Key.Address {
			t.Errorf("the resource's address is %s, its sighting's %s", r.Address, s.Drifts[n].Key.Address)
		}
		n++
	}
}

// TestFingerprintsKnowHiddenValues: that a hidden value has changed must be
// known, and nothing more.
func TestFingerprintsKnowHiddenValues(t *testing.T) {
	plan := func(secret string) string {
		return planWith(quote("x "+secret), `,"variables":{"password":{"value":`+quote(secret)+`}}`)
	}
	one, same, other := read(t, plan("first-secret-1")), read(t, plan("first-secret-1")), read(t, plan("second-secret-2"))
	if one.Drifts[0].Fingerprint != same.Drifts[0].Fingerprint {
		t.Error("the same plan has another fingerprint")
	}
	if one.Drifts[0].Fingerprint == other.Drifts[0].Fingerprint {
		t.Error("another hidden value has the same fingerprint")
	}
	s, err := terraform.Read(strings.NewReader(plan("first-secret-1")), terraform.Options{Key: []byte("another key")})
	if err != nil {
		t.Fatal(err)
	}
	defer closeSnapshot(t, s)
	if s.Drifts[0].Fingerprint == one.Drifts[0].Fingerprint {
		t.Error("the fingerprint does not depend on the key")
	}
}
