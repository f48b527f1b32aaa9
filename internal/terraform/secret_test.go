package terraform_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/terraform"
)

// told is everything a snapshot says, as one text.
func told(t testing.TB, s *drift.Snapshot) string {
	t.Helper()
	var b strings.Builder
	resource := func(r *drift.Resource) {
		fmt.Fprintln(&b, r.Address, r.PreviousAddress, r.Type, r.Provider, r.CloudID, r.Region, r.Account, r.SeverityReason)
		for _, changes := range [][]drift.Change{r.News, r.Noise} {
			for _, c := range changes {
				fmt.Fprintln(&b, c.Path, c.Before.JSON(), c.After.JSON())
				for _, v := range []drift.Value{c.Before, c.After} {
					var decoded any
					decoder := json.NewDecoder(strings.NewReader(v.JSON()))
					decoder.UseNumber()
					if err := decoder.Decode(&decoded); err != nil {
						t.Errorf("%s shows %s, which is no JSON: %v", c.Path, v.JSON(), err)
					}
					fmt.Fprintln(&b, decoded)
				}
			}
		}
	}
	for r, err := range s.EachDrift(nil) {
		if err != nil {
			t.Fatal(err)
		}
		resource(r)
	}
	for r, err := range s.EachNoise(nil) {
		if err != nil {
			t.Fatal(err)
		}
		resource(r)
	}
	for _, sightings := range [][]drift.Sighting{s.Drifts, s.Noise} {
		for _, sighting := range sightings {
			fmt.Fprintln(&b, sighting.Key.Address, sighting.PreviousAddress)
		}
	}
	return b.String()
}

// read reads a plan that must be good, and closes it with the test.
func read(t testing.TB, plan string) *drift.Snapshot {
	t.Helper()
	s, err := terraform.Read(strings.NewReader(plan), terraform.Options{Key: testKey, SpoolDir: t.TempDir()})
	if err != nil {
		t.Fatalf("Read() = %v\nof %s", err, plan)
	}
	t.Cleanup(func() { closeSnapshot(t, s) })
	return s
}

// writings are the ways in which a secret may stand in a plan.
func writings(secret string) map[string]string {
	quoted, _ := json.Marshal(secret)
	md5Sum, sha := md5.Sum([]byte(secret)), sha256.Sum256([]byte(secret))
	return map[string]string{
		"in clear":           secret,
		"as in JSON":         string(quoted[1 : len(quoted)-1]),
		"as in a query":      url.QueryEscape(secret),
		"as in a path":       url.PathEscape(secret),
		"in base64":          base64.StdEncoding.EncodeToString([]byte(secret)),
		"in base64 for URLs": base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"as MD5":             hex.EncodeToString(md5Sum[:]),
		"as SHA-256":         hex.EncodeToString(sha[:]),
		"as base64 SHA-256":  base64.StdEncoding.EncodeToString(sha[:]),
	}
}

// TestNoSecretOfARealPlanIsTold reads every real plan and looks for the secrets
// that were planted in them.
func TestNoSecretOfARealPlanIsTold(t *testing.T) {
	list, err := os.ReadFile("testdata/plans/made/SECRETS.txt")
	if err != nil {
		t.Fatal(err)
	}
	secrets := append(strings.Split(strings.TrimSpace(string(list)), "\n"), "s3cr3t-Pa55w0rd!", "0ut-0f-b4nd-Pa55")
	planted := map[string]int{}
	for name, plan := range plans(t) {
		everything := told(t, read(t, string(plan)))
		for _, secret := range secrets {
			if len(secret) < 8 {
				continue // it stands in half of all words
			}
			if bytes.Contains(plan, []byte(secret)) {
				planted[secret]++
			}
			for how, text := range writings(secret) {
				if strings.Contains(everything, text) {
					t.Errorf("%s tells the secret %s %s", name, secret, how)
				}
			}
		}
	}
	for _, secret := range secrets {
		if len(secret) >= 8 && planted[secret] == 0 {
			t.Errorf("the secret %s is in no plan: the test proves nothing", secret)
		}
	}
}

// planted is a secret that only its mark gives away.
const planted = `blue/horse "42" & stable`

// planWith is a plan whose changed attribute is the JSON text value, with extra
// members.
func planWith(value, extra string) string {
	return `{"format_version":"1.2","terraform_version":"1.11.4","resource_drift":[` +
		`{"address":"x_thing.a","mode":"managed","type":"x_thing","name":"a","change":{"actions":["update"],` +
		`"before":{"id":"1","note":"before"},"after":{"id":"1","note":` + value + `},"after_unknown":{},"before_sensitive":{},"after_sensitive":{}}}]` +
		extra + `}`
}

func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(quoted)
}

