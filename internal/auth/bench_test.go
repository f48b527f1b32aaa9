package auth_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/driftsentry/driftsentry/internal/auth"
)

// Both are on the way of every request.

func BenchmarkVerify(b *testing.B) {
	signer := auth.NewSigner(currentSecret, previousSecret, 15*time.Minute)
	token, _, err := signer.Issue(alice(), noon)
	if err != nil {
		b.Fatal(err)
	}
	text := token.Reveal()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := signer.Verify(text, noon); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyForged(b *testing.B) {
	signer := auth.NewSigner(currentSecret, nil, 15*time.Minute)
	token, _, err := auth.NewSigner(previousSecret, nil, 15*time.Minute).Issue(alice(), noon)
	if err != nil {
		b.Fatal(err)
	}
	text := token.Reveal()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := signer.Verify(text, noon); err == nil {
			b.Fatal("taken")
		}
	}
}

func BenchmarkParseAPIKey(b *testing.B) {
	key, _, _ := auth.NewAPIKey()
	text := key.Reveal()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := auth.ParseAPIKey(text); !ok {
			b.Fatal("refused")
		}
	}
}

func alice() *auth.Principal {
	return &auth.Principal{
		Kind: auth.KindUser, ID: uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057"), Name: "alice@example.com", Role: auth.Engineer,
		Session: uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8058"),
	}
}

var (
	noon           = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	currentSecret  = []byte("the current secret, 32 bytes long")
	previousSecret = []byte("the previous secret, 32 bytes long")
)
