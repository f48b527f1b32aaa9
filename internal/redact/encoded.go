package redact

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"unicode/utf8"
)

// maxUnpacked is how much of a compressed document is looked at.
const maxUnpacked = 1 << 20

// decodeBase64 is what a run of base64 characters encodes, nil when it does not
// encode anything. It takes both alphabets, padded or not.
func decodeBase64(run []byte) []byte {
	run = bytes.TrimRight(run, "=")
	if len(run)%4 == 1 {
		return nil
	}
	encoding := base64.RawStdEncoding
	if bytes.ContainsAny(run, "-_") {
		encoding = base64.RawURLEncoding
	}
	decoded := make([]byte, encoding.DecodedLen(len(run)))
	n, err := encoding.Decode(decoded, run)
	if err != nil {
		return nil
	}
	return decoded[:n]
}

// unpack is the document in compressed data, and data itself when it is not
// compressed.
func unpack(data []byte) []byte {
	if len(data) < 18 || data[0] != 0x1f || data[1] != 0x8b {
		return data
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return data
	}
	// A document cut short is still worth looking at.
	document, err := io.ReadAll(io.LimitReader(r, maxUnpacked))
	if err != nil && len(document) == 0 {
		return data
	}
	return document
}

// isText reports whether data is something people read.
func isText(data []byte) bool {
	if len(data) == 0 || !utf8.Valid(data) {
		return false
	}
	for _, c := range data {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// derKind is what binary data in ASN.1 is.
type derKind uint8

const (
	notDER derKind = iota
	derPublic
	derPrivate
)

// derOf tells keys from certificates by how they begin: a certificate or public
// key is a sequence that starts with a sequence or a big number, a private key
// one that starts with a small version number.
func derOf(data []byte) derKind {
	if len(data) < 16 || data[0] != 0x30 {
		return notDER
	}
	i := 2
	if data[1]&0x80 != 0 {
		i += int(data[1] & 0x7f)
	}
	if i+3 >= len(data) || i > 6 {
		return notDER
	}
	switch inside := data[i:]; {
	case inside[0] == 0x30:
		return derPublic
	case inside[0] == 0x02 && inside[1] == 1 && inside[2] <= 3:
		return derPrivate
	case inside[0] == 0x02 && inside[1] >= 0x40:
		return derPublic
	}
	return notDER
}

var (
	pemBegin      = []byte("-----BEGIN ")
	pemEnd        = []byte("-----END ")
	pemPrivateKey = []byte("PRIVATE KEY")
)

// nextPEM finds the first PEM block at or after from. A block without an end
// goes on to the end of the text.
func nextPEM(text []byte, from int) (start, end int, private bool) {
	i := bytes.Index(text[from:], pemBegin)
	if i < 0 {
		return -1, -1, false
	}
	start = from + i
	label := text[start+len(pemBegin):]
	if n := bytes.Index(label, []byte("--")); n >= 0 {
		label = label[:n]
	}
	private = bytes.Contains(label, pemPrivateKey)
	end = len(text)
	if n := bytes.Index(text[start:], pemEnd); n >= 0 {
		end = start + n + len(pemEnd)
		if n := bytes.Index(text[end:], []byte("-----")); n >= 0 {
			end += n + len("-----")
		}
	}
	return start, end, private
}
