package redact

import (
	"slices"
	"strings"
)

// Meaning is what the name of an attribute says about its value.
type Meaning uint8

// The meanings a name can have, by how much they hide.
const (
	Ordinary   Meaning = iota
	Public             // an id, a hash, a certificate: looks random and is not secret
	Suspicious         // a password, token or key, unless the value is just a word: auth, pass
	Credential         // a password, token or key: secret whatever it looks like
)

// MeaningOf tells what an attribute, variable, tag or environment variable
// called name holds. Only the end of a name counts: a token_type, secret_arn,
// password_policy or kms_key_id is no secret, and DB_PASSWORD_2 is one.
func MeaningOf(name string) Meaning {
	words := wordsOf(name)
	all := words
	for n := len(words); n > 1 && fillers[words[n-1]] && !isConnectionString(words); n = len(words) {
		words = words[:n-1]
	}
	if len(words) == 0 {
		return Ordinary
	}
	last := words[len(words)-1]
	previous := ""
	if len(words) > 1 {
		previous = words[len(words)-2]
	}
	switch {
	case harmless[previous+" "+last]:
		return Ordinary
	case secretNouns[last], isConnectionString(words), previous == "key" && last == "material",
		(last == "key" || last == "keys") && keyKinds[previous]:
		return Credential
	case hasSuffix(last, "password", "passwd", "passphrase", "secret", "token", "credentials", "apikey", "accesskey",
		"secretkey", "privatekey", "sharedkey", "accountkey", "connectionstring"):
		return Credential
	case publicNouns[all[len(all)-1]] || publicNouns[last] || previous+" "+last == "public key":
		return Public
	case weakNouns[last]:
		return Suspicious
	}
	return Ordinary
}

func isConnectionString(words []string) bool {
	n := len(words)
	return n > 1 && (words[n-1] == "string" || words[n-1] == "strings" || words[n-1] == "str") &&
		(words[n-2] == "connection" || words[n-2] == "conn")
}

// wordsOf splits a name into its words in lower case: at whatever is neither
// letter nor digit, and where a capital starts a word. Numbers at the end of a
// word are dropped, and so are words of nothing else.
func wordsOf(name string) []string {
	var words []string
	start := 0
	cut := func(end int) {
		if word := strings.TrimRight(name[start:end], "0123456789"); word != "" {
			if hashWords[strings.ToLower(name[start:end])] {
				word = name[start:end]
			}
			words = append(words, strings.ToLower(word))
		}
		start = end
	}
	for i := range len(name) {
		switch c := name[i]; {
		case !isAlnum(c):
			cut(i)
			start = i + 1
		case i > start && isUpper(c) && (!isUpper(name[i-1]) || i+1 < len(name) && isLower(name[i+1])):
			cut(i)
		}
	}
	if start < len(name) {
		cut(len(name))
	}
	return words
}

func hasSuffix(word string, suffixes ...string) bool {
	return slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(word, s) })
}

func set(words string) map[string]bool {
	m := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		m[word] = true
	}
	return m
}

var (
	// fillers may follow the noun without changing what it means.
	fillers = set(`value values string binary text plaintext plain wo raw data json yaml base64 b64 encoded
		encrypted hash hashed md5 sha1 sha256 sha512 bcrypt body contents content literal override default current previous old new
		primary secondary pem header headers bytes base v`)

	secretNouns = set(`password passwords passwd passwds pwd passphrase passphrases passcode secret secrets token tokens
		credential credentials creds apikey apikeys privkey psk connectionstring totp`)

	// weakNouns are as often the name of a setting: auth = "IAM".
	weakNouns = set(`auth authorization pass pw cred pin seed salt bearer dsn session cookie otp jwt sas sig signature`)

	// keyKinds are what makes a key one that opens something. A public, partition,
	// primary, object, routing, sort or tag key does not.
	keyKinds = set(`api access secret private priv encryption encrypt decryption decrypt signing sign master shared preshared
		account storage auth authorization authentication session service client server license licence hmac jwt rsa ecdsa ed25519 aes des deploy
		deployment webhook ssh tls ssl app application admin write ingest ingestion instrumentation
		integration subscription registration bootstrap cookie wireguard recovery unseal stripe sendgrid twilio
		mailgun datadog dd newrelic openai anthropic github gitlab slack pagerduty vpn function consumer csrf crypto
		cipher fernet vault join`)

	// harmless are pairs that end like a credential and are none.
	harmless = pairs("http tokens", "dkim tokens", "max tokens", "min tokens", "creation token", "idempotency token",
		"request token", "allow credentials", "write keys", "service keys", "app keys", "function keys")

	// publicNouns end the names of values that look random and are shown.
	publicNouns = set(`id ids arn arns uuid guid hash hashes md5 sha sha1 sha224 sha256 sha384 sha512 base64sha256
		base64sha512 crc crc32 crc32c crc64nvme checksum checksums digest digests etag etags fingerprint fingerprints thumbprint thumbprints
		certificate certificates cert certs ca csr serial version versions revision revisions image images ami
		domain domains dns zone zones fqdn hostname hostnames link selector nameservers servers publickey`)

	// hashWords are words of which the number is a part.
	hashWords = set(`md5 sha1 sha224 sha256 sha384 sha512 base64sha256 base64sha512 crc32 crc64nvme base64 ed25519 b64`)
)

func pairs(all ...string) map[string]bool {
	m := map[string]bool{}
	for _, pair := range all {
		m[pair] = true
	}
	return m
}

// isMetadata reports whether a name inside something secret says what it is
// rather than what it keeps: the secret_arn of a master_user_secret.
func isMetadata(name string) bool {
	words := wordsOf(name)
	return len(words) > 0 && metadata[words[len(words)-1]]
}

var metadata = set(`id ids arn arns name names type types kind status state version versions enabled description url uri
	endpoint endpoints region mode method algorithm format expiry expiration expires created updated at date time days
	hours minutes seconds ttl length size count policy role prefix issuer audience email username user host hostname
	port from ref in provider required optional rotation namespace engine protocol database dbname schema items path`)

// IsDigestOf reports whether an attribute called name holds a hash of the one
// called of: content_md5 and source_hash of content, etag of a body.
func IsDigestOf(name, of string) bool {
	words := wordsOf(name)
	if len(words) == 0 || !digestNouns[words[len(words)-1]] {
		return false
	}
	base := strings.Join(words[:len(words)-1], " ")
	other := strings.Join(wordsOf(of), " ")
	if base == other {
		return true
	}
	first, _, _ := strings.Cut(base, " ")
	start, _, _ := strings.Cut(other, " ")
	return contents[start] && (base == "" || contents[first])
}

var (
	digestNouns = set(`md5 sha sha1 sha224 sha256 sha384 sha512 base64sha256 base64sha512 crc crc32 crc32c crc64nvme
		hash hashes checksum digest etag md5hash`)
	// contents are what attributes with a whole document in them begin with.
	contents = set(`content contents source body data value text template manifest document payload file output sensitive
		input script object definition user rendered result checksum`)
)

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isAlnum(c byte) bool { return isLower(c) || isUpper(c) || isDigit(c) }
