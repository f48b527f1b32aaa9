package drift

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// This file holds the ways in which a plain value can get worse. Each returns
// the find of a rule, which yields f when the value did.

// whenever matches whatever the rule's types and actions let through.
func whenever(f finding) func(*evidence) (finding, bool) {
	return func(*evidence) (finding, bool) { return f, true }
}

// turnedOff matches what was on, or there at all, and is no longer.
func turnedOff(f finding) func(*evidence) (finding, bool) {
	return func(e *evidence) (finding, bool) {
		gone := !e.unknown || slices.ContainsFunc(e.after, func(v any) bool { return v != nil })
		return f, gone && slices.ContainsFunc(e.before, isOn) && !slices.ContainsFunc(e.after, isOn)
	}
}

// turnedOn matches what was off and is on. A new resource has not turned
// anything on: it was written so.
func turnedOn(f finding) func(*evidence) (finding, bool) {
	return func(e *evidence) (finding, bool) {
		return f, e.Action != Create && !slices.ContainsFunc(e.before, isOn) && slices.ContainsFunc(e.after, isOn)
	}
}

// becomes matches a value, or a list with one, that now is one of words, which
// go from bad to worst, and was nothing as bad; on a new resource too. A word
// may start with "*" for any beginning.
func becomes(f finding, words ...string) func(*evidence) (finding, bool) {
	return func(e *evidence) (finding, bool) {
		return f, worstOf(e.after, words) > worstOf(e.before, words)
	}
}

// turnsTo matches a value that was something else and now is one of words. A
// new resource has not turned.
func turnsTo(f finding, words ...string) func(*evidence) (finding, bool) {
	return func(e *evidence) (finding, bool) {
		return f, e.Action != Create && len(appendTexts(nil, e.before)) > 0 &&
			worstOf(e.after, words) >= 0 && worstOf(e.before, words) < 0
	}
}

// turnsFrom matches a value that was one of words and now is something else.
func turnsFrom(f finding, words ...string) func(*evidence) (finding, bool) {
	return func(e *evidence) (finding, bool) {
		gone := !e.unknown || slices.ContainsFunc(e.after, func(v any) bool { return v != nil })
		return f, gone && worstOf(e.before, words) >= 0 && worstOf(e.after, words) < 0
	}
}

// loweredNumber matches a number that became less and not nothing.
func loweredNumber(f finding) func(*evidence) (finding, bool) {
	return func(e *evidence) (finding, bool) {
		if len(e.before) != 1 || len(e.after) != 1 {
			return f, false
		}
		was, ok := number(e.before[0])
		is, ok2 := number(e.after[0])
		return f, ok && ok2 && is > 0 && is < was
	}
}

// loweredTLS matches a lowest TLS version that became a lower one, in whichever
// of the spellings the clouds use.
func loweredTLS(f finding) func(*evidence) (finding, bool) {
	return func(e *evidence) (finding, bool) {
		was, is := tlsVersion(e.before), tlsVersion(e.after)
		return f, was > 0 && is >= 0 && is < was
	}
}

// lostSome matches a list from which something is gone, but not everything.
func lostSome(f finding) func(*evidence) (finding, bool) {
	return func(e *evidence) (finding, bool) {
		was, is := appendTexts(nil, e.before), appendTexts(nil, e.after)
		return f, !e.unknown && len(is) > 0 && haveOther(was, is)
	}
}

// offWords are the values that mean "no", in small letters.
var offWords = map[string]bool{
	"": true, "0": true, "false": true, "no": true, "none": true, "off": true,
	"decrypted": true, "disable": true, "disabled": true, "suspended": true, "inactive": true,
}

// isOn reports whether a value says yes, or is there at all. A block that is
// there to say no says no.
func isOn(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case json.Number:
		n, err := v.Float64()
		return err != nil || n != 0
	case string:
		return len(v) > len("suspended") || !offWords[strings.ToLower(v)]
	case []any:
		return slices.ContainsFunc(v, func(element any) bool {
			block, ok := element.(map[string]any)
			return !ok || isOn(block)
		})
	case map[string]any:
		return len(v) > 0 && v["enabled"] != false && v["enable"] != false
	default:
		return false
	}
}

// worstOf is the index of the last of words that a value, or an element of it,
// is; -1 if it is none of them.
func worstOf(values []any, words []string) int {
	worst := -1
	for _, t := range appendTexts(nil, values) {
		for i := len(words) - 1; i > worst; i-- {
			end, anyStart := strings.CutPrefix(words[i], "*")
			if strings.EqualFold(t, words[i]) ||
				anyStart && end != "" && len(t) >= len(end) && strings.EqualFold(t[len(t)-len(end):], end) {
				worst = i
			}
		}
	}
	return worst
}

// haveOther reports whether texts hold one that known do not.
func haveOther(texts, known []string) bool {
	set := make(map[string]bool, len(known))
	for _, t := range known {
		set[t] = true
	}
	return slices.ContainsFunc(texts, func(t string) bool { return !set[t] })
}

// appendTexts appends a scalar, or those in a list and the lists in it, as text.
func appendTexts(texts []string, v any) []string {
	if list, ok := v.([]any); ok {
		for _, element := range list {
			texts = appendTexts(texts, element)
		}
		return texts
	}
	if t := text(v); t != "" {
		texts = append(texts, t)
	}
	return texts
}

// text is a scalar as text, and "" of anything else.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return string(v)
	case bool:
		return strconv.FormatBool(v)
	default:
		return ""
	}
}

// number is a number, or a text that holds one.
func number(v any) (float64, bool) {
	if _, isBool := v.(bool); isBool {
		return 0, false
	}
	n, err := strconv.ParseFloat(text(v), 64)
	return n, err == nil
}

var tlsMinor = regexp.MustCompile(`1[._-]?([0-3])(\D|$)`)

// tlsVersion ranks the version that values name: 13 for TLS 1.3, 0 for none or
// SSL, -1 where there is nothing to tell it by.
func tlsVersion(values []any) int {
	texts := appendTexts(nil, values)
	if len(texts) != 1 || len(texts[0]) > 64 {
		return -1
	}
	t := strings.ToLower(texts[0])
	tls := strings.Contains(t, "tls") || len(t) == len("1.2")
	if m := tlsMinor.FindStringSubmatch(t); m != nil && tls {
		return 10 + int(m[1][0]-'0')
	}
	switch {
	case strings.HasSuffix(t, "disabled"), strings.HasPrefix(t, "ssl"):
		return 0
	case t == "tls", strings.HasPrefix(t, "tlsv1"): // "TLSv1", and CloudFront's "TLSv1_2016"
		return 10
	default:
		return -1
	}
}
