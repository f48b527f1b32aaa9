package redact

import (
	"bytes"
	"regexp"
	"slices"

	"github.com/driftsentry/driftsentry/internal/jsontree"
)

// word is one of those that a command line or a statement is made of.
type word struct {
	text   []byte
	quoted bool
}

// arguments looks at a list of strings as the arguments of a command: hidden is
// what follows --password, and whatever the program takes for one.
func (in *Inspector) arguments(list *jsontree.Value) bool {
	if len(list.Kids) < 2 {
		return false
	}
	words := make([]word, len(list.Kids))
	for i := range list.Kids {
		if list.Kids[i].Kind() != jsontree.String {
			return false
		}
		words[i].text = list.Kids[i].Text()
	}
	hidden := false
	in.credentials(words, func(i int, secret []byte) {
		list.Kids[i].Hidden, hidden = true, true
		in.add(secret)
	})
	return hidden
}

// scanCommand looks at a text as a script.
func (in *Inspector) scanCommand(text []byte) bool {
	found := false
	in.credentials(wordsIn(text), func(_ int, secret []byte) {
		in.add(secret)
		found = true
	})
	return found
}

// wordsIn splits a text as a shell does, but for what goes on over lines.
func wordsIn(text []byte) []word {
	var words []word
	for len(text) > 0 {
		switch c := text[0]; c {
		case ' ', '\t', '\r':
			text = text[1:]
			continue
		case '\n', ';', '|', '&':
			words = append(words, word{text: text[:1]})
			text = text[1:]
			continue
		case '\'', '"':
			if end := bytes.IndexAny(text[1:], string(c)+"\n"); end >= 0 && text[1+end] == c {
				words = append(words, word{text: text[1 : 1+end], quoted: true})
				text = text[2+end:]
				continue
			}
		}
		end := bytes.IndexAny(text[1:], " \t\r\n;|&") + 1
		if end == 0 {
			end = len(text)
		}
		words = append(words, word{text: text[:end]})
		text = text[end:]
	}
	return words
}

// passwordOptions are the programs whose short options take a password, and which:
// a letter followed by = takes it in the same word only.
var passwordOptions = map[string][]string{
	"mysql": {"-p="}, "mysqldump": {"-p="}, "mysqladmin": {"-p="}, "mysqlimport": {"-p="}, "mysqlsh": {"-p="},
	"mariadb": {"-p="}, "mariadb-dump": {"-p="}, "mariadb-admin": {"-p="},
	"docker": {"-p"}, "podman": {"-p"}, "nerdctl": {"-p"}, "helm": {"-p"}, "oc": {"-p"}, "az": {"-p"},
	"sshpass": {"-p", "-p="}, "mongo": {"-p"}, "mongosh": {"-p"}, "mongodump": {"-p"}, "mongorestore": {"-p"},
	"redis-cli": {"-a"}, "sqlcmd": {"-P"}, "ldapsearch": {"-w"}, "ldapadd": {"-w"}, "ldapmodify": {"-w"},
	"curl": {"-u", "-u=", "--user", "--proxy-user", "-U"}, "aws": {},
}

