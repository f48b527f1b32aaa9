package terraform

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/driftsentry/driftsentry/internal/jsontree"
)

// fullAddress is the resource's address, which Terraform 1.0.0 left out of
// drift, so that it must be built of its parts.
func (e *entry) fullAddress() (string, error) {
	var address string
	switch {
	case len(e.address) > len(`""`):
		address = contents(e.address)
	case e.kind == nil || e.name == nil:
		return "", flawed("has neither an address nor a type and a name")
	default:
		if module := contents(e.moduleAddress); module != "" {
			address = module + "."
		}
		address += contents(e.kind) + "." + contents(e.name)
		switch jsontree.KindOf(e.index) {
		case jsontree.Number:
			address += "[" + string(e.index) + "]"
		case jsontree.String:
			address += "[" + quoteIndex(contents(e.index)) + "]"
		}
	}
	if e.deposed != nil {
		address += " (deposed object " + contents(e.deposed) + ")"
	}
	if address = printable(address); len(address) > maxAddress {
		return "", flawed("has an address of more than " + strconv.Itoa(maxAddress) + " bytes")
	}
	return address, nil
}

// What is longer is no address or type that anybody wrote, and cannot be kept.
const (
	maxAddress = 2000
	maxType    = 200
)

// resourceType is the type of the resource, as it says or as its address does.
func (e *entry) resourceType(address string) (string, error) {
	kind := printable(contents(e.kind))
	if kind == "" {
		kind = typeIn(address)
	}
	if kind == "" || len(kind) > maxType {
		return "", flawed("has no type of at most " + strconv.Itoa(maxType) + " bytes")
	}
	return kind, nil
}

// typeIn is the type in an address: of module.a["x.y"].aws_vpc.main[0] all
// brackets go, then it is the last part but one.
func typeIn(address string) string {
	var plain strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(address); i++ {
		switch c := address[i]; {
		case quoted && c == '\\':
			i++
		case depth > 0 && c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			depth++
		case c == ']' && depth > 0:
			depth--
		case depth == 0:
			plain.WriteByte(c)
		}
	}
	parts := strings.Split(plain.String(), ".")
	if len(parts) < 2 {
		return ""
	}
	return parts[len(parts)-2]
}

// contents is the contents of a JSON string, empty when it is not there.
func contents(quoted []byte) string {
	if quoted == nil {
		return ""
	}
	return string(jsontree.Unquote(quoted))
}

// quoteIndex writes a for_each key as Terraform does in addresses.
func quoteIndex(key string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range key {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case (r == '$' || r == '%') && strings.HasPrefix(key[i+1:], "{"):
			b.WriteRune(r)
			b.WriteRune(r)
		case !unicode.IsPrint(r) && r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// printable is text with its control characters escaped, which belong in no
// log line, and NUL in no database.
func printable(text string) string {
	if !strings.ContainsFunc(text, unicode.IsControl) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unicode.IsControl(r) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
