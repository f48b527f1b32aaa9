package telemetry

import (
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/driftsentry/driftsentry/internal/redact"
)

// mask stands where a secret was. No rule makes anything else of it, so that
// cleaning a clean text changes nothing.
const mask = "***"

// The places text leaves the process through, as driftsentry_redactions_total
// names them.
const (
	sinkLog    = "log"
	sinkSpan   = "span"
	sinkErrors = "errors"
	sinkSentry = "sentry"
)

// maxText bounds one text in any sink, in bytes: a stack trace fits, a body
// does not.
const maxText = 16 << 10

// maxNames is far above the number of attribute names in the code.
const maxNames = 512

// A redactor takes secrets out of whatever is about to leave the process. It
// knows them by the name they go by, by their shape, and exactly: the secrets
// this process was started with.
type redactor struct {
	known []string
	// names remembers secretName of the names our own code uses. Names from
	// outside don't go through it.
	names *memo[string, bool]
	// count is told of every secret found, with closed lists for both.
	count func(sink, rule string)
}

// newRedactor knows the given secrets exactly. Those under six bytes are left
// out: replacing "dev" everywhere would make logs unreadable and hide nothing.
func newRedactor(secrets []string, count func(sink, rule string)) *redactor {
	r := &redactor{count: count, names: newMemo(maxNames, secretName)}
	for _, s := range secrets {
		r.known = append(r.known, spellings(s)...)
	}
	return r
}

// spellings are the ways one secret may be written in a text.
func spellings(secret string) []string {
	const shortest = 6
	if len(secret) < shortest {
		return nil
	}
	all := []string{secret}
	for _, other := range []string{url.QueryEscape(secret), url.PathEscape(secret), jsonText(secret)} {
		if other != secret {
			all = append(all, other)
		}
	}
	return all
}

func jsonText(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil {
		return s // a string always marshals
	}
	return string(quoted[1 : len(quoted)-1])
}

// with returns a redactor that knows some more secrets, such as those one
// request came with.
func (r *redactor) with(secrets []string) *redactor {
	more := &redactor{count: r.count, names: r.names}
	for _, s := range secrets {
		more.known = append(more.known, spellings(s)...)
	}
	if len(more.known) == 0 {
		return r
	}
	more.known = append(more.known, r.known...)
	return more
}

// text returns s without the secrets in it, and not longer than maxText.
func (r *redactor) text(sink, s string) string {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	for _, secret := range r.known {
		if strings.Contains(s, secret) {
			s = strings.ReplaceAll(s, secret, mask)
			r.count(sink, ruleKnown)
		}
	}
	return redact.TextBy(s, func(rule string) { r.count(sink, rule) })
}

// attr returns a with everything secret taken out and everything lazy
// resolved: after it, a holds plain values only.
func (r *redactor) attr(sink string, a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve()
	switch a.Value.Kind() {
	case slog.KindBool, slog.KindInt64, slog.KindUint64, slog.KindFloat64, slog.KindDuration, slog.KindTime:
		return a // a count of secrets is none
	case slog.KindGroup:
		members := make([]slog.Attr, 0, len(a.Value.Group()))
		for _, m := range a.Value.Group() {
			m = r.attr(sink, m)
			if m.Key == "" && m.Value.Kind() == slog.KindGroup { // slog: inlined
				members = append(members, m.Value.Group()...)
			} else if m.Key != "" {
				members = append(members, m)
			}
		}
		a.Value = slog.GroupValue(members...)
		return a
	default:
	}
	if r.names.of(a.Key) {
		if v := a.Value; v.Kind() != slog.KindAny || v.Any() != nil {
			a.Value = slog.StringValue(r.masked(sink, v))
		}
		return a
	}
	if a.Value.Kind() == slog.KindString {
		was := a.Value.String()
		if clean := r.text(sink, was); clean != was {
			a.Value = slog.StringValue(clean)
		}
		return a
	}
	a.Value = r.anyValue(sink, a.Value.Any())
	return a
}

// masked is what a value with a secret name shows; an empty one has no secret.
func (r *redactor) masked(sink string, v slog.Value) string {
	if v.Kind() == slog.KindString && v.String() == "" {
		return ""
	}
	r.count(sink, ruleName)
	return mask
}

// anyValue turns whatever was logged into plain values. Types that know how to
// print themselves do; everything else goes the way it would into JSON.
func (r *redactor) anyValue(sink string, v any) slog.Value {
	switch v := v.(type) {
	case nil:
		return slog.AnyValue(nil)
	case error:
		return slog.StringValue(r.text(sink, errorText(v)))
	case []byte: // nobody reads base64, and no rule looks into it
		return slog.StringValue(fmt.Sprintf("(%d bytes)", len(v)))
	case []string:
		clean := make([]string, len(v))
		for i, s := range v {
			clean[i] = r.text(sink, s)
		}
		return slog.AnyValue(clean)
	case fmt.Stringer:
		return slog.StringValue(r.text(sink, stringOf(v)))
	case encoding.TextMarshaler:
		text, err := v.MarshalText()
		if err != nil {
			return slog.StringValue(fmt.Sprintf("%T that does not marshal", v))
		}
		return slog.StringValue(r.text(sink, string(text)))
	}
	var plain any
	raw, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(raw, &plain)
	}
	if err != nil {
		return slog.StringValue(fmt.Sprintf("%T that does not marshal", v))
	}
	return slog.AnyValue(r.plain(sink, "", plain))
}

// stringOf survives a nil pointer behind a Stringer: logging must not panic.
func stringOf(v fmt.Stringer) (s string) {
	defer func() {
		if recover() != nil {
			s = fmt.Sprintf("%T that does not print", v)
		}
	}()
	return v.String()
}

// errorText is stringOf for errors.
func errorText(err error) (s string) {
	defer func() {
		if recover() != nil {
			s = fmt.Sprintf("%T that does not print", err)
		}
	}()
	return err.Error()
}

// plain cleans decoded JSON, by name and by shape.
func (r *redactor) plain(sink, name string, v any) any {
	if v != nil && secretName(name) {
		switch v := v.(type) {
		case bool:
		case string:
			return r.masked(sink, slog.StringValue(v))
		default:
			r.count(sink, ruleName)
			return mask
		}
	}
	switch v := v.(type) {
	case string:
		return r.text(sink, v)
	case []any:
		for i := range v {
			v[i] = r.plain(sink, "", v[i])
		}
	case map[string]any:
		clean := make(map[string]any, len(v))
		for key, member := range v {
			clean[r.text(sink, key)] = r.plain(sink, key, member)
		}
		return clean
	}
	return v
}
