package telemetry

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// maxCauses bounds a chain that somebody built in a loop.
const maxCauses = 20

// causes walks err's tree, outermost first: "type: message" each.
func causes(err error) []string {
	var chain []string
	for _, e := range causeErrors(err) {
		chain = append(chain, typeName(e)+": "+describe(e))
	}
	return chain
}

// causeErrors is err's tree as a list, outermost first.
func causeErrors(err error) []error {
	var chain []error
	walk(err, func(e error) { chain = append(chain, e) })
	return chain
}

// innermostType is the type at the end of err's chain that says most about
// what happened: the last one that isn't a plain text, if there is one.
func innermostType(err error) string {
	name := ""
	for _, e := range causeErrors(err) {
		switch t := typeName(e); t {
		case "*errors.errorString", "*fmt.wrapError", "*fmt.wrapErrors", "*errors.joinError":
			if name == "" || strings.HasPrefix(name, "*errors.") || strings.HasPrefix(name, "*fmt.") {
				name = t
			}
		default:
			name = t
		}
	}
	return name
}

// walk calls visit for every error of a tree, at most maxCauses of them.
func walk(err error, visit func(error)) {
	left := maxCauses
	var step func(error)
	step = func(e error) {
		if e == nil || left == 0 {
			return
		}
		left--
		visit(e)
		switch e := e.(type) { //nolint:errorlint // this is what errors.As does
		case interface{ Unwrap() error }:
			step(e.Unwrap())
		case interface{ Unwrap() []error }:
			for _, cause := range e.Unwrap() {
				step(cause)
			}
		}
	}
	step(err)
}

func typeName(err error) string {
	if t := reflect.TypeOf(err); t != nil {
		return t.String()
	}
	return "nil"
}

// describe is err's text with what PostgreSQL adds that helps and gives no
// data away: detail, hint and context hold rows and parameters.
func describe(err error) string {
	text := errorText(err)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && (pg.ConstraintName != "" || pg.TableName != "") {
		text += fmt.Sprintf(" [table %q, constraint %q]", pg.TableName, pg.ConstraintName)
	}
	return text
}

// panicError is what a panic was called with, once it is recovered.
type panicError struct{ value any }

func (p panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// Unwrap is the value if it is an error.
func (p panicError) Unwrap() error {
	err, _ := p.value.(error)
	return err
}

// panicStack is a stack that begins where the panic was, rather than at
// whoever recovered it.
func panicStack(stack []byte) string {
	text := string(stack)
	header, _, _ := strings.Cut(text, "\n")
	const call = "\npanic("
	at := strings.LastIndex(text, call)
	if at < 0 {
		return text
	}
	lines := strings.SplitN(text[at+1:], "\n", 3) // panic(…) and where that is
	return header + "\n" + lines[len(lines)-1]
}
