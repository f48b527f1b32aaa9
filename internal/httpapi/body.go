package httpapi

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/driftsentry/driftsentry/internal/fault"
)

// maxBody is the longest JSON body that is taken, in bytes. Plans are no bodies
// of this kind.
const maxBody = 64 << 10

// readBody decodes a request's JSON object into a struct, strictly: what nobody
// reads here, or stands there twice, is an error that names it. An endpoint that
// ignores "utnil" would reject a drift for ever.
//
// Its errors never wrap the decoder's: those quote the body, which may hold a
// password.
func readBody(w http.ResponseWriter, r *http.Request, into any) error {
	if err := takesJSON(r); err != nil {
		return err
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return brokenBody(err)
	}
	if strings.TrimSpace(string(text)) == "" {
		return fault.BadField("body", "is empty; send a JSON object")
	}
	if jsontext.Value(text).Kind() != '{' && jsontext.Value(text).IsValid() {
		return fault.BadField("body", "must be a JSON object")
	}
	if err := json.Unmarshal(text, into, json.RejectUnknownMembers(true)); err != nil {
		return bodyError(err, into)
	}
	return missing(into)
}

// brokenBody says why a body could not be read: never because of us.
func brokenBody(err error) error {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return fault.New(fault.TooLarge, fmt.Sprintf("the body is larger than %d bytes, the most that is taken here", maxBody))
	}
	if network, ok := errors.AsType[net.Error](err); ok && network.Timeout() {
		return fault.Wrap(fault.Timeout, "the body took longer than the server allows", err)
	}
	return fault.Wrap(fault.ClientClosed, "the body ended before all of it had come", err)
}

func takesJSON(r *http.Request) error {
	media, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := parameters["charset"]
	if err != nil || media != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return fault.New(fault.UnsupportedMedia, "send the body as Content-Type: application/json")
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return fault.New(fault.UnsupportedMedia, "send the body without a Content-Encoding")
	}
	return nil
}

// bodyError says what is wrong with a body, by the name of the field.
func bodyError(err error, into any) error {
	if wrong, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		field := fieldOf(wrong.JSONPointer)
		switch {
		case errors.Is(err, jsontext.ErrDuplicateName):
			return fault.BadField(field, "is given twice")
		case errors.Is(err, io.ErrUnexpectedEOF):
			return fault.BadField("body", "is cut short: it is no whole JSON object")
		case field != "body":
			return fault.BadField(field, "is not valid JSON")
		default:
			return fault.BadField("body", fmt.Sprintf("is not one JSON object: something is wrong after byte %d", wrong.ByteOffset))
		}
	}
	if wrong, ok := errors.AsType[*json.SemanticError](err); ok {
		field := fieldOf(wrong.JSONPointer)
		if errors.Is(err, json.ErrUnknownName) {
			return fault.BadField(field, "is not a field of this request; it takes "+list(fieldsOf(into)))
		}
		return fault.BadField(field, "must be a string") // as all our fields are
	}
	return fmt.Errorf("decode the body of a request into %T", into)
}

// fieldOf is the outermost field that a pointer goes through, if its name may be
// quoted back.
func fieldOf(p jsontext.Pointer) string {
	for name := range p.Tokens() {
		if len(name) > longestName {
			break // it may be anything
		}
		return clip(name)
	}
	return "body"
}

// fieldsOf are the names of a body's fields.
func fieldsOf(into any) []string {
	t := reflect.TypeOf(into).Elem()
	var names []string
	for field := range t.Fields() {
		names = append(names, field.Tag.Get("json"))
	}
	return names
}

// missing names every field that is tagged as needed and was not given: absent,
// null and empty are the same.
func missing(into any) error {
	var absent []fault.Field
	v := reflect.ValueOf(into).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		empty := v.Field(i).IsZero()
		if z, ok := reflect.TypeAssert[interface{ IsZero() bool }](v.Field(i)); ok {
			empty = z.IsZero() // a secret that holds no text
		}
		if field.Tag.Get("needed") != "" && empty {
			absent = append(absent, fault.Field{Field: field.Tag.Get("json"), Message: "is missing"})
		}
	}
	if len(absent) == 0 {
		return nil
	}
	return fault.BadFields(absent...)
}
