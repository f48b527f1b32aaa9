package drift

import (
	"encoding/json"
	"testing"
)

func TestValue(t *testing.T) {
	tests := []struct {
		name         string
		value        Value
		json         string
		null, hidden bool
	}{
		{"zero", Value{}, `null`, true, false},
		{"shown null", Shown("null"), `null`, true, false},
		{"shown text", Shown(`"a"`), `"a"`, false, false},
		{"shown empty text", Shown(`""`), `""`, false, false},
		{"shown list", Shown(`[1,"(sensitive value)"]`), `[1,"(sensitive value)"]`, false, false},
		{"hidden", Hidden(), `"(sensitive value)"`, false, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := test.value
			if v.JSON() != test.json || v.String() != test.json {
				t.Errorf("JSON() = %s, String() = %s, want %s", v.JSON(), v.String(), test.json)
			}
			if v.IsNull() != test.null || v.IsHidden() != test.hidden {
				t.Errorf("IsNull() = %t, IsHidden() = %t, want %t, %t", v.IsNull(), v.IsHidden(), test.null, test.hidden)
			}
			if !json.Valid([]byte(v.JSON())) {
				t.Errorf("JSON() = %s, want valid JSON", v.JSON())
			}
		})
	}
}

func TestNullIsOneValue(t *testing.T) {
	if Shown("null") != (Value{}) {
		t.Error("Shown(null) differs from the zero Value, want the same")
	}
}
