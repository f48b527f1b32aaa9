package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/driftsentry/driftsentry/internal/postgres"
)

func (p process) auditCommand() *cobra.Command {
	audit := &cobra.Command{
		Use:   "audit",
		Short: "Check that nobody has touched the audit trail",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	audit.AddCommand(p.auditVerifyCommand())
	return audit
}

func (p process) auditVerifyCommand() *cobra.Command {
	var headAt string
	verify := &cobra.Command{
		Use:   "verify",
		Short: "Recompute the whole audit trail; exit code 1 when something in it is not the service's",
		Long: "Works on the database that DATABASE_URL names, and checks the signatures with the key of\n" +
			"JWT_SECRET or FINGERPRINT_KEY, so it believes neither the database nor the service.\n\n" +
			"Write the head down elsewhere: --head-at with its time gives the same one again, unless\n" +
			"the newest entries of then are gone.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := past(headAt, time.Now())
			if err != nil {
				return err
			}
			return p.withDatabase(cmd.Context(), func(ctx context.Context, db *postgres.DB, sealKey []byte) error {
				v, err := wholeTrail(ctx, db, sealKey, at)
				if err != nil {
					return plainly(err)
				}
				return p.showVerification(v)
			})
		},
	}
	verify.Flags().StringVar(&headAt, "head-at", "", "compute the head for this `time`, such as 2026-01-02T15:04:05.678Z; the default is some seconds ago")
	return verify
}

// past reads a time that is not to come; zero for none.
func past(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("--head-at %q is not a time such as 2026-01-02T15:04:05.678Z", text)
	}
	if at.After(now) {
		return time.Time{}, errors.New("--head-at is in the future")
	}
	return at, nil
}

// wholeTrail verifies part after part.
func wholeTrail(ctx context.Context, db *postgres.DB, sealKey []byte, headAt time.Time) (*postgres.Verification, error) {
	var keys [][]byte
	if sealKey != nil {
		keys = [][]byte{sealKey}
	}
	var all postgres.Verification
	for !all.Done {
		part, err := db.VerifyAudit(ctx, keys, postgres.VerifyQuery{After: all.Next, HeadAt: headAt})
		if err != nil {
			return nil, err
		}
		all.Add(part)
	}
	return &all, nil
}

// shownFlaws is how many flaws are shown: who has more has seen enough.
const shownFlaws = 100

func (p process) showVerification(v *postgres.Verification) error {
	verdict := "The audit trail is whole."
	if len(v.Flaws) > 0 {
		verdict = fmt.Sprintf("The audit trail is NOT as the service wrote it: %d flaws.", len(v.Flaws))
	}
	p.print("%s\n\n", verdict)
	for i, f := range v.Flaws {
		if i == shownFlaws {
			p.print("  … and %d more\n", len(v.Flaws)-i)
			break
		}
		p.print("  %s\n", flawLine(f))
	}
	if len(v.Flaws) > 0 {
		p.print("\n")
	}
	p.print("  events      %d\n  seals       %d\n", v.Events, v.Seals)
	signatures := "checked"
	switch {
	case !v.SignaturesChecked:
		signatures = "not checked: neither JWT_SECRET nor FINGERPRINT_KEY is set, so who wrote the trail is not known"
	case v.Unsigned > 0:
		signatures += fmt.Sprintf("; %d seals have none", v.Unsigned)
	}
	p.print("  signatures  %s\n  head        %x\n  at          %s, when there were %d seals in %d chains\n",
		signatures, v.Head.Digest, v.Head.At.Format("2006-01-02T15:04:05.000Z"), v.Head.Seals, v.Head.Chains)
	if len(v.Flaws) > 0 {
		return errReported
	}
	return nil
}

// flawLine names the place and what is wrong there. Whoever tampers may write
// anything into a chain's name.
func flawLine(f postgres.Flaw) string {
	var place []string
	if f.Chain != "" {
		place = append(place, "chain "+strings.Trim(strconv.QuoteToASCII(fmt.Sprintf("%.80s", f.Chain)), `"`), fmt.Sprintf("seal %d", f.Seq))
	} else if f.Seal != [16]byte{} {
		place = append(place, "seal "+f.Seal.String())
	}
	if f.Count > 1 {
		place = append(place, fmt.Sprintf("and %d more", f.Count-1))
	}
	if len(place) == 0 {
		return f.What
	}
	return strings.Join(place, ", ") + ": " + f.What
}
