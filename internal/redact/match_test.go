package redact_test

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/driftsentry/driftsentry/internal/drift"
	"github.com/driftsentry/driftsentry/internal/jsontree"
	"github.com/driftsentry/driftsentry/internal/redact"
)

func collection(secrets ...string) *redact.Secrets {
	s := redact.NewSecrets()
	for _, secret := range secrets {
		s.Add([]byte(secret))
	}
	return s
}

func TestSecretsIn(t *testing.T) {
	const secret = "correct/horse 42"
	sum := sha1.Sum([]byte(secret))
	long := strings.Repeat("a long document, ", 20) + secret
	for _, tt := range []struct {
		secret, text string
		want         bool
	}{
		{secret, secret, true},
		{secret, "x" + secret + "y", true},
		{secret, "correct/horse 43", false},
		{secret, "correct/horse", false},
		{secret, "correct%2Fhorse%2042", true},
		{secret, "%zz correct%2Fhorse+42", true},
		{secret, `correct\/horse\u002042`, true},
		{secret, base64.StdEncoding.EncodeToString([]byte(secret)), true},
		{secret, "Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+secret)), true},
		{secret, "path/" + base64.RawURLEncoding.EncodeToString([]byte(secret)) + "/more", true},
		{secret, base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(secret)))), true},
		{secret, hex.EncodeToString(sum[:]), true},
		{secret, "file-" + hex.EncodeToString(sum[:]) + ".txt", true},
		{secret, "{SHA}" + base64.StdEncoding.EncodeToString(sum[:]), true},
		{secret, "0" + hex.EncodeToString(sum[:]), false},
		{secret + "\n", secret, true},
		{"  " + secret, "<" + secret + ">", true},
		{long, "x" + long + "y", true},
		{long, long[:len(long)-1], false},
		{long, strings.Repeat(long[:len(long)-1], 5), false},

		{"hunter2", "hunter2", true},
		{"hunter2", "postgres://app:hunter2@db", true},
		{"hunter2", "xhunter2", false},
		{"hunter2", "hunter22", false},
		{"p@ss!", "a p@ss!b", true},
		{"p@ss!", "ap@ss!", false},
		{"harbour", "the harbour", true},
		{"lighthouse", "a lighthouse", true},
		{"lighthouse", "lighthouses", false}, // a word may be in others
		{"lighthousekeepers", "thelighthousekeepersx", true},
		{"abc", "abc", false}, // by chance everywhere
		{base64.StdEncoding.EncodeToString([]byte("hunter2hunter2")), "it is hunter2hunter2", true},

		{"production", "production", false},
		{"eu-west-1", "eu-west-1", false},
		{"europe-west3-a", "europe-west3-a", false},
		{"westeurope", "westeurope", false},
		{"us-gov-east-1", "us-gov-east-1", false},
		{"true", "true", false},
		{"10.0.0.0/16", "10.0.0.0/16", false},
		{"::/0", "::/0", false},
		{"5432", "5432", false},
		{"2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z", false},
		{"xxxxxxxx", "xxxxxxxx", false},
		{"eu-hunter-2", "eu-hunter-2", true},
		{"123456789012", "arn:aws:iam::123456789012:role/x", true},
	} {
		if got := collection(tt.secret).In([]byte(tt.text)); got != tt.want {
			t.Errorf("with the secret %q In(%q) = %v, want %v", tt.secret, tt.text, got, tt.want)
		}
	}
	if collection().In([]byte("anything at all")) {
		t.Error("a collection without secrets finds one")
	}
}

func TestMasker(t *testing.T) {
	m := redact.NewMasker(collection("hunter2hunter2"))
	for value, want := range map[string]string{
		`"hunter2hunter2"`:                   `"(sensitive value)"`,
		`"x hunter2hunter2 y"`:               `"(sensitive value)"`,
		`"hunter"`:                           `"hunter"`,
		`{"a":["hunter2hunter2","b"],"c":1}`: `{"a":["(sensitive value)","b"],"c":1}`,
		`{"a":{"hunter2hunter2":1},"c":"d"}`: `{"a":"(sensitive value)","c":"d"}`,
		`"{\"a\":\"hunter2hunter2\"}"`:       `"(sensitive value)"`,
		`null`:                               `null`,
		`true`:                               `true`,
	} {
		got := m.Value(drift.Shown(value))
		if got.JSON() != want {
			t.Errorf("Value(%s) = %s, want %s", value, got, want)
		}
		if whole := want == `"(sensitive value)"`; got.IsHidden() != whole {
			t.Errorf("Value(%s) is hidden as a whole: %v, want %v", value, got.IsHidden(), whole)
		}
	}
	if !m.Value(drift.Hidden()).IsHidden() {
		t.Error("a hidden value is shown")
	}
	if got, want := m.Path(`tags["hunter2hunter2"].x`), `tags["(sensitive value)"].x`; got != want {
		t.Errorf("Path() = %s, want %s", got, want)
	}
}

