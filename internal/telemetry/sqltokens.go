package telemetry

import "strings"

// sqlToken is a word (an identifier or a keyword, lower case) or a mark. depth
// counts the parentheses round it.
type sqlToken struct {
	word  string
	mark  byte
	depth int
}

// tokenize splits a statement the way PostgreSQL's lexer would, as far as that
// is needed to tell words from what only looks like them: comments, strings,
// dollar quotes and quoted names. It also returns the statement without
// comments and literals, and the name a leading "-- name:" comment gives it.
func tokenize(sql string) (tokens []sqlToken, statement, name string) {
	var shown strings.Builder
	space := false
	show := func(s string) {
		if space && shown.Len() > 0 {
			shown.WriteByte(' ')
		}
		space = false
		shown.WriteString(s)
	}
	depth := 0
	for i := 0; i < len(sql); {
		c := sql[i]
		switch {
		case c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f':
			space = true
			i++
		case strings.HasPrefix(sql[i:], "--"):
			end := lineEnd(sql, i)
			if name == "" && len(tokens) == 0 {
				name = queryName(sql[i+2 : end])
			}
			space, i = true, end
		case strings.HasPrefix(sql[i:], "/*"):
			space, i = true, blockEnd(sql, i)
		case c == '\'':
			show("?")
			i = stringEnd(sql, i, false)
		case (c == 'e' || c == 'E') && i+1 < len(sql) && sql[i+1] == '\'':
			show("?")
			i = stringEnd(sql, i+1, true)
		case c == '$' && dollarQuote(sql[i:]) != "":
			show("?")
			i = dollarEnd(sql, i)
		case c == '"':
			end := quotedEnd(sql, i)
			show(sql[i:end])
			tokens = append(tokens, sqlToken{word: strings.ReplaceAll(strings.Trim(sql[i:end], `"`), `""`, `"`), depth: depth})
			i = end
		case isWordByte(c) && (c < '0' || c > '9'):
			end := i + 1
			for end < len(sql) && (isWordByte(sql[end]) || sql[end] == '$') {
				end++
			}
			show(sql[i:end])
			tokens = append(tokens, sqlToken{word: strings.ToLower(sql[i:end]), depth: depth})
			i = end
		default:
			if c == ')' {
				depth--
			}
			show(sql[i : i+1])
			if c == ',' || c == '.' || c == '(' || c == ')' || c == ';' {
				tokens = append(tokens, sqlToken{mark: c, depth: depth})
			}
			if c == '(' {
				depth++
			}
			i++
		}
	}
	return tokens, shown.String(), name
}

func isWordByte(c byte) bool {
	return c == '_' || c >= 0x80 || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// maxQueryName bounds a span's name.
const maxQueryName = 60

// queryName is the name in the text of a comment "name: ListDrifts", or empty.
func queryName(comment string) string {
	text, ok := strings.CutPrefix(strings.TrimSpace(comment), "name:")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(strings.TrimSpace(text), " ") // sqlc writes ":many" behind it
	return clip(name, maxQueryName)
}

func lineEnd(sql string, i int) int {
	if n := strings.IndexByte(sql[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(sql)
}

// blockEnd is behind a block comment, which may hold others.
func blockEnd(sql string, i int) int {
	for level := 0; i < len(sql); {
		switch {
		case strings.HasPrefix(sql[i:], "/*"):
			level++
			i += 2
		case strings.HasPrefix(sql[i:], "*/"):
			level--
			i += 2
			if level == 0 {
				return i
			}
		default:
			i++
		}
	}
	return len(sql)
}

// stringEnd is behind the string that begins at i. Only E'…' has backslashes.
func stringEnd(sql string, i int, backslashes bool) int {
	for i++; i < len(sql); i++ {
		switch {
		case backslashes && sql[i] == '\\':
			i++
		case sql[i] == '\'':
			if i+1 < len(sql) && sql[i+1] == '\'' {
				i++
				continue
			}
			return i + 1
		}
	}
	return len(sql)
}

func quotedEnd(sql string, i int) int {
	for i++; i < len(sql); i++ {
		if sql[i] != '"' {
			continue
		}
		if i+1 < len(sql) && sql[i+1] == '"' {
			i++
			continue
		}
		return i + 1
	}
	return len(sql)
}

// dollarQuote is the opening $tag$ at the start of s, or empty: $1 is none.
func dollarQuote(s string) string {
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '$':
			return s[:i+1]
		case !isWordByte(c), i == 1 && '0' <= c && c <= '9':
			return ""
		}
	}
	return ""
}

func dollarEnd(sql string, i int) int {
	tag := dollarQuote(sql[i:])
	if n := strings.Index(sql[i+len(tag):], tag); n >= 0 {
		return i + n + 2*len(tag)
	}
	return len(sql)
}
