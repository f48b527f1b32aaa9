package httpapi_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/driftsentry/driftsentry/internal/auth"
	"github.com/driftsentry/driftsentry/internal/httpapi"
	"github.com/driftsentry/driftsentry/internal/postgres/pgtest"
)

// verificationOf is what GET /api/v1/audit/verify answers.
type verificationOf struct {
	OK, SignaturesChecked    bool
	Seals, Unsigned, Foreign int
	Flaws                    []struct {
		Kind, What string
		Chain      *string
		Seq        *int
		Count      int
	}
	Head *struct{ At, Digest string }
}

// TestAForgedEntryIsNotOK adds an event, and a seal that nobody signed, as
// whoever can write to the database can.
func TestAForgedEntryIsNotOK(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	h := &house{Server: newServer(t, database), t: t}
	h = h.as(h.key(auth.Admin, ""))
	if v := get[verificationOf](h, "/api/v1/audit/verify"); !v.OK || !v.SignaturesChecked || v.Seals == 0 || v.Head == nil {
		t.Errorf("verification = %+v, want an untouched trail whole, with its signatures checked", v)
	}
	for _, sql := range []string{
		`INSERT INTO events (id, at, action, actor, correlation_id, seal_id)
			VALUES (gen_random_uuid(), now(), 'approved', 'user:mallory@example.com', '', '01936000-0000-7000-8000-00000000000a')`,
		`INSERT INTO audit_seals SELECT 'mine', 1, s.id, s.at, 1, s.events_digest, s.previous, sha256(convert_to('driftsentry seal v1', 'UTF8') || s.previous
				|| int8send(4) || convert_to('mine', 'UTF8') || int8send(1) || uuid_send(s.id)
				|| int8send((extract(epoch FROM s.at) * 1000000)::bigint) || int8send(1) || s.events_digest)
			FROM (SELECT '01936000-0000-7000-8000-00000000000a'::uuid AS id, date_trunc('milliseconds', now()) AS at,
				decode(repeat('00', 32), 'hex') AS previous, (SELECT sha256(string_agg(sha256(record_send(ROW(e.id, e.at, e.stack_id,
					e.drift_id, e.scan_id, e.action, e.actor, e.from_status, e.to_status, e.reason, e.until, e.detail, e.correlation_id,
					e.trace_id, e.span_id, e.client_address, e.user_agent))), ''::bytea ORDER BY e.id))
				FROM events e WHERE e.seal_id = '01936000-0000-7000-8000-00000000000a') AS events_digest) AS s`,
	} {
		pgtest.Exec(t, database, sql)
	}
	v := get[verificationOf](h, "/api/v1/audit/verify")
	if v.OK || v.Unsigned != 1 || len(v.Flaws) != 2 || v.Flaws[0].Kind != "chain_unknown" || v.Flaws[1].Kind != "seal_unsigned" ||
		v.Flaws[1].Chain == nil || *v.Flaws[1].Chain != "mine" || v.Flaws[1].Count != 1 {
		t.Errorf("verification of a forged entry = %+v, want its chain and its missing signature told", v)
	}
}

// TestWithoutAKeyTheAnswerSaysSo: in development nothing may be signed.
func TestWithoutAKeyTheAnswerSaysSo(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *httpapi.Options) { o.SealKey = nil })
	if v := get[verificationOf](h, "/api/v1/audit/verify"); !v.OK || v.SignaturesChecked || v.Seals == 0 {
		t.Errorf("verification without a key = %+v, want no flaw, and that signatures were not checked", v)
	}
}

func TestAHeadIsOfThePast(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	at := func(shift time.Duration) string {
		return "/api/v1/audit/verify?headAt=" + url.QueryEscape(time.Now().Add(shift).Format(time.RFC3339))
	}
	h.do(http.MethodGet, at(time.Hour), "").refused(400, "VALIDATION_ERROR", "future")
	if v := get[verificationOf](h, at(-time.Hour)); v.Head == nil {
		t.Errorf("verification = %+v, want the head of an hour ago", v)
	}
}
