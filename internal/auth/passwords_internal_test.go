package auth

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/driftsentry/driftsentry/internal/secret"
)

// gate is a hash that takes until somebody opens it, and counts.
type gate struct {
	open                chan struct{}
	running, most, done atomic.Int64
}

func (g *gate) hash(_, _ []byte, _, _ uint32, _ uint8, keyLen uint32) []byte {
	now := g.running.Add(1)
	for most := g.most.Load(); now > most && !g.most.CompareAndSwap(most, now); most = g.most.Load() {
	}
	<-g.open
	g.running.Add(-1)
	g.done.Add(1)
	return make([]byte, keyLen)
}

func TestPasswordsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const parallel, callers = 3, 20
		g := &gate{open: make(chan struct{})}
		p := NewPasswords(parallel)
		p.slow = g.hash

		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				var err error
				if i%2 == 0 {
					_, err = p.Hash(t.Context(), secret.New("violet teapot"))
				} else {
					_, _, err = p.Verify(t.Context(), "", secret.New("violet teapot"))
				}
				if err != nil {
					t.Errorf("call %d: %v", i, err)
				}
			})
		}
		synctest.Wait() // everybody is either hashing or waiting
		if got := g.running.Load(); got != parallel {
			t.Errorf("%d hash at once, want %d", got, parallel)
		}

		// Who is out of patience leaves the queue, and takes no slot along.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := p.Hash(ctx, secret.New("violet teapot")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Hash(a second's patience) = %v, want %v", err, context.DeadlineExceeded)
		}

		close(g.open)
		all.Wait()
		if most, done := g.most.Load(), g.done.Load(); most != parallel || done != callers {
			t.Errorf("%d of %d were hashed, %d at once, want all, %d at once", done, callers, most, parallel)
		}
		if len(p.slots) != 0 {
			t.Errorf("%d slots are still taken, want none", len(p.slots))
		}
	})
}

// A caller who has gone costs nothing, even while there are free slots.
func TestPasswordsOfCallersWhoHaveGone(t *testing.T) {
	t.Parallel()
	p := NewPasswords(8)
	p.slow = func(_, _ []byte, _, _ uint32, _ uint8, _ uint32) []byte {
		t.Error("hashed for nobody")
		return nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if _, _, err := p.Verify(ctx, "", secret.New("x")); !errors.Is(err, context.Canceled) {
			t.Fatalf("Verify(gone) = %v, want %v", err, context.Canceled)
		}
	}
}

