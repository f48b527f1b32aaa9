package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/driftsentry/driftsentry/internal/secret"
)

// longestInput is in bytes, and far more than [CheckPassword] lets pass. It
// keeps a login with a whole request body as its password cheap.
const longestInput = 1024

// Passwords hashes and checks passwords with Argon2id. A hash takes 19 MiB and
// tens of milliseconds of one core, so only so many run at once: the rest waits,
// and a flood of logins starves neither memory nor other requests. It is safe
// for concurrent use.
type Passwords struct {
	slots chan struct{}
	// slow is argon2.IDKey, but for tests that count how many run at once.
	slow func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte
}

// NewPasswords hashes at most parallel passwords at once, one at least.
func NewPasswords(parallel int) *Passwords {
	return &Passwords{slots: make(chan struct{}, max(parallel, 1)), slow: argon2.IDKey}
}

// Hash returns what to keep of a password: a PHC string with a fresh salt. It
// waits for its turn as long as ctx allows. It asks nothing of the password but
// to be no document; [CheckPassword] has the rules.
func (p *Passwords) Hash(ctx context.Context, password secret.String) (string, error) {
	if len(password.Reveal()) > longestInput {
		return "", errors.New("hash a password: it is too long to be one")
	}
	h := phc{cost: currentCost, salt: make([]byte, saltLength), sum: make([]byte, sumLength)}
	rand.Read(h.salt) // it never fails: it would end the process instead
	sum, err := p.sum(ctx, &h, password)
	if err != nil {
		return "", err
	}
	h.sum = sum
	return h.String(), nil
}

// Verify reports whether the PHC string was made from password, and if so whether
// to hash it anew because we have since changed what a hash costs. It waits for
// its turn as long as ctx allows.
//
// An empty PHC string stands for an account that does not exist: it is never
// right, and finding that out takes as long as a wrong password. Any other text
// that is no PHC string is an error, as it came from our own database.
func (p *Passwords) Verify(ctx context.Context, phcText string, password secret.String) (ok, rehash bool, err error) {
	stored := &phc{cost: currentCost, salt: make([]byte, saltLength), sum: make([]byte, sumLength)}
	known := phcText != ""
	if known {
		if stored, err = parsePHC(phcText); err != nil {
			return false, false, fmt.Errorf("verify a password: %w", err)
		}
	}
	if len(password.Reveal()) > longestInput {
		// Never anybody's password, but as slow to refuse as any other.
		password, known = secret.String{}, false
	}
	sum, err := p.sum(ctx, stored, password)
	if err != nil {
		return false, false, err
	}
	equal := subtle.ConstantTimeCompare(sum, stored.sum) == 1
	ok = equal && known
	return ok, ok && !stored.isCurrent(), nil
}

// sum is the hash of password with h's cost and salt, as long as h's own.
func (p *Passwords) sum(ctx context.Context, h *phc, password secret.String) ([]byte, error) {
	if ctx.Err() != nil { // select would toss a coin
		return nil, fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
	defer func() { <-p.slots }()
	return p.slow([]byte(normal(password.Reveal())), h.salt, h.time, h.memory, h.threads, uint32(len(h.sum))), nil
}

// normal is the one spelling of a password: keyboards and systems differ in how
// they compose é, and people cannot see it (NIST SP 800-63B, section 3.1.1.2).
func normal(password string) string { return norm.NFKC.String(password) }

// NewPassword makes one for an account whose owner gave none: 100 random bits in
// four groups of five small letters and digits, none of them 0, 1, 8 or 9. It
// begins with dsp_, by which redact.Text knows one that was pasted somewhere.
func NewPassword() secret.String {
	text := strings.ToLower(rand.Text())
	return secret.New("dsp_" + text[0:5] + "-" + text[5:10] + "-" + text[10:15] + "-" + text[15:20])
}
