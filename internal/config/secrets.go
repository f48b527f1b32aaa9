package config

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/driftsentry/driftsentry/internal/secret"
)

// developmentDatabase is used in development when DATABASE_URL is unset: the
// local server, the user's own name, no password.
const developmentDatabase = "postgres://localhost:5432/driftsentry"

func (r *reader) database(environment Environment) Database {
	const name = "DATABASE_URL"
	database := Database{
		URL: r.secret(name, databaseURL),
		// Two at least: waiting for queued work keeps one for itself.
		MaxConns: read(r, "DATABASE_MAX_CONNS", "10", integer[int32](2, 1000)),
	}
	if database.URL.IsZero() && !r.wrong(name) && !r.wrong(name+"_FILE") {
		if environment != Development {
			r.problem(name, "is not set", databaseURL.expected+" (outside development there is no default)")
			return database
		}
		database.URL = secret.New(developmentDatabase)
		r.show(name, mask)
	}
	return database
}

func (r *reader) jwtSecret(environment Environment) secret.String {
	const name = "JWT_SECRET"
	key := r.secret(name, signingKey(environment))
	if key.IsZero() && !r.wrong(name) && !r.wrong(name+"_FILE") {
		if environment != Development {
			r.problem(name, "is not set", signingKey(environment).expected+" (outside development there is no default)")
			return key
		}
		key = secret.New(rand.Text() + rand.Text())
		r.show(name, mask)
	}
	return key
}

// previousJWTSecret is what tokens were signed with before JWT_SECRET was
// changed: they stay good until they expire.
func (r *reader) previousJWTSecret(environment Environment) secret.String {
	return r.secret("JWT_SECRET_PREVIOUS", signingKey(environment))
}

// keys are what this installation remembers by. All are derived from
// FINGERPRINT_KEY, and from JWT_SECRET where that is unset: so whoever rotates
// JWT_SECRET sets FINGERPRINT_KEY to the value it had, and nothing looks changed.
type keys struct{ fingerprint, cursor, seal secret.String }

func (r *reader) keys(environment Environment, jwtSecret, previous secret.String) keys {
	const name = "FINGERPRINT_KEY"
	source := r.secret(name, signingKey(environment))
	if r.wrong(name) || r.wrong(name+"_FILE") {
		return keys{}
	}
	if source.IsZero() {
		if !previous.IsZero() {
			r.problem(name, "is not set although JWT_SECRET_PREVIOUS is",
				"the value JWT_SECRET had when this installation was set up: with another one every hidden value would look changed")
			return keys{}
		}
		source = jwtSecret
		r.show(name, mask)
	}
	k := keys{
		fingerprint: r.derive(source, "driftsentry fingerprint key v1"),
		cursor:      r.derive(source, "driftsentry cursor key v1"),
	}
	// A key that dies with the process would seal what nobody could ever check.
	if r.given("JWT_SECRET") || r.given(name) {
		k.seal = r.derive(source, "driftsentry audit seal key v1")
	}
	return k
}

// given reports whether a secret came from outside.
func (r *reader) given(name string) bool {
	i := slices.IndexFunc(r.settings, func(s Setting) bool { return s.Name == name })
	return i >= 0 && r.settings[i].Source != SourceDefault
}

func (r *reader) derive(source secret.String, purpose string) secret.String {
	derived, err := hkdf.Key(sha256.New, []byte(source.Reveal()), nil, purpose, sha256.Size)
	if err != nil {
		// Only under FIPS mode, and only for a secret already refused.
		r.problem("FINGERPRINT_KEY", "cannot be used to derive keys", signingKey(Production).expected)
	}
	return secret.New(string(derived))
}

// show corrects the value of a setting that was recorded as unset.
func (r *reader) show(name, value string) {
	if i := slices.IndexFunc(r.settings, func(s Setting) bool { return s.Name == name }); i >= 0 {
		r.settings[i].Value = value
	}
}

const minKeyBytes = 32 // the output of SHA-256, below which HMAC gets weaker

// signingKey is a key that nobody can guess. In development any text of the
// right length will do.
func signingKey(environment Environment) kind[string] {
	return kind[string]{
		expected: fmt.Sprintf("at least %d random bytes, such as the output of: openssl rand -base64 48", minKeyBytes),
		parse: func(text string) (string, error) {
			if len(text) < minKeyBytes {
				return "", fmt.Errorf("is only %d bytes long", len(text))
			}
			if environment != Development && guessable(text) {
				return "", errors.New("looks like a placeholder or a pattern, not like a random key")
			}
			return text, nil
		},
	}
}

