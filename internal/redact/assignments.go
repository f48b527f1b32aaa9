package redact

import "bytes"

// findUserinfo is the password in a URL like postgres://user:password@host, or
// what stands alone before the @ when it looks random. It reports whether there
// is one, and where to look on.
func findUserinfo(text []byte) (secret []byte, next int) {
	i := bytes.Index(text, []byte("://"))
	if i < 0 {
		return nil, -1
	}
	start := i + len("://")
	authority := text[start:]
	if end := bytes.IndexAny(authority, "/?# \t\r\n\"'<>`"); end >= 0 {
		authority = authority[:end]
	}
	next = start + len(authority)
	at := bytes.LastIndexByte(authority, '@')
	if at < 0 {
		// A password that nobody escaped may hold a slash.
		const longest = 512
		rest := text[start:min(len(text), start+longest)]
		if end := bytes.IndexAny(rest, " \t\r\n\"'<>`"); end >= 0 {
			rest = rest[:end]
		}
		colon := bytes.IndexByte(authority, ':')
		if at = bytes.IndexByte(rest, '@'); at < 0 || colon < 0 || isPort(authority[colon+1:]) {
			return nil, next
		}
		authority = rest
	}
	userinfo := authority[:at]
	if _, password, ok := bytes.Cut(userinfo, []byte(":")); ok {
		if !isPlaceholder(password) {
			return password, next
		}
	} else if looksRandom(userinfo) || isHex(userinfo) && len(userinfo) >= 32 {
		return userinfo, next
	}
	return nil, next
}

func isPort(text []byte) bool {
	for _, c := range text {
		if !isDigit(c) {
			return false
		}
	}
	return true
}

// assignments finds names with values in a text: Password=x; in a connection
// string, password: x in YAML, --token x on a command line.
type assignments struct {
	text []byte
	at   int // where to look on
	stop int // the first end of a value without quotes at or behind the last one

	name, value []byte // of the one found
	line        []byte // the rest of the line, where the assignment begins one as in a .env file
}

// next finds the next assignment. Values may hold further ones.
func (a *assignments) next() bool {
	for i := a.at; i < len(a.text); i++ {
		switch a.text[i] {
		case '=', ':':
		case ' ':
			if !isOption(a.text, i) {
				continue
			}
		case '>':
			if !isTag(a.text, i) {
				continue
			}
		default:
			continue
		}
		if a.read(i) {
			return true
		}
	}
	a.at = len(a.text)
	return false
}

// pass goes on behind the value found.
func (a *assignments) pass() { a.at += len(a.value) }

// read reads the assignment whose separator is at i.
func (a *assignments) read(i int) bool {
	text := a.text
	end := i
	for end > 0 && (text[end-1] == ' ' || text[end-1] == '\\' || text[end-1] == '"' || text[end-1] == '\'') && i-end < 8 {
		end--
	}
	start := end
	for start > 0 && isNameByte(text[start-1]) && end-start < 80 {
		start--
	}
	if end-start < 2 || text[i] == ':' && !opensAssignment(text, start, i) {
		return false
	}
	name := text[start:end]
	prose := text[i] == ':' && i+1 < len(text) && text[i+1] == ' '

	v := i + 1
	for v < len(text) && (text[v] == '=' || text[v] == '>' || text[v] == ':') {
		v++ // == and => and :=
	}
	for v < len(text) && (text[v] == ' ' || text[v] == '\t') {
		v++
	}
	for v < len(text) && text[v] == '\\' {
		v++ // an escaped quote
	}
	quoted := v < len(text) && (text[v] == '"' || text[v] == '\'' || text[v] == '`')
	if quoted {
		v++
		end = v + indexAnyOrEnd(text[v:], string(text[v-1])+"\r\n")
	} else {
		if a.stop < v {
			a.stop = v + indexAnyOrEnd(text[v:], "; \t\r\n,&\"'<>`|)}]")
		}
		end = a.stop
	}
	value := bytes.TrimRight(text[v:end], "\\")
	if len(value) == 0 || prose && !quoted && isWord(value) && !endsLine(text[end:]) {
		return false // "password: must have twelve characters"
	}
	a.name, a.value, a.at, a.line = name, value, v, nil
	if text[i] == '=' && !quoted && (start == 0 || text[start-1] == '\n') {
		const longest = 512
		a.line = text[v:min(len(text), v+longest)]
		a.line = bytes.TrimRight(a.line[:indexAnyOrEnd(a.line, "\n")], " \t\r")
	}
	return true
}

