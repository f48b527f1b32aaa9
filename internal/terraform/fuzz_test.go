package terraform_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/fault"
	"github.com/driftsentry/driftsentry/internal/terraform"
)

// FuzzRead reads anything: it is refused for a reason, or read into a snapshot
// that keeps its promises.
func FuzzRead(f *testing.F) {
	for _, plan := range plans(f) {
		f.Add(plan[:min(len(plan), 6000)])
		if len(plan) < 20_000 {
			f.Add(plan)
		}
	}
	f.Add([]byte(minimal))
	for _, extra := range marks() {
		f.Add([]byte(planWith(quote("x "+planted), extra)))
	}
	for _, text := range []string{
		"", "{", "[command]x\n{}", "\xff\xfe{\x00}\x00", "\xfe\xff\x00{\x00}", "\x1f\x8b", "PK\x03\x04", "<html>", `{"format_version":"1.2"}`,
		`{"format_version":"1.2","resource_drift":[{"change":{"actions":["update"],"before":{"a":1e999999999},"after":{"a":1e-999999999}},"type":"a","name":"b"}]}`,
		`{"format_version":"1.2","resource_drift":[{"address":"","change":{"actions":["update"],"before":{"":{"":[]}},"after":{"":{"":[{}]}}},"type":"","name":""}]}`,
		`{"format_version":"1.2","resource_drift":[{"address":"a[\"\u0000\"].b","change":{"actions":["delete"],"before":{"\u0000":"\u0000"},"after_unknown":true,"before_sensitive":[true]}}]}`,
		`{"format_version":"1.2","resource_drift":[{"address":"a.b","change":{"actions":["update"],"before":{"a":"{\"a\":\"[\\\"x\\\"]\"}"},"after":{"a":"{\"a\":\"[]\"}"},"after_sensitive":{"a":[{"b":true}]}}}]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, plan []byte) {
		s, err := terraform.Read(stream(plan), terraform.Options{Key: testKey, MaxBytes: 1 << 20, SpoolDir: t.TempDir()})
		if err != nil {
			failure, classified := fault.As(err)
			if !classified || failure.Kind != fault.Invalid && failure.Kind != fault.TooLarge || failure.Message == "" {
				t.Fatalf("Read() = %v, want it to be invalid or too large", err)
			}
			return
		}
		defer closeSnapshot(t, s)
		told(t, s) // which checks that values are JSON
		news, noise := drain(t, s)
		if news != len(s.Drifts) || noise != len(s.Noise) {
			t.Fatalf("%d drifts and %d noise are told, %d and %d are listed", news, noise, len(s.Drifts), len(s.Noise))
		}
		keys := map[drift.Key]bool{}
		for _, sightings := range [][]drift.Sighting{s.Drifts, s.Noise} {
			for _, sighting := range sightings {
				if keys[sighting.Key] || strings.ContainsAny(sighting.Key.Address, "\x00\n\x1b") {
					t.Fatalf("%q is listed twice or cannot be stored", sighting.Key.Address)
				}
				keys[sighting.Key] = true
			}
		}
	})
}

// FuzzSecret puts a secret into any surroundings and any of its writings.
func FuzzSecret(f *testing.F) {
	f.Add("note", "", "", false)
	f.Add("note", "prefix ", " suffix", true)
	f.Add("id", "a", "b", false)
	f.Add("content_md5", `{"a":"`, `"}`, false)
	f.Add("tags", "<", "&", true)
	f.Add("user_data", "dXNl", "cg==", false)
	extra := sensitiveVariable()
	f.Fuzz(func(t *testing.T, name, prefix, suffix string, inList bool) {
		if strings.ContainsAny(prefix+suffix, `%\`) {
			return // an escape that begins outside ends in the secret
		}
		for how, text := range writings(planted) {
			value := quote(prefix + text + suffix)
			if how == "in base64" || how == "in base64 for URLs" || strings.Contains(how, "MD5") || strings.Contains(how, "SHA") {
				value = quote(text) // letters beside it would make other base64 of it
			}
			if inList {
				value = "[" + value + "]"
			}
			plan := strings.ReplaceAll(planWith(value, extra), `"note"`, quote(name))
			if !json.Valid([]byte(plan)) || name == "id" && !strings.Contains(plan, `"id":"1","id"`) {
				return
			}
			s, err := terraform.Read(strings.NewReader(plan), terraform.Options{Key: testKey, SpoolDir: t.TempDir()})
			if err != nil {
				return // twice the same name, or bytes that are no text
			}
			everything := told(t, s)
			closeSnapshot(t, s)
			if !strings.Contains(name, text) && strings.Contains(everything, text) || strings.Contains(everything, planted) && !strings.Contains(name, planted) {
				t.Fatalf("%s in %s of\n%s\nis told in\n%s", how, name, plan, everything)
			}
		}
	})
}
