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
			found = true
			a.pass()
		}
	}
	return found
}

// isSecretValue reports whether a value is secret for what its name means.
func isSecretValue(meaning Meaning, value []byte) bool {
	switch {
	case len(value) == 0 || isPlaceholder(value):
		return false
	case meaning == Credential:
		return !isKeyword(value)
	case meaning == Suspicious:
		return !isSetting(value)
	}
	return false
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

// scanRuns looks at every long run of token characters.
func (in *Inspector) scanRuns(text []byte, public bool, depth int) bool {
	found := false
	for i := 0; i < len(text); {
		if !runBytes[text[i]] {
			i++
			continue
		}
		start := i
		for i < len(text) && (runBytes[text[i]] || wraps(text, start, i)) {
			i++
		}
		if run := text[start:i]; len(run) >= minRandom {
			found = in.scanRun(run, public, depth) || found
		}
	}
	return found
}

// wraps reports whether the line break at i is one inside base64 in lines.
func wraps(text []byte, start, i int) bool {
	const shortest = 60 // encoders break after 60, 64 or 76
	c := text[i]
	if c != '\n' && c != '\r' || i-start < shortest || i+1 >= len(text) {
		return false
	}
	for _, c := range text[i-shortest+1 : i] {
		if !isAlnum(c) && c != '+' && c != '/' && c != '\r' {
			return false
		}
	}
	return runBytes[text[i+1]] || text[i+1] == '\n'
}

// scanRun judges one run: a token by its prefix, encoded text by what it says,
// anything else by whether it looks random.
func (in *Inspector) scanRun(run []byte, public bool, depth int) bool {
	if token := findToken(run); token != nil {
		in.add(token)
		return true
	}
	if bytes.ContainsAny(run, "\r\n") {
		run = bytes.Join(bytes.Fields(run), nil)
	}
	run = withoutHost(run)
	found := false
	for piece := range bytes.SplitSeq(run, []byte(".")) {
		// An = inside ends a name, at the end it is padding.
		if i := bytes.IndexByte(bytes.TrimRight(piece, "="), '='); i >= 0 {
			piece = piece[i+1:]
		}
		if len(piece) >= minRandom {
			found = in.scanPiece(piece, public, depth) || found
		}
	}
	return found
}

// withoutHost is a run without the host name it begins with: clouds put random
// letters into those, and they are no secrets.
func withoutHost(run []byte) []byte {
	trimmed := bytes.TrimLeft(run, "/")
	host, path, _ := bytes.Cut(trimmed, []byte("/"))
	labels := bytes.Split(bytes.TrimRight(host, "."), []byte("."))
	if len(labels) < 3 {
		return run
	}
	for _, c := range host {
		if !isLower(c) && !isDigit(c) && c != '-' && c != '.' && c != '_' {
			return run
		}
	}
	for _, c := range labels[len(labels)-1] {
		if !isLower(c) {
			return run
		}
	}
	return path
}

// scanPiece judges a run without dots.
func (in *Inspector) scanPiece(piece []byte, public bool, depth int) bool {
	if isHex(piece) || bytes.HasPrefix(piece, []byte("AAAA")) { // an SSH public key
		return false
	}
	if data := decodeBase64(piece); data != nil {
		switch derOf(data) {
		case derPrivate:
			in.add(piece)
			return true
		case derPublic:
			return false
		}
		if document := unpack(data); isText(document) {
			return in.scanText(document, depth+1)
		}
	}
	if public {
		return false
	}
	return isRandomPiece(piece)
}

// isRandomPiece reports whether a word in the piece was drawn at random, or all
// of it was, as base64 with a separator here and there.
func isRandomPiece(piece []byte) bool {
	separators, hex := 0, false
	letters := make([]byte, 0, len(piece))
	for start, i := 0, 0; i <= len(piece); i++ {
		if i < len(piece) && isAlnum(piece[i]) {
			continue
		}
		word := piece[start:i]
		if looksRandom(word) {
			return true
		}
		hex = hex || len(word) >= 8 && isHex(word) // an id or digest in a path
		letters = append(letters, word...)
		separators, start = separators+1, i+1
	}
	// Random base64 has a separator among 32 characters, names have many.
	return !hex && 8*(separators-1) <= len(piece) && looksRandom(letters)
}

// scanText looks into text that was encoded.
func (in *Inspector) scanText(text []byte, depth int) bool {
	if depth > maxDepth {
		return false
	}
	if document := in.parse(text); document != nil {
		return in.walk(document, nil, scope{depth: depth})
	}
	if password := basicPassword(text); password != nil {
		in.add(password)
		return true
	}
	return in.scan(text, false, depth)
}

// basicPassword is the password in decoded text that looks like what HTTP's
// basic authentication encodes, nil otherwise.
func basicPassword(text []byte) []byte {
	user, password, found := bytes.Cut(text, []byte(":"))
	if !found || len(user) == 0 || len(user) > 64 || len(password) < 4 || len(password) > 128 ||
		bytes.ContainsAny(text, " \t\r\n/{}<>\"") || isPort(password) {
		return nil
	}
	return password
}

// looksLikePassword reports whether a whole value without spaces looks like a
// generated password: all kinds of characters, in no order.
func looksLikePassword(text []byte) bool {
	if len(text) < minRandom || len(text) > 128 || isPattern(text) {
		return false
	}
	var lower, upper, digit, symbol int
	rest := make([]byte, 0, len(text))
	for _, c := range text {
		switch {
		case c <= ' ' || c >= 0x7f:
			return false
		case isLower(c):
			lower++
		case isUpper(c):
			upper++
		case isDigit(c):
			digit++
		default:
			if !runBytes[c] { // those of base64 prove nothing
				symbol++
			}
			continue
		}
		rest = append(rest, c)
	}
	return lower >= 2 && upper >= 2 && digit >= 1 && symbol >= 2 && len(rest) >= 8 && oddness(rest, true) > 2
}

// isPattern reports whether text has what expressions, templates and paths are
// made of and generated passwords hardly ever hold.
func isPattern(text []byte) bool {
	for _, sure := range [...]string{"a-z", "A-Z", "0-9", "://", "arn:", "\\d", "\\w", "\\s"} {
		if bytes.Contains(text, []byte(sure)) {
			return true
		}
	}
	hints := 0
	for _, hint := range [...]string{"${", "$(", "{{", "(?", ".*", ".+", "&&", "||", "=>", "==", "::"} {
		hints += bytes.Count(text, []byte(hint))
	}
	return hints > 1 || bytes.Count(text, []byte("/"))+bytes.Count(text, []byte("."))+bytes.Count(text, []byte("-")) > len(text)/5
}
