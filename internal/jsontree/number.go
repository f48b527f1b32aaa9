package jsontree

import (
	"bytes"
	"strconv"
)

// maxExponentDigits keeps exponents inside an int64. No report of a real
// resource comes near it.
const maxExponentDigits = 17

// AppendDecimal appends the one way to write a JSON number's exact value that
// no other spelling of the value gives: 1, 1.0 and 10e-1 all become "1e0". An
// exponent beyond all reason is kept as it was written, so that no number can
// be made to take long.
func AppendDecimal(dst, number []byte) []byte {
	mantissa, exponent := number, int64(0)
	if i := bytes.IndexAny(number, "eE"); i >= 0 {
		digits := bytes.TrimLeft(number[i+1:], "+-0")
		if len(digits) > maxExponentDigits {
			return append(dst, number...)
		}
		for _, c := range digits {
			exponent = 10*exponent + int64(c-'0')
		}
		if number[i+1] == '-' {
			exponent = -exponent
		}
		mantissa = number[:i]
	}
	start := len(dst)
	if mantissa[0] == '-' {
		dst = append(dst, '-')
		mantissa = mantissa[1:]
	}
	digits := len(dst)
	for i, c := range mantissa {
		switch {
		case c == '.':
			exponent -= int64(len(mantissa) - i - 1)
		case c != '0' || len(dst) > digits:
			dst = append(dst, c)
		}
	}
	if len(dst) == digits {
		return append(dst[:start], "0e0"...) // no sign: -0 is 0
	}
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
		exponent++
	}
	return strconv.AppendInt(append(dst, 'e'), exponent, 10)
}

// SameNumber reports whether two JSON numbers have exactly the same value.
func SameNumber(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var x, y [64]byte
	return bytes.Equal(AppendDecimal(x[:0], a), AppendDecimal(y[:0], b))
}

// IsNumber reports whether text is what JSON calls a number.
func IsNumber(text []byte) bool {
	i := 0
	digits := func() bool {
		start := i
		for i < len(text) && '0' <= text[i] && text[i] <= '9' {
			i++
		}
		return i > start
	}
	if i < len(text) && text[i] == '-' {
		i++
	}
	if first := i; !digits() || text[first] == '0' && i > first+1 {
		return false
	}
	if i < len(text) && text[i] == '.' {
		i++
		if !digits() {
			return false
		}
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		if !digits() {
			return false
		}
	}
	return i == len(text) && i > 0
}