// placeholders are what documentation, examples and hurried people write where a
// key belongs, without case and punctuation. All are long enough that a random
// key does not contain one by accident.
var placeholders = []string{
	"changeme", "changethis", "changeit", "changebefore", "replaceme", "replacethis", "replacewith",
	"placeholder", "example", "yoursecret", "yourjwt", "mysecret", "jwtsecret", "secretkey",
	"supersecret", "verysecret", "topsecret", "notsecret", "notasecret", "insecure",
	"password", "development", "default", "dummykey", "testsecret", "testkey", "atleast32",
	"minimum32", "longenough", "driftsentry", "abcdefgh", "12345678", "qwertyui", "deadbeef",
}

var punctuation = regexp.MustCompile(`[^a-z0-9]+`)

func guessable(text string) bool {
	plain := punctuation.ReplaceAllString(strings.ToLower(text), "")
	for _, placeholder := range placeholders {
		if strings.Contains(plain, placeholder) {
			return true
		}
	}
	distinct := make(map[byte]bool)
	for i := range len(text) {
		distinct[text[i]] = true
	}
	// Of 32 random hexadecimal digits, fewer than eight different ones come up
	// once in some thirty million keys.
	if len(distinct) < 8 {
		return true
	}
	// A text that equals itself shifted is something short, repeated.
	return strings.Contains((text + text)[1:len(text)*2-1], text)
}

var (
	keywordDSN = regexp.MustCompile(`^(?:\s*[A-Za-z_][\w.]*\s*=\s*(?:'(?:[^'\\]|\\.)*'|(?:[^'\s\\]|\\.)(?:[^\s\\]|\\.)*)?)+\s*$`)
	sslMode    = regexp.MustCompile(`(?:^|[\s?&])sslmode\s*=\s*'?([^\s&']*)`)
	sslModes   = []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
)

// databaseURL checks the form only, so that a slip shows at start and by name.
// The driver, which parses it in earnest, lives elsewhere.
var databaseURL = kind[string]{
	expected: "a PostgreSQL connection string, such as postgres://USER:…@HOST:5432/NAME?sslmode=verify-full",
	parse: func(text string) (string, error) {
		switch {
		case strings.HasPrefix(text, "postgres://"), strings.HasPrefix(text, "postgresql://"):
			if !parsesAsURL(text) {
				return "", errors.New("is not a URL (special characters in user and password must be percent-encoded)")
			}
		case strings.Contains(text, "://"):
			return "", errors.New("is a URL that does not start with postgres:// or postgresql://")
		case !keywordDSN.MatchString(text):
			return "", errors.New("is neither a URL nor keyword=value pairs")
		}
		if mode := sslMode.FindStringSubmatch(text); len(mode) > 1 && !slices.Contains(sslModes, mode[1]) {
			return "", errors.New("has an sslmode that is none of " + strings.Join(sslModes, ", "))
		}
		return text, nil
	},
}

// parsesAsURL tries each host on its own: PostgreSQL allows several, separated by
// commas, and net/url does not.
func parsesAsURL(text string) bool {
	scheme, rest, _ := strings.Cut(text, "://")
	tail := ""
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		rest, tail = rest[:i], rest[i:]
	}
	user := ""
	if i := strings.LastIndex(rest, "@"); i >= 0 {
		user, rest = rest[:i+1], rest[i+1:]
	}
	for host := range strings.SplitSeq(rest, ",") {
		u, err := url.Parse(scheme + "://" + user + host + tail)
		if err != nil || u.Fragment != "" {
			return false
		}
		if _, err := url.ParseQuery(u.RawQuery); err != nil {
			return false
		}
	}
	return true
}

var sentryDSN = kind[string]{
	expected: "a Sentry DSN, such as https://KEY@o0.ingest.sentry.io/PROJECT",
	parse: func(text string) (string, error) {
		u, err := url.Parse(text)
		switch {
		case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
			return "", errors.New("is not an http:// or https:// URL")
		case u.User == nil || u.User.Username() == "":
			return "", errors.New("has no public key before the host")
		case strings.Trim(u.Path, "/") == "":
			return "", errors.New("has no project after the host")
		}
		return text, nil
	},
}
