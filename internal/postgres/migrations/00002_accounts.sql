-- +goose Up

CREATE TABLE users (
    id            uuid PRIMARY KEY,
    email         text COLLATE "C" NOT NULL,
    role          text NOT NULL CHECK (role IN ('admin', 'engineer', 'viewer')),
    -- A PHC string; it names its own algorithm and parameters.
    password_hash text NOT NULL CHECK (password_hash <> ''),
    created_at    timestamptz NOT NULL,
    disabled_at   timestamptz,
    last_login_at timestamptz,
    CONSTRAINT users_email_check CHECK (octet_length(email) BETWEEN 3 AND 254)
);
-- Users are disabled and never deleted, so an address names one person for ever.
CREATE UNIQUE INDEX users_email_key ON users (lower(email));

-- One login and everything it was refreshed to.
CREATE TABLE sessions (
    id             uuid PRIMARY KEY,
    user_id        uuid NOT NULL REFERENCES users (id),
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    revoked_at     timestamptz,
    revoked_why    text,
    client_address text,
    user_agent     text
);
CREATE INDEX sessions_of_user ON sessions (user_id) WHERE revoked_at IS NULL;
CREATE INDEX sessions_expired ON sessions (expires_at);

-- A token that was used stays, so that using it again is noticed.
CREATE TABLE refresh_tokens (
    hash       bytea PRIMARY KEY CHECK (length(hash) = 32),
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_expired ON refresh_tokens (expires_at);

CREATE TABLE api_keys (
    id           uuid PRIMARY KEY,
    name         text NOT NULL,
    -- The part of the key that may be shown, to recognise it by.
    prefix       text NOT NULL,
    hash         bytea NOT NULL CHECK (length(hash) = 32),
    role         text NOT NULL CHECK (role IN ('admin', 'engineer', 'viewer', 'ingest')),
    -- The pattern of the stacks it is for; NULL is every stack.
    stacks       text CHECK (stacks <> ''),
    created_at   timestamptz NOT NULL,
    created_by   text NOT NULL,
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    CONSTRAINT api_keys_hash_key UNIQUE (hash),
    CONSTRAINT api_keys_name_check CHECK (octet_length(name) BETWEEN 1 AND 200)
);
-- The audit trail names keys, so a name means one of them at a time.
CREATE UNIQUE INDEX api_keys_live_name ON api_keys (name) WHERE revoked_at IS NULL;

-- How often logins were tried lately, per account and per address; throttle.go
-- has the rule. Subjects are hashes: what was typed instead of an e-mail may be
-- a password.
CREATE TABLE login_throttles (
    subject  bytea PRIMARY KEY CHECK (length(subject) = 32),
    attempts integer NOT NULL CHECK (attempts >= 0),
    last_at  timestamptz NOT NULL,
    -- The attempt whose wait the audit trail tells of, once and not per refusal.
    told_at  timestamptz
);
CREATE INDEX login_throttles_last ON login_throttles (last_at);

-- Which rejections end when.
CREATE INDEX drifts_quiet ON drifts (quiet_until) WHERE quiet_until IS NOT NULL;

-- A few actions more. What is there satisfies the narrower list, so nothing is read.
ALTER TABLE events DROP CONSTRAINT events_action_check;
ALTER TABLE events ADD CONSTRAINT events_action_check CHECK (action IN (
    'detected', 'changed', 'moved', 'reopened', 'resolved', 'triaged', 'approved', 'rejected',
    'logged_in', 'login_failed', 'logged_out', 'token_reused', 'user_created', 'user_disabled', 'user_enabled', 'user_role_changed',
    'password_changed', 'api_key_created', 'api_key_revoked', 'log_level_changed')) NOT VALID;

-- The audit trail is sealed: seal.go says how. The events there are already get
-- one seal together. A constant default for existing rows costs nothing however
-- many there are; new rows have none, as forgetting it must be noticed. What the
-- previous release writes from here on has no seal either, and verification
-- says so: let it run no longer than the new one needs to take over.
ALTER TABLE events ADD COLUMN seal_id uuid DEFAULT '00000000-0000-7000-8000-000000000001';
ALTER TABLE events ALTER COLUMN seal_id DROP DEFAULT;

-- What there is under a seal. Without the id, which would make it five times
-- as expensive to keep: equal keys share an entry.
CREATE INDEX events_seal ON events (seal_id);
-- The trail by what, who and where: auditstatement.go says how they are used.
-- What was detected is found through the drifts: each index more on those
-- events costs an upload two or three percent.
CREATE INDEX events_action ON events (action, id) WHERE action <> 'detected';
CREATE INDEX events_actor ON events (actor, action, id) WHERE action <> 'detected';
CREATE INDEX events_stack ON events (stack_id, action, id) WHERE action <> 'detected';
CREATE INDEX scans_uploader ON scans (uploaded_by, id) WHERE detected > 0;

CREATE TABLE audit_seals (
    chain         text COLLATE "C" NOT NULL CHECK (chain <> ''),
    seq           bigint NOT NULL CHECK (seq > 0),
    id            uuid NOT NULL,
    at            timestamptz NOT NULL,
    events        bigint NOT NULL CHECK (events > 0),
    events_digest bytea NOT NULL CHECK (length(events_digest) = 32),
    -- The digest of the chain's seal before this one. For the first that of the
    -- chain 'before', or zeros where there is none.
    previous      bytea NOT NULL CHECK (length(previous) = 32),
    digest        bytea NOT NULL CHECK (length(digest) = 32),
    -- NULL when whoever wrote this had no key.
    key_id        text,
    mac           bytea CHECK (length(mac) = 32),
    PRIMARY KEY (chain, seq),
    CONSTRAINT audit_seals_id_key UNIQUE (id),
    CONSTRAINT audit_seals_signed_check CHECK ((key_id IS NULL) = (mac IS NULL))
);
CREATE TRIGGER audit_seals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What seal.go computes, once in SQL.
INSERT INTO audit_seals (chain, seq, id, at, events, events_digest, previous, digest)
SELECT 'before', 1, s.id, s.at, s.events, s.events_digest, s.previous,
    sha256(convert_to('driftsentry seal v1', 'UTF8') || s.previous
        || int8send(octet_length('before')) || convert_to('before', 'UTF8') || int8send(1) || uuid_send(s.id)
        || int8send((extract(epoch FROM s.at) * 1000000)::bigint) || int8send(s.events) || s.events_digest)
FROM (
    SELECT '00000000-0000-7000-8000-000000000001'::uuid AS id, date_trunc('milliseconds', clock_timestamp()) AS at,
        count(*) AS events, decode(repeat('00', 32), 'hex') AS previous,
        sha256(string_agg(sha256(record_send(ROW(e.id, e.at, e.stack_id, e.drift_id, e.scan_id, e.action, e.actor,
            e.from_status, e.to_status, e.reason, e.until, e.detail, e.correlation_id, e.trace_id, e.span_id,
            e.client_address, e.user_agent))), ''::bytea ORDER BY e.id)) AS events_digest
    FROM events e
) AS s
WHERE s.events > 0;