// marks are the places in a plan that can give a secret away.
func marks() map[string]string {
	secret := quote(planted)
	entry := func(values, marks string) string {
		return `{"address":"x_other.b","mode":"managed","type":"x_other","name":"b","change":{"actions":["no-op"],"before":` + values +
			`,"after":` + values + `,"after_unknown":{},"before_sensitive":` + marks + `,"after_sensitive":` + marks + `}}`
	}
	state := func(values, marks string) string {
		return `{"root_module":{"child_modules":[{"address":"module.m","child_modules":[{"resources":[{"address":"module.m.module.n.x_other.b","mode":"managed",` +
			`"type":"x_other","name":"b","values":` + values + `,"sensitive_values":` + marks + `}]}]}]}}`
	}
	return map[string]string{
		"a sensitive variable":                 `,"variables":{"v":{"value":` + secret + `}},"configuration":{"root_module":{"variables":{"v":{"sensitive":true}}}}`,
		"a sensitive variable, the code first": `,"configuration":{"root_module":{"variables":{"v":{"sensitive":true}}}},"variables":{"v":{"value":` + secret + `}}`,
		"part of a sensitive variable":         `,"variables":{"v":{"value":{"a":[{"b":` + secret + `}]}}},"configuration":{"root_module":{"variables":{"v":{"sensitive":true}}}}`,
		"a sensitive default":                  `,"configuration":{"root_module":{"variables":{"v":{"default":` + secret + `,"sensitive":true}}}}`,
		"a sensitive argument of a module": `,"configuration":{"root_module":{"module_calls":{"m":{"expressions":{"v":{"constant_value":` + secret +
			`}},"module":{"variables":{"v":{"sensitive":true}}}}}}}`,
		"a variable by name":                    `,"variables":{"db_password":{"value":` + secret + `}}`,
		"a literal by name":                     `,"configuration":{"provider_config":{"x":{"expressions":{"nested":[{"secret_key":{"constant_value":` + secret + `}}]}}}}`,
		"a sensitive output":                    `,"planned_values":{"outputs":{"o":{"sensitive":true,"type":"string","value":` + secret + `}},"root_module":{}}`,
		"a sensitive output of the state":       `,"prior_state":{"values":{"outputs":{"o":{"sensitive":true,"value":` + secret + `}}}}`,
		"a changed output":                      `,"output_changes":{"o":{"actions":["create"],"before":null,"after":` + secret + `,"after_sensitive":true,"before_sensitive":true}}`,
		"a marked attribute in the state":       `,"prior_state":{"values":` + state(`{"a":{"b":`+secret+`}}`, `{"a":{"b":true}}`) + `}`,
		"a marked attribute that is planned":    `,"planned_values":` + state(`{"a":[1,`+secret+`]}`, `{"a":[false,true]}`),
		"a resource that is marked whole":       `,"prior_state":{"values":` + state(`{"a":`+secret+`}`, `true`) + `}`,
		"an attribute by name in the state":     `,"prior_state":{"values":` + state(`{"client_secret":`+secret+`}`, `{}`) + `}`,
		"a marked attribute nothing happens to": `,"resource_changes":[` + entry(`{"a":`+secret+`}`, `{"a":true}`) + `]`,
		"a name beside the value":               `,"resource_changes":[` + entry(`{"env":[{"name":"DB_PASSWORD","value":`+secret+`}]}`, `{}`) + `]`,
		"JSON in a string":                      `,"resource_changes":[` + entry(`{"a":`+quote(`{"b":{"password":`+secret+`}}`)+`}`, `{}`) + `]`,
		"a marked string of JSON":               `,"resource_changes":[` + entry(`{"a":`+quote(`{"b":[`+secret+`]}`)+`}`, `{"a":true}`) + `]`,
		"a secret in base64":                    `,"resource_changes":[` + entry(`{"a":`+quote(base64.StdEncoding.EncodeToString([]byte(planted)))+`}`, `{"a":true}`) + `]`,
		"a deferred change": `,"deferred_changes":[{"reason":"x","resource_change":{"change":{"actions":["create"],"before":null,"after":{"a":` + secret +
			`},"after_sensitive":{"a":true}}}}]`,
		"another drift": `,"resource_changes":[{"address":"x_thing.z","type":"x_thing","change":{"actions":["create"],"before":null,"after":{"a":` + secret +
			`},"after_unknown":{},"after_sensitive":{"a":true}}}]`,
	}
}

// TestASecretIsHiddenWhereverItStands gives a secret away in one place and looks
// for it in another, written in many ways.
func TestASecretIsHiddenWhereverItStands(t *testing.T) {
	for giveaway, extra := range marks() {
		for how, text := range writings(planted) {
			if how == "as MD5" || how == "as SHA-256" || how == "as base64 SHA-256" {
				continue // below
			}
			for _, value := range []string{
				quote(text), quote("before " + text + " behind"), `{"a":["x",` + quote(text) + `]}`,
				quote(`{"a":` + quote(text) + `}`), `{` + quote(text) + `:"a key"}`,
				quote(base64.StdEncoding.EncodeToString([]byte("x=" + text + "\n"))),
			} {
				everything := told(t, read(t, planWith(value, extra)))
				if strings.Contains(everything, text) || strings.Contains(everything, planted) {
					t.Errorf("%s, %s in %s:\n%s", giveaway, how, value, everything)
				}
				if strings.Contains(value, "a key") || strings.HasPrefix(value, `"before`) {
					continue
				}
				if !strings.Contains(everything, "before") && !strings.Contains(everything, drift.HiddenText) {
					t.Errorf("%s, %s: nothing is told at all", giveaway, how)
				}
			}
		}
	}
}

func TestDigestsOfASecretAreHidden(t *testing.T) {
	for giveaway, extra := range marks() {
		for how, text := range writings(planted) {
			if !strings.Contains(how, "MD5") && !strings.Contains(how, "SHA") {
				continue
			}
			if giveaway == "JSON in a string" || giveaway == "a secret in base64" || giveaway == "a marked string of JSON" {
				continue // the digest would be of the whole
			}
			if everything := told(t, read(t, planWith(quote(text), extra))); strings.Contains(everything, text) {
				t.Errorf("%s: the secret is told %s", giveaway, how)
			}
		}
	}
}

func TestNothingElseIsHidden(t *testing.T) {
	for giveaway, extra := range marks() {
		for _, text := range []string{"a horse", "42", "stable", "blue/horse", "https://example.com/blue?x=1", "d41d8cd98f00b204e9800998ecf8427e"} {
			if everything := told(t, read(t, planWith(quote(text), extra))); !strings.Contains(everything, text) {
				t.Errorf("%s: %s is hidden as well:\n%s", giveaway, text, everything)
			}
		}
	}
}
