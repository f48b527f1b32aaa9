package redact

import "bytes"

// maxDepth is how deep text is looked for in text: base64 in JSON in base64.
const maxDepth = 4

// scan reports whether text holds a credential by the look of it, and gives
// every part that is one to the collected secrets. public is set when the name
// says that the text looks random and is no secret.
func (in *Inspector) scan(text []byte, public bool, depth int) bool {
	if len(text) < 8 || depth > maxDepth || isARN(text) {
		return false
	}
	t := survey(text)
	found := false
	if t.dashes {
		text, found = in.scanPEM(text)
	}
	if t.scheme {
		found = in.scanURLs(text) || found
		if hook := findHook(text); hook != nil {
			in.add(hook)
			found = true
		}
	}
	if t.assigns {
		found = in.scanAssignments(text) || found
	}
	if t.spaces {
		found = in.scanCommand(text) || found
		if t.assigns {
			found = in.scanPairs(text) || found
		}
	}
	if bytes.IndexByte(text, '$') >= 0 {
		if hash := findCrypt(text); hash != nil {
			in.add(hash)
			found = true
		}
	}
	if t.longest >= minRandom {
		found = in.scanRuns(text, public, depth) || found
	}
	if t.spaces && t.longest >= 8 {
		if token := findScheme(text); token != nil {
			in.add(token)
			found = true
		}
	}
	return found || !public && !t.spaces && looksLikePassword(text)
}

// isARN reports whether all of a text is the name of something in AWS. So many
// strings are that looking into them would take most of the time.
func isARN(text []byte) bool {
	if !bytes.HasPrefix(text, []byte("arn:")) {
		return false
	}
	for _, c := range text {
		if c <= ' ' || c == '"' || c == '\'' || c == '=' || c == ';' || c == '@' {
			return false
		}
	}
	return true
}

// traits say which searches of a text are worth their time.
type traits struct {
	longest int // run of token characters
	spaces  bool
	scheme  bool // ://
	assigns bool // = or : or an option or a tag
	dashes  bool // -----
}

// survey reads a text once.
func survey(text []byte) traits {
	var t traits
	run, dashes := 0, 0
	for _, c := range text {
		if runBytes[c] {
			run++
			if c == '-' {
				dashes++
				t.dashes = t.dashes || dashes == 5
				t.assigns = t.assigns || dashes == 2
			} else {
				dashes = 0
				t.assigns = t.assigns || c == '='
			}
			continue
		}
		t.longest = max(t.longest, run)
		run, dashes = 0, 0
		switch c {
		case ' ', '\n', '\t', '\r':
			t.spaces = true
		case ':', '>':
			t.assigns = true
		}
	}
	t.longest = max(t.longest, run)
	if t.assigns {
		t.scheme = bytes.Contains(text, []byte("://"))
	}
	return t
}

// runBytes are what tokens and base64 are made of.
var runBytes = func() (table [256]bool) {
	for c := range 256 {
		table[c] = isAlnum(byte(c))
	}
	for _, c := range "+/=_.~-" {
		table[c] = true
	}
	return table
}()

// scanPEM looks for private keys, and returns the text without any PEM blocks:
// what certificates are made of looks random.
func (in *Inspector) scanPEM(text []byte) (rest []byte, found bool) {
	from := 0
	for {
		start, end, private := nextPEM(text, from)
		if start < 0 {
			break
		}
		if private {
			in.add(text[start:end])
			found = true
		}
		rest = append(append(rest, text[from:start]...), '\n')
		from = end
	}
	if from == 0 {
		return text, found
	}
	return append(rest, text[from:]...), found
}

func (in *Inspector) scanURLs(text []byte) bool {
	found := false
	for {
		secret, next := findUserinfo(text)
		if next < 0 {
			return found
		}
		if secret != nil {
			in.add(secret)
			found = true
		}
		text = text[next:]
	}
}

func (in *Inspector) scanAssignments(text []byte) bool {
	found := false
	for a := (assignments{text: text}); a.next(); {
		if isSecretValue(in.meaning(a.name), a.value) && (len(a.value) >= 6 || !isPort(a.value)) {
			in.add(a.value)
			in.add(a.line)
			found = true
			a.pass()
		}
	}
	return found
}

// isSecretValue reports whether a value is secret for what its name means.
func isSecretValue(meaning Meaning, value []byte) bool {
	if len(value) == 0 || meaning != Credential && meaning != Suspicious {
		return false
	}
	const enough = 4096 // to tell a placeholder
	if isPlaceholder(value[:min(len(value), enough)]) {
		return false
	}
	if meaning == Credential {
		return !isKeyword(value)
	}
	return !isSetting(value)
}

// isKeyword reports whether a value is one of the words that stand where a
// secret might: that there is none, or how long one is good for.
func isKeyword(value []byte) bool {
	switch string(value) {
	case "true", "false", "null", "none", "nil", "True", "False", "None", "required", "optional", "enabled", "disabled",
		"seconds", "minutes", "hours", "days":
		return true
	}
	return false
}

// isSetting reports whether a value is a word out of somebody's manual.
func isSetting(value []byte) bool {
	for _, c := range value {
		if isDigit(c) || !isAlnum(c) && c != '_' && c != '-' && c != ' ' {
			return isKeyword(value)
		}
	}
	return !looksRandom(value)
}
