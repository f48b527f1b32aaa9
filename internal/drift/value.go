package drift

// HiddenText stands where a hidden value inside a shown one would be. It is
// how Terraform prints such values.
const HiddenText = "(sensitive value)"

// Value is one side of a change: JSON that may be shown, or the knowledge that
// something is there which may not. There is no way to make one that holds a
// secret and gives it back. The zero Value is JSON null.
type Value struct {
	json   string // "" is null
	hidden bool
}

// Shown is a value that anybody may read. text must be valid JSON in which
// every secret has already been replaced by HiddenText.
func Shown(text string) Value {
	if text == "null" {
		text = ""
	}
	return Value{json: text}
}

// Hidden is a value that is there and may not be shown. That two hidden values
// differ is in their drift's Fingerprint.
func Hidden() Value { return Value{hidden: true} }

// IsHidden reports whether the value may not be shown.
func (v Value) IsHidden() bool { return v.hidden }

// IsNull reports whether there is no value.
func (v Value) IsNull() bool { return v.json == "" && !v.hidden }

// JSON is the value as JSON text; a hidden one reads as HiddenText.
func (v Value) JSON() string {
	switch {
	case v.hidden:
		return `"` + HiddenText + `"`
	case v.json == "":
		return "null"
	default:
		return v.json
	}
}

// String is JSON, so that a Value prints as what it may show.
func (v Value) String() string { return v.JSON() }
