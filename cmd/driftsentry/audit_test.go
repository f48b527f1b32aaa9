package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

// TestAuditVerify checks a trail that commands have written, then one that
// somebody has changed.
func TestAuditVerify(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	env := []string{"DATABASE_URL=" + database, "JWT_SECRET=" + strings.Repeat("0123456789abcdef", 3)}
	if code, _, errs := command(t, env, "user", "create", "--email", "root@example.com", "--role", "admin"); code != exitOK {
		t.Fatalf("user create = %d\n%s", code, errs)
	}
	apiKey(t, env, "ingest")

	code, out, errs := command(t, env, "audit", "verify")
	report := regexp.MustCompile(`(?s)^The audit trail is whole\.\n\n  events      2\n  seals       2\n  signatures  checked\n` +
		`  head        ([0-9a-f]{64})\n  at          (\S+Z), when there were \d seals in \d chains\n$`).FindStringSubmatch(out)
	if code != exitOK || report == nil || errs != "" {
		t.Fatalf("audit verify = %d\n%s%s", code, out, errs)
	}
	if code, out, errs := command(t, env, "audit", "verify", "--head-at", report[2]); code != exitOK || !strings.Contains(out, report[1]) {
		t.Errorf("audit verify --head-at %s = %d\n%s%s\nwant the same head", report[2], code, out, errs)
	}
	for _, at := range []string{"yesterday", time.Now().Add(time.Hour).Format(time.RFC3339)} {
		if code, out, errs := command(t, env, "audit", "verify", "--head-at", at); code != exitFailure || out != "" || !strings.Contains(errs, "--head-at") {
			t.Errorf("audit verify --head-at %s = %d\n%s%s\nwant it refused", at, code, out, errs)
		}
	}
	other := []string{env[0], "JWT_SECRET=" + strings.Repeat("fedcba9876543210", 3)}
	if code, out, errs := command(t, other, "audit", "verify"); code != exitFailure || strings.Count(out, "which is not the service's") != 1 ||
		!strings.Contains(out, "and 1 more: ") || errs != "" {
		t.Errorf("audit verify with another key = %d\n%s%s\nwant one flaw of two seals", code, out, errs)
	}

	pgtest.Exec(t, database, `ALTER TABLE events DISABLE TRIGGER ALL; UPDATE events SET user_agent = 'nobody' WHERE action = 'user_created'`)
	code, out, errs = command(t, env, "audit", "verify")
	if code != exitFailure || !strings.HasPrefix(out, "The audit trail is NOT as the service wrote it: 2 flaws.\n\n  chain account:") ||
		!strings.Contains(out, "are other ones") || !strings.Contains(out, "events_append_only") || errs != "" {
		t.Errorf("audit verify of a changed trail = %d\n%s%s\nwant 1, the event and the trigger", code, out, errs)
	}
}

// TestCommandsDoNotWriteUnsignedAfterSigned: it would look forged ever after.
func TestCommandsDoNotWriteUnsignedAfterSigned(t *testing.T) {
	t.Parallel()
	bare := []string{"DATABASE_URL=" + pgtest.URL(t)}
	create := func(env []string, name string) (int, string) {
		code, _, errs := command(t, env, "apikey", "create", "--name", name, "--role", "viewer")
		return code, errs
	}
	// With no secret anywhere, as in development, there is nothing to sign with.
	if code, errs := create(bare, "first"); code != exitOK {
		t.Fatalf("apikey create without a secret = %d\n%s", code, errs)
	}
	if code, out, errs := command(t, bare, "audit", "verify"); code != exitOK || !strings.Contains(out, "signatures  not checked") {
		t.Errorf("audit verify without a secret = %d\n%s%s\nwant 0, and that signatures were not checked", code, out, errs)
	}
	signed := append([]string{"FINGERPRINT_KEY=" + strings.Repeat("0123456789abcdef", 3)}, bare...)
	if code, errs := create(signed, "second"); code != exitOK {
		t.Fatalf("apikey create with FINGERPRINT_KEY = %d\n%s", code, errs)
	}
	for _, args := range []string{"user create --email a@example.com", "apikey create --name third", "audit verify"} {
		code, out, errs := command(t, bare, strings.Fields(args)...)
		if code != exitFailure || out != "" || !strings.Contains(errs, "JWT_SECRET") || !strings.Contains(errs, "FINGERPRINT_KEY") {
			t.Errorf("%s without a secret = %d\n%s%s\nwant 1 and the variables named", args, code, out, errs)
		}
	}
	if code, out, _ := command(t, signed, "apikey", "list"); code != exitOK || strings.Contains(out, "third") {
		t.Errorf("apikey list = %d\n%s\nwant no third key", code, out)
	}
}

// TestWhoRanACommandIsRemembered, and not what it was given.
func TestWhoRanACommandIsRemembered(t *testing.T) {
	t.Parallel()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"user disable root@example.com": "driftsentry user disable (os user ",
		"apikey revoke dsk_00000000":    "driftsentry apikey revoke (os user ",
		"demo --port 0":                 "driftsentry demo (os user ",
		"--help user":                   "driftsentry (os user ",
		"":                              "driftsentry (os user ",
	} {
		by := process{args: strings.Fields(args)}.operator()
		who, found := strings.CutPrefix(by.UserAgent, want)
		if by.Name != "operator" || !found || !strings.HasSuffix(who, " on host "+host+")") || strings.HasPrefix(who, " ") {
			t.Errorf("operator() of %q = %+v, want %q, a user and this host", args, by, want)
		}
	}
	database := pgtest.URL(t)
	apiKey(t, []string{"DATABASE_URL=" + database}, "ingest")
	if all := pgtest.Dump(t, database); !strings.Contains(all, "driftsentry apikey create (os user ") {
		t.Errorf("the database does not know of the command:\n%s", all)
	}
}
