package telemetry

import (
	"strings"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// operations is the closed list of database_query_duration_ms; the rest is
// OTHER.
var operations = setOf("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "VALUES", "TABLE", "TRUNCATE",
	"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET", "RESET", "SHOW", "LOCK",
	"CREATE", "ALTER", "DROP", "ANALYZE", "VACUUM", "REFRESH", "EXPLAIN", "CALL", "DO",
	"LISTEN", "UNLISTEN", "NOTIFY", "DISCARD", "DEALLOCATE", "PREPARE", "EXECUTE", "FETCH", "DECLARE", "CLOSE")

// sqlInfo is what one statement's text says about it.
type sqlInfo struct {
	operation string // from operations, else OTHER
	table     string // one of ours, else other
	name      string // of the span: what a "-- name: ListDrifts" comment says, else operation and table
	statement string // without comments and without literals
	attrs     []attribute.KeyValue
	labels    *labels
}

// newSQLInfo reads a statement: its operation is the main verb after the list
// of common table expressions, its table the one that is written to, else the
// first of ours that is read at the top level, else the first of ours at all.
func newSQLInfo(sql string, tables map[string]bool, labelsOf func(pair) *labels) *sqlInfo {
	tokens, statement, name := tokenize(sql)
	ctes, rest := commonTables(tokens)
	info := &sqlInfo{operation: otherOperation, table: otherValue, name: name, statement: clip(statement, 2000)}
	if len(rest) > 0 && operations[strings.ToUpper(rest[0].word)] {
		info.operation = strings.ToUpper(rest[0].word)
	}
	if table := tableOf(rest, tokens, ctes, tables); table != "" {
		info.table = table
	}
	summary := info.operation
	info.attrs = []attribute.KeyValue{semconv.DBOperationName(info.operation), semconv.DBQueryText(info.statement)}
	if info.table != otherValue {
		summary += " " + info.table
		info.attrs = append(info.attrs, semconv.DBCollectionName(info.table))
	}
	info.attrs = append(info.attrs, semconv.DBQuerySummary(summary))
	if info.name == "" {
		info.name = summary
	}
	info.labels = labelsOf(pair{info.operation, info.table})
	return info
}

// commonTables reads WITH a AS (…), b AS (…) and returns their names and what
// follows.
func commonTables(tokens []sqlToken) (ctes map[string]bool, rest []sqlToken) {
	if len(tokens) == 0 || tokens[0].word != "with" {
		return nil, tokens
	}
	ctes = map[string]bool{}
	expectName := true
	for i, tok := range tokens[1:] {
		if tok.depth > 0 || tok.word == "recursive" {
			continue
		}
		switch {
		case expectName && tok.word != "":
			ctes[tok.word], expectName = true, false
		case tok.mark == ',':
			expectName = true
		case tok.word != "" && tok.word != "as" && tok.word != "not" && tok.word != "materialized":
			return ctes, tokens[1+i:]
		}
	}
	return ctes, nil
}

// tableOf finds the table in rest, the statement without its common table
// expressions, and failing that in all of it.
func tableOf(rest, all []sqlToken, ctes, tables map[string]bool) string {
	ours := func(tok sqlToken) bool { return tables[tok.word] && !ctes[tok.word] }
	for i, tok := range rest { // written to, or read at the top level
		if tok.depth == 0 && ours(tok) && namesTable(rest[:i]) {
			return tok.word
		}
	}
	for _, tok := range all {
		if ours(tok) {
			return tok.word
		}
	}
	return ""
}

// namesTable reports whether a table's name can follow these tokens.
func namesTable(before []sqlToken) bool {
	for len(before) >= 2 && before[len(before)-1].mark == '.' { // schema.table
		before = before[:len(before)-2]
	}
	if len(before) == 0 {
		return false
	}
	switch before[len(before)-1].word {
	case "from", "join", "into", "update", "only", "table", "using", "copy", "truncate", "lock", "lateral", "analyze", "vacuum", "exists", "on":
		return true
	}
	return false
}
