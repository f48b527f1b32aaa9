package auth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// cost is what one hash takes.
type cost struct {
	memory  uint32 // KiB
	time    uint32 // passes over it
	threads uint8
}

// currentCost is OWASP's recommendation for Argon2id: 19 MiB, two passes.
// https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
var currentCost = cost{memory: 19 << 10, time: 2, threads: 1}

const (
	saltLength = 16
	sumLength  = 32
)

// The most that a stored hash may ask for. Whoever can write to the database
// must not be able to make one login take all memory or a minute.
const (
	mostMemory  = 64 << 10 // KiB
	mostTime    = 10
	mostThreads = 4
	mostBytes   = 64 // of salt and hash
)

// phc is a hash in the PHC string format, with what it was made of:
// "$argon2id$v=19$m=19456,t=2,p=1$salt$hash".
// https://github.com/P-H-C/phc-string-format
type phc struct {
	cost

	salt, sum []byte
}

// errPHC does not quote the text: it is what an offline attack starts from.
var errPHC = errors.New("what is stored is no Argon2id hash within bounds")

func parsePHC(text string) (*phc, error) {
	const longest = 256 // the largest within bounds has about 210 bytes
	if len(text) > longest {
		return nil, errPHC
	}
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return nil, errPHC
	}
	var h phc
	numbers := strings.Split(parts[3], ",")
	if len(numbers) != 3 {
		return nil, errPHC
	}
	memory, goodMemory := number(numbers[0], "m=", mostMemory)
	time, goodTime := number(numbers[1], "t=", mostTime)
	threads, goodThreads := number(numbers[2], "p=", mostThreads)
	if !goodMemory || !goodTime || !goodThreads || memory < 8*threads { // RFC 9106, section 3.1
		return nil, errPHC
	}
	h.cost = cost{memory: uint32(memory), time: uint32(time), threads: uint8(threads)}

	var err1, err2 error
	h.salt, err1 = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	h.sum, err2 = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(h.salt) < 8 || len(h.salt) > mostBytes || len(h.sum) < 16 || len(h.sum) > mostBytes {
		return nil, errPHC
	}
	if h.String() != text { // leading zeros, line breaks: none of ours
		return nil, errPHC
	}
	return &h, nil
}

// number is the one after name, from 1 to most.
func number(text, name string, most uint64) (uint64, bool) {
	digits, ok := strings.CutPrefix(text, name)
	n, err := strconv.ParseUint(digits, 10, 32)
	return n, ok && err == nil && n >= 1 && n <= most
}

func (h *phc) String() string {
	encoding := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.time, h.threads,
		encoding.EncodeToString(h.salt), encoding.EncodeToString(h.sum))
}

// isCurrent reports whether we would make the hash like this today.
func (h *phc) isCurrent() bool {
	return h.cost == currentCost && len(h.salt) == saltLength && len(h.sum) == sumLength
}