// TestManySecrets has as many secrets as a large plan may, made to be hard to
// tell apart. Were the search not near linear, it would not end.
func TestManySecrets(t *testing.T) {
	s := redact.NewSecrets()
	head := strings.Repeat("the same beginning ", 4)
	for i := range 100_000 {
		switch i % 4 {
		case 0:
			s.Add(fmt.Appendf(nil, "secret-%d-of-many", i))
		case 1:
			s.Add(fmt.Appendf(nil, "%s%d", head, i))
		case 2:
			s.Add(fmt.Appendf(nil, "aaaaaaaa%*d", i%200, i))
		default:
			s.Add(fmt.Appendf(nil, "w%x", i))
		}
	}
	if s.Len() < 90_000 || s.Full() {
		t.Fatalf("%d secrets are remembered, full: %v", s.Len(), s.Full())
	}
	for name, text := range map[string]string{
		"ordinary text":      strings.Repeat("The quick brown fox jumps over the lazy dog. ", 50_000),
		"almost a secret":    strings.Repeat("secret-", 300_000),
		"one letter":         strings.Repeat("a", 2_000_000),
		"almost long":        strings.Repeat(head, 20_000),
		"words":              strings.Repeat("w1 w2 w3 w4 ", 100_000),
		"escapes of escapes": strings.Repeat(`%255c\\`, 200_000),
		"base64":             strings.Repeat("YWFhYWFhYWFhYWFhYWFh/", 50_000),
	} {
		s.In([]byte(text)) // whatever it says, it must say so
		if found := s.In([]byte(text + " secret-400-of-many")); !found {
			t.Errorf("behind %s a secret is not found", name)
		}
	}
	if s.In([]byte("secret-401-of-many secret-400-of-men " + head)) {
		t.Error("a secret is found where there is none")
	}
}

// TestTextMadeToTakeLong goes through what would take a careless search hours.
func TestTextMadeToTakeLong(t *testing.T) {
	nested := []byte("hello")
	for range 12 {
		nested = []byte(base64.StdEncoding.EncodeToString(nested))
	}
	for name, text := range map[string]string{
		"assignments":       strings.Repeat("ab=", 1_000_000),
		"quotes":            strings.Repeat(`ab="`, 700_000) + strings.Repeat("ab='", 10),
		"colons":            strings.Repeat("ab: ", 500_000),
		"options":           strings.Repeat("--ab ", 500_000),
		"tags":              strings.Repeat("<ab>", 500_000),
		"spaces":            "ab" + strings.Repeat(" ", 2_000_000) + "=x" + strings.Repeat(" =", 500_000),
		"URLs":              strings.Repeat("://a:b/", 400_000),
		"URLs without ends": "://" + strings.Repeat("a:b", 1_000_000),
		"tokens":            strings.Repeat("-eyJ", 700_000),
		"prefixes":          strings.Repeat("ghp_-", 500_000),
		"PEM":               strings.Repeat("-----BEGIN X", 200_000),
		"private PEM":       strings.Repeat("-----BEGIN PRIVATE"+" KEY-----", 100_000),
		"base64 in base64":  strings.Repeat(string(nested)+" ", 5000),
		"lines of base64":   strings.Repeat(strings.Repeat("QUJD", 19)+"\n", 30_000),
		"slashes":           strings.Repeat("/", 3_000_000),
		"dots":              strings.Repeat("a.", 1_000_000),
		"braces":            strings.Repeat("[", 2_000_000) + strings.Repeat("]", 2_000_000),
		"JSON in JSON":      strings.Repeat(`{"a":`, 90) + `"` + strings.Repeat("x", 1_000_000) + `"` + strings.Repeat("}", 90),
	} {
		t.Run(name, func(t *testing.T) {
			isHidden(t, "something", text)
		})
	}
}