// credentials calls found with every word in which there is a secret, and the
// secret.
func (in *Inspector) credentials(words []word, found func(i int, secret []byte)) {
	program, login := "", false
	value := func(i int) []byte {
		if i >= len(words) || len(words[i].text) == 0 || words[i].text[0] == '-' && !words[i].quoted ||
			!isSecretValue(Credential, words[i].text) || bytes.IndexByte([]byte("\n;|&"), words[i].text[0]) >= 0 {
			return nil
		}
		return words[i].text
	}
	tell := func(i int, secret []byte) {
		if secret = bytes.TrimRight(secret, `"'`); len(secret) > 0 {
			found(i, secret)
		}
	}
	for i, w := range words {
		text := w.text
		if len(text) == 0 {
			continue
		}
		if len(text) == 1 && bytes.IndexByte([]byte("\n;|&"), text[0]) >= 0 {
			if i == 0 || !bytes.HasSuffix(words[i-1].text, []byte(`\`)) { // which goes on in the next line
				program, login = "", false
			}
			continue
		}
		if text[0] != '-' {
			name := text[bytes.LastIndexByte(text, '/')+1:]
			if _, known := passwordOptions[string(name)]; known {
				program, login = string(name), false
			}
			login = login || string(name) == "login"
			in.statement(words, i, program, value, tell)
			continue
		}
		if name := bytes.TrimLeft(text, "-"); len(name) > 2 && len(text) < 80 && in.meaning(name) == Credential {
			if secret := value(i + 1); secret != nil {
				tell(i+1, secret)
				continue
			}
		}
		in.shortOption(text, i, program, login, value, tell)
	}
}

// shortOption looks at an option that means a password to this program alone.
func (in *Inspector) shortOption(text []byte, i int, program string, login bool, value func(int) []byte, tell func(int, []byte)) {
	containers := []string{"docker", "podman", "nerdctl", "helm", "oc", "az"} // -p is a port unless they log in
	if slices.Contains(containers, program) && !login {
		return
	}
	for _, option := range passwordOptions[program] {
		var secret []byte
		at := i
		if joined, is := bytes.CutSuffix([]byte(option), []byte("=")); is {
			if rest, is := bytes.CutPrefix(text, joined); is && isSecretValue(Credential, rest) {
				secret = rest
			}
		} else if string(text) == option {
			at, secret = i+1, value(i+1)
		}
		if program == "curl" && secret != nil {
			_, secret, _ = bytes.Cut(secret, []byte(":"))
			if !isSecretValue(Credential, bytes.Trim(secret, `"'`)) {
				secret = nil
			}
			secret = bytes.Trim(secret, `"'`)
		}
		if secret != nil {
			tell(at, secret)
		}
	}
}

// statement looks at words without dashes: aws configure set NAME X, SQL's
// PASSWORD 'x' and IDENTIFIED BY 'x', and Redis's requirepass x.
func (in *Inspector) statement(words []word, i int, program string, value func(int) []byte, tell func(int, []byte)) {
	text := words[i].text
	before := func(n int) string {
		if i < n {
			return ""
		}
		return lower(words[i-n].text[:min(len(words[i-n].text), 20)])
	}
	if first := text[0] | 0x20; len(text) > 80 || program != "aws" && first != 'p' && first != 'b' && first != 'r' && first != 'm' {
		return // as most words are
	}
	next := value(i + 1)
	if next == nil {
		return
	}
	quoted := words[i+1].quoted || next[0] == '\''
	next = bytes.Trim(next, `'"`)
	switch low := lower(text); {
	case program == "aws" && before(1) == "set" && before(2) == "configure" && in.meaning(text) == Credential,
		low == "requirepass", low == "masterauth", low == "primaryauth",
		quoted && low == "password" && (text[0] == 'P' || before(1) == "with" || before(1) == "encrypted" || before(2) == "user" || before(2) == "role"),
		quoted && low == "by" && (before(1) == "identified" || before(3) == "identified"):
		tell(i+1, next)
	}
}

// findCrypt is the first password hash as crypt writes it: $6$salt$hash. Whoever
// has it can try out passwords.
func findCrypt(text []byte) []byte { return cryptHash.Find(text) }

var cryptHash = regexp.MustCompile(`\$(?:1|5|6|7|2[abxy]|y|gy|apr1|argon2(?:i|d|id)|scrypt|pbkdf2[-a-z0-9]*)\$[./A-Za-z0-9=,+$-]{20,}`)

// scanPairs looks at YAML for a name and, in the next line, its value.
func (in *Inspector) scanPairs(text []byte) bool {
	found := false
	for _, m := range namedValue.FindAllSubmatch(text, -1) {
		value := bytes.TrimSpace(m[2])
		if meaning := in.meaning(m[1]); isSecretValue(meaning, value) {
			in.add(value)
			found = true
		}
	}
	return found
}

var namedValue = regexp.MustCompile(`(?:[nN]ame|[kK]ey):[ \t]*["']?([A-Za-z0-9_.-]{2,80})["']?[ \t]*\r?\n[ \t]*[vV]alue:[ \t]*["']?([^\r\n"']+)`)
