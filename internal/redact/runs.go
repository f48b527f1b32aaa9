package redact

import "bytes"

// Tokens, and all that is written in base64, are runs of a few characters. Most
// such runs are names; these functions tell which are not.

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