func indexAnyOrEnd(text []byte, chars string) int {
	if i := bytes.IndexAny(text, chars); i >= 0 {
		return i
	}
	return len(text)
}

// opensAssignment reports whether a name before a colon stands where a name is
// given a value, rather than in the middle of an ARN or an image's tag.
func opensAssignment(text []byte, start, colon int) bool {
	if start == 0 || colon+1 < len(text) && (text[colon+1] == ' ' || text[colon+1] == '"' || text[colon+1] == '\\' || text[colon+1] == '=') {
		return true
	}
	switch text[start-1] {
	case ' ', '\t', '\n', '"', '\'', ',', ';', '{', '(', '[':
		return true
	}
	return false
}

func isNameByte(c byte) bool { return isAlnum(c) || c == '_' || c == '-' || c == '.' }

// isOption reports whether the space at i ends a command-line option with two
// dashes.
func isOption(text []byte, i int) bool {
	start := i
	for start > 0 && isNameByte(text[start-1]) {
		start--
	}
	return i-start > 3 && text[start] == '-' && text[start+1] == '-' && i+1 < len(text) && text[i+1] != '-'
}

// isTag reports whether the > at i ends an opening XML tag without attributes.
func isTag(text []byte, i int) bool {
	start := i
	for start > 0 && isNameByte(text[start-1]) {
		start--
	}
	return start > 0 && text[start-1] == '<'
}

// isWord reports whether text is lower-case letters, as in a sentence.
func isWord(text []byte) bool {
	for i, c := range text {
		if !isLower(c) && (i > 0 || !isUpper(c)) && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

func endsLine(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t")
	return len(rest) == 0 || rest[0] == '\n' || rest[0] == '\r'
}

// findScheme is what follows "Bearer " or "Basic " as in an HTTP header.
func findScheme(text []byte) []byte {
	for _, scheme := range [...]string{"Bearer ", "bearer ", "BEARER ", "Basic ", "basic "} {
		i := bytes.Index(text, []byte(scheme))
		if i < 0 || i > 0 && isAlnum(text[i-1]) {
			continue
		}
		token := text[i+len(scheme):]
		if end := bytes.IndexAny(token, " \t\r\n\"'<>`,;)"); end >= 0 {
			token = token[:end]
		}
		if len(token) >= 8 && !isWord(token) && !isPlaceholder(token) {
			return token
		}
	}
	return nil
}

// isPlaceholder reports whether a value only says where the secret comes from,
// or that one was taken out.
func isPlaceholder(value []byte) bool {
	if len(value) == 0 || isMasked(value) {
		return true
	}
	if value[0] == '$' && isVariable(value[1:]) {
		return true
	}
	for _, p := range [...]string{"{{", "<", "%(", "%{", "@Microsoft.KeyVault", "!Ref", "var.", "local.", "data.", "module."} {
		if bytes.HasPrefix(value, []byte(p)) {
			return true
		}
	}
	return isReference(value)
}

// isVariable reports whether what follows a $ is a variable of a shell or template.
func isVariable(rest []byte) bool {
	if len(rest) == 0 || rest[0] == '{' || rest[0] == '(' || rest[0] == '$' {
		return true
	}
	for i, c := range rest {
		if !isAlnum(c) && c != '_' || i == 0 && isDigit(c) {
			return false
		}
	}
	return true
}

// isMasked reports whether a value is all stars, dots or crosses.
func isMasked(value []byte) bool {
	first := value[0]
	if first != '*' && first != 'x' && first != 'X' && first != '.' && first != '#' {
		return false
	}
	for _, c := range value {
		if c != first {
			return false
		}
	}
	return true
}

// isReference reports whether a value names a secret kept elsewhere, or is a
// key that everybody may have.
func isReference(value []byte) bool {
	for _, p := range [...]string{"arn:", "projects/", "ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-", "ssm:", "secretsmanager:", "/subscriptions/", "vault:", "op://", "sm://"} {
		if bytes.HasPrefix(value, []byte(p)) {
			return true
		}
	}
	return bytes.Contains(value, []byte(".vault.azure.net/")) || bytes.Contains(value, []byte("{{resolve:"))
}

func isHex(text []byte) bool {
	for _, c := range text {
		if !isDigit(c) && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return len(text) > 0
}