func TestMarks(t *testing.T) {
	for _, tt := range []struct {
		name, value, marks string
		want               string // what is shown
	}{
		{"x", `"a"`, `true`, `"(sensitive value)"`},
		{"x", `{"a":"b","c":"d"}`, `{"a":true}`, `{"a":"(sensitive value)","c":"d"}`},
		{"x", `{"a":{"b":[1,"x",null,true]},"c":{}}`, `true`, `{"a":{"b":["(sensitive value)","(sensitive value)",null,"(sensitive value)"]},"c":{}}`},
		{"x", `["a","b"]`, `[false,true]`, `["a","(sensitive value)"]`},
		{"x", `[{"a":"b"},{"a":"c"}]`, `[{},{"a":true}]`, `[{"a":"b"},{"a":"(sensitive value)"}]`},
		{"x", `null`, `true`, `null`},
		{"x", `{"a":"b"}`, `[true]`, `{"a":"b"}`},
		{"x", `"{\"a\":\"b\"}"`, `true`, `"(sensitive value)"`},
		{
			"env", `[{"name":"DB_PASSWORD","value":"a"},{"name":"LEVEL","value":"debug"}]`, `false`,
			`[{"name":"DB_PASSWORD","value":"(sensitive value)"},{"name":"LEVEL","value":"debug"}]`,
		},
		{
			"master_user_secret", `[{"kms_key_id":"k","secret_arn":"arn:x","secret_status":"active"}]`, `false`,
			`[{"kms_key_id":"k","secret_arn":"arn:x","secret_status":"active"}]`,
		},
		{"secrets", `{"a":"x1","arn":"y"}`, `false`, `{"a":"(sensitive value)","arn":"y"}`},
		{"token_validity_units", `[{"access_token":"minutes","refresh_token":"days"}]`, `false`, `[{"access_token":"minutes","refresh_token":"days"}]`},
		{"metadata_options", `[{"http_tokens":"optional"}]`, `false`, `[{"http_tokens":"optional"}]`},
	} {
		var p jsontree.Parser
		in := redact.NewInspector(redact.NewSecrets(), &p)
		v := p.Parse([]byte(tt.value))
		in.Attribute([]byte(tt.name), v, p.Parse([]byte(tt.marks)), redact.Ordinary)
		if got := redact.Value(v, &p).JSON(); got != tt.want {
			t.Errorf("%s = %s with marks %s shows %s, want %s", tt.name, tt.value, tt.marks, got, tt.want)
		}
	}
}

func TestSecretsInsideTexts(t *testing.T) {
	for _, tt := range []struct{ text, secret string }{
		{"postgres://app:hunter2/hunter2@db/prod", "hunter2/hunter2"},
		{"LEVEL=debug\nDB_PASSWORD=hunter2,hunter2&x y\nNEXT=1", "hunter2,hunter2&x y"},
		{"Server=x;Password=hunter2-hunter2;Encrypt=true", "hunter2-hunter2"},
		{"run --token hunter2-hunter2 --verbose", "hunter2-hunter2"},
		{"Authorization: Bearer hunter2-hunter2", "hunter2-hunter2"},
		{"a:\n  password: \"hunter2 hunter2\"\n", "hunter2 hunter2"},
		{`x = {"api_key": "hunter2-hunter2"}`, "hunter2-hunter2"},
		{"see " + jwt + " there", jwt},
		{"<password>hunter2-hunter2</password>", "hunter2-hunter2"},
	} {
		var p jsontree.Parser
		secrets := redact.NewSecrets()
		in := redact.NewInspector(secrets, &p)
		in.Attribute([]byte("user_data"), p.Parse(drift.AppendString(nil, tt.text)), nil, redact.Ordinary)
		if !secrets.In([]byte("elsewhere " + tt.secret)) {
			t.Errorf("the secret in %q is not found elsewhere", tt.text)
		}
	}
}

// TestACopyOfAResourceGivesLittleAway: an output of a whole resource is marked
// for the one password in it. That must not hide its region in all others.
func TestACopyOfAResourceGivesLittleAway(t *testing.T) {
	var p jsontree.Parser
	secrets := redact.NewSecrets()
	in := redact.NewInspector(secrets, &p)
	in.Attribute([]byte("db"), p.Parse([]byte(`{"id":"database-17","arn":"arn:aws:rds:eu-west-1:1:db:x","engine":"postgres14",`+
		`"address":"db.example.internal","password":"hunter2hunter2","instance_class":"db.m5.large","port":5432,"username":"application"}`)),
		p.Parse([]byte(`true`)), redact.Ordinary)
	if !secrets.In([]byte("hunter2hunter2")) {
		t.Error("the password is not known as a secret")
	}
	for _, text := range []string{"database-17", "postgres14", "db.example.internal", "db.m5.large", "application"} {
		if secrets.In([]byte(text)) {
			t.Errorf("%s is taken for a secret", text)
		}
	}
}
