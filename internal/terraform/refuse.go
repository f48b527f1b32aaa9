package terraform

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/driftsentry/driftsentry/internal/fault"
)

// remedy ends every refusal of what is not a plan at all.
const remedy = "; send what `terraform show -json PLANFILE` (or `tofu show -json PLANFILE`) prints"

// notPlan is the refusal of something that is no plan, whatever is in it.
func notPlan(what string) error { return fault.New(fault.Invalid, what+remedy) }

// refuse tells from its beginning what a body is that cannot be JSON of a plan.
func refuse(head []byte) error {
	switch {
	case len(head) == 0:
		return notPlan("the body is empty")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return notPlan("this is the binary plan file, not its JSON")
	case head[0] == '{':
		return nil
	case head[0] == '<':
		return notPlan("this is an HTML or XML page, not the JSON of a plan")
	case head[0] == '[':
		return notPlan("this is a JSON array, the JSON of a plan is an object")
	case head[0] == '"', head[0] == '-', '0' <= head[0] && head[0] <= '9',
		bytes.HasPrefix(head, []byte("null")), bytes.HasPrefix(head, []byte("true")), bytes.HasPrefix(head, []byte("false")):
		return notPlan("this is not a JSON object, which the JSON of a plan is")
	case bytes.HasPrefix(head, []byte("Terraform ")), bytes.HasPrefix(head, []byte("OpenTofu ")),
		bytes.HasPrefix(head, []byte("No changes")), bytes.HasPrefix(head, []byte("Note: ")),
		bytes.HasPrefix(head, []byte("Error: ")), bytes.HasPrefix(head, []byte("\u2577")), bytes.HasPrefix(head, []byte("\x1b[")):
		return notPlan("this is what the tool prints for people, not JSON")
	}
	return notPlan("this is not JSON")
}

// afterTheEnd refuses what follows the JSON.
func afterTheEnd(line []byte) error {
	if line[0] == '{' {
		return notPlan("more than one JSON value: this looks like the line-by-line output of `terraform plan -json`")
	}
	return fault.New(fault.Invalid, "there is other text after the end of the JSON"+remedy)
}

func badGzip(err error) error {
	switch {
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return fault.Wrap(fault.Invalid, "the body is gzip that cannot be unpacked", err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fault.Wrap(fault.Invalid, "the body is gzip that breaks off", err)
	}
	if _, corrupt := errors.AsType[flate.CorruptInputError](err); corrupt {
		return fault.Wrap(fault.Invalid, "the body is gzip that cannot be unpacked", err)
	}
	return fmt.Errorf("read plan: %w", err)
}

// readFailure is an error that came out of the connection rather than the plan,
// unless it has been classified where it arose.
func readFailure(err error) error {
	if _, classified := fault.As(err); classified {
		return err
	}
	return fmt.Errorf("read plan: %w", err)
}

// malformed classifies an error of the decoder after skipped bytes: it says what
// is wrong with the JSON and where, and quotes nothing of it.
func malformed(err error, skipped int64) error {
	syntax, isSyntax := errors.AsType[*jsontext.SyntacticError](err)
	if !isSyntax {
		return readFailure(err)
	}
	offset := syntax.ByteOffset + skipped
	if errors.Is(syntax.Err, io.ErrUnexpectedEOF) {
		return fault.Wrap(fault.Invalid, fmt.Sprintf("the JSON breaks off after %d bytes%s", offset, within(syntax.JSONPointer)), err)
	}
	what := "is not valid JSON"
	if errors.Is(syntax.Err, jsontext.ErrDuplicateName) {
		what = "has the same name twice in one object"
	} else if reason := syntax.Err.Error(); reason == "exceeded max depth" {
		what = "is nested too deep"
	} else if bytes.Contains([]byte(reason), []byte("invalid UTF-8")) {
		what = "is not valid UTF-8"
	} else if bytes.Contains([]byte(reason), []byte("surrogate")) {
		what = "has half of a surrogate pair"
	}
	return fault.Wrap(fault.Invalid, fmt.Sprintf("the plan %s at byte %d%s", what, offset, within(syntax.JSONPointer)), err)
}

// flaw is what the examiner finds wrong with a part of the plan, told of it as
// "it has no change".
type flaw struct {
	problem string
	kind    fault.Kind
}

// Error is the problem.
func (f flaw) Error() string { return f.problem }

func flawed(problem string) error { return flaw{problem, fault.Invalid} }

// locate says where in the plan a flaw is. Any other error is not the plan's.
func locate(err error, at position) error {
	f, isFlaw := errors.AsType[flaw](err)
	if !isFlaw {
		return err
	}
	where := "/" + at.section
	if at.index != none {
		where += fmt.Sprintf("/%d", at.index)
	}
	return fault.New(f.kind, fmt.Sprintf("the plan is not as expected at byte %d, in %s: it %s", at.offset, where, f.problem))
}

// maxPointer is how much of a pointer an error repeats.
const maxPointer = 120

// within says where in the document something is, down to the attribute of a
// resource and no further: what lies deeper may be named by a secret.
func within(pointer jsontext.Pointer) string {
	if pointer == "" {
		return ""
	}
	const sections = 5 // resource_drift, index, change, before, attribute
	text, depth := "", 0
	for token := range pointer.Tokens() {
		if depth++; depth > sections || !isPlain(token) {
			break
		}
		text += "/" + token
	}
	if text == "" || len(text) > maxPointer {
		return ""
	}
	return ", in " + text
}

// isPlain reports whether a token of a pointer is a name as programs give it.
func isPlain(token string) bool {
	for i := range len(token) {
		switch c := token[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_':
		default:
			return false
		}
	}
	return token != "" && len(token) <= 64
}