// An attacker with a watch must not learn which accounts exist.
func TestUnknownAccountsCostTheSame(t *testing.T) {
	t.Parallel()
	type call struct {
		salt, sum    int
		time, memory uint32
		threads      uint8
	}
	var calls []call
	p := NewPasswords(1)
	p.slow = func(_, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte {
		calls = append(calls, call{len(salt), int(keyLen), time, memory, threads})
		return make([]byte, keyLen)
	}
	known := (&phc{cost: currentCost, salt: make([]byte, saltLength), sum: append(make([]byte, sumLength-1), 1)}).String()
	for _, stored := range []string{known, ""} {
		for _, password := range []string{"violet teapot", "", strings.Repeat("a", longestInput+1)} {
			if ok, rehash, err := p.Verify(t.Context(), stored, secret.New(password)); ok || rehash || err != nil {
				t.Errorf("Verify(%q, %.20q) = %v, %v, %v, want false", stored, password, ok, rehash, err)
			}
		}
	}
	want := call{16, 32, 2, 19456, 1}
	for i, got := range calls {
		if got != want {
			t.Errorf("call %d cost %+v, want %+v", i, got, want)
		}
	}
	if len(calls) != 6 {
		t.Errorf("%d hashes for 6 logins, want one each", len(calls))
	}
}

func TestNewPasswordsNeedsASlot(t *testing.T) {
	t.Parallel()
	for _, parallel := range []int{-1, 0, 1, 5} {
		if got, want := cap(NewPasswords(parallel).slots), max(parallel, 1); got != want {
			t.Errorf("NewPasswords(%d) has %d slots, want %d", parallel, got, want)
		}
	}
}

const goodPHC = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func TestParsePHC(t *testing.T) {
	t.Parallel()
	h, err := parsePHC(goodPHC)
	if err != nil || h.cost != currentCost || len(h.salt) != 16 || len(h.sum) != 32 || !h.isCurrent() || h.String() != goodPHC {
		t.Fatalf("parsePHC(%q) = %+v, %v, want our own", goodPHC, h, err)
	}
	for from, to := range map[string]string{
		"m=19456": "m=12288", "t=2": "t=3", "p=1": "p=4", "$AAAAAAAAAAAAAAAAAAAAAA$": "$AAAAAAAAAAA$",
	} {
		text := strings.Replace(goodPHC, from, to, 1)
		if h, err := parsePHC(text); err != nil || h.isCurrent() || h.String() != text {
			t.Errorf("parsePHC(%q) = %+v, %v, want a good one that is not ours", text, h, err)
		}
	}
}

// Whoever writes to the database must not get a login that takes all memory, or
// a hash that any password is.
func TestParsePHCRefuses(t *testing.T) {
	t.Parallel()
	bad := []string{
		"x", "$", "$$$$$", "hunter2", "$2b$12$C6UzMDM.H6dfI/f/IKcEeO7ZmT6b3ZcGgQ9Z6u8sT0mQd8Q9mYv7e", goodPHC + "$", goodPHC + "\n", " " + goodPHC, "$argon2id" + goodPHC,
		strings.Repeat("$", 1<<20), goodPHC + strings.Repeat("A", 1<<20),
	}
	for _, change := range []struct{ from, to string }{
		{"argon2id", "argon2i"},
		{"argon2id", "argon2d"},
		{"argon2id", "ARGON2ID"},
		{"v=19", "v=16"},
		{"v=19", "v=019"},
		{"v=19", ""},
		{"m=19456", "m=65537"},
		{"m=19456", "m=4294967295"},
		{"m=19456", "m=4294967296"},
		{"m=19456", "m=99999999999999999999"},
		{"m=19456", "m=0"},
		{"m=19456", "m=7"},
		{"m=19456", "m=-1"},
		{"m=19456", "m=+19456"},
		{"m=19456", "m=019456"},
		{"m=19456", "m="},
		{"m=19456", "19456"},
		{"m=19456", "M=19456"},
		{"t=2", "t=0"},
		{"t=2", "t=11"},
		{"t=2", "t=2.0"},
		{"p=1", "p=0"},
		{"p=1", "p=5"},
		{"p=1", "p=256"},
		{"p=1", "p=257"},
		{"m=19456,t=2,p=1", "t=2,m=19456,p=1"},
		{"m=19456,t=2,p=1", "m=19456,t=2"},
		{"p=1", "p=1,data=AA"},
		{",t=2", ", t=2"},
		{"$AAAAAAAAAAAAAAAAAAAAAA$", "$$"},
		{"$AAAAAAAAAAAAAAAAAAAAAA$", "$AAAAAAAAA$"},
		{"$AAAAAAAAAAAAAAAAAAAAAA$", "$AAAAAAAAAAAAAAAAAAAAAB$"},
		{"$AAAAAAAAAAAAAAAAAAAAAA$", "$AAAAAAAAAAAAAAAAAAAAAA==$"},
		{"$AAAAAAAAAAAAAAAAAAAAAA$", "$AAAAAAAAAAAAAAAAAAAAA!$"},
		{"$AAAAAAAAAAAAAAAAAAAAAA$", "$" + strings.Repeat("A", 88) + "$"},
		{"$" + strings.Repeat("A", 43), "$"},
		{"$" + strings.Repeat("A", 43), "$AAAA"},
		{"$" + strings.Repeat("A", 43), "$" + strings.Repeat("A", 88)},
	} {
		text := strings.Replace(goodPHC, change.from, change.to, 1)
		if text == goodPHC {
			t.Fatalf("%q is not in %q", change.from, goodPHC)
		}
		bad = append(bad, text)
	}
	p := NewPasswords(1)
	p.slow = func(_, _ []byte, _, _ uint32, _ uint8, _ uint32) []byte {
		t.Error("hashed by hostile parameters")
		return nil
	}
	for _, text := range bad {
		ok, rehash, err := p.Verify(t.Context(), text, secret.New("violet teapot"))
		if ok || rehash || !errors.Is(err, errPHC) {
			t.Errorf("Verify(%.100q) = %v, %v, %v, want %v", text, ok, rehash, err, errPHC)
		} else if len(text) > 10 && strings.Contains(err.Error(), text[:10]) {
			t.Errorf("Verify(%.100q) quotes what is stored: %v", text, err)
		}
	}
}

func FuzzParsePHC(f *testing.F) {
	for _, text := range []string{
		goodPHC, "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "", "$", "$$$$$", "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parsePHC(text)
		if err != nil {
			if !errors.Is(err, errPHC) || h != nil {
				t.Fatalf("parsePHC(%q) = %+v, %v", text, h, err)
			}
			return
		}
		if h.String() != text { // one spelling for each hash
			t.Fatalf("parsePHC(%q) = %+v, which is spelled %q", text, h, h)
		}
		if h.memory < 8*uint32(h.threads) || h.memory > mostMemory || h.time < 1 || h.time > mostTime || h.threads < 1 || h.threads > mostThreads ||
			len(h.salt) < 8 || len(h.salt) > mostBytes || len(h.sum) < 16 || len(h.sum) > mostBytes {
			t.Fatalf("parsePHC(%q) = %+v, which is out of bounds", text, h)
		}
	})
}
