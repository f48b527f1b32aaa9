-- +goose Up

-- Trigrams serve the search in addresses and cloud ids. Some managed servers
-- refuse the extension; the search works without it, only slower.
-- +goose StatementBegin
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'pg_trgm is not available (%): searching drifts will be slower', SQLERRM;
END
$$;
-- +goose StatementEnd

-- Names and addresses sort by byte ("C"): the same on every server, whatever
-- its locale, which is what a cursor needs; and cheaper.

CREATE TABLE stacks (
    id               uuid PRIMARY KEY,
    name             text COLLATE "C" NOT NULL,
    created_at       timestamptz NOT NULL,
    -- How fresh our knowledge is; written by every scan, so that listing stacks
    -- reads one table.
    last_scan_id     uuid,
    last_scan_at     timestamptz,
    last_scan_status text,
    last_complete_at timestamptz,
    -- When the newest applied report was taken: an older one is superseded.
    last_taken_at    timestamptz,
    CONSTRAINT stacks_name_key UNIQUE (name),
    -- Also a path of our API: no empty, "." or ".." part.
    CONSTRAINT stacks_name_check CHECK (
        length(name) BETWEEN 1 AND 200
        AND name ~ '^[A-Za-z0-9._/:@+=~-]+$'
        AND name !~ '(^|/)\.{0,2}(/|$)'
    )
);

CREATE TABLE scans (
    id             uuid PRIMARY KEY,
    stack_id       uuid NOT NULL REFERENCES stacks (id),
    received_at    timestamptz NOT NULL,
    taken_at       timestamptz,
    format         text NOT NULL,
    format_version text NOT NULL DEFAULT '',
    tool           text NOT NULL DEFAULT '',
    tool_version   text NOT NULL DEFAULT '',
    status         text NOT NULL CHECK (status IN ('complete', 'incomplete', 'errored')),
    superseded     boolean NOT NULL DEFAULT false,
    outside        boolean NOT NULL,
    pending        boolean NOT NULL,
    payload_sha256 bytea NOT NULL CHECK (length(payload_sha256) = 32),
    payload_bytes  bigint NOT NULL CHECK (payload_bytes >= 0),
    resources      integer NOT NULL CHECK (resources >= 0),
    detected       integer NOT NULL CHECK (detected >= 0),
    known          integer NOT NULL CHECK (known >= 0),
    reopened       integer NOT NULL CHECK (reopened >= 0),
    resolved       integer NOT NULL CHECK (resolved >= 0),
    noise          integer NOT NULL CHECK (noise >= 0),
    -- json, not jsonb: the same bytes go out again for the same payload.
    receipt        json NOT NULL,
    ci             json,
    uploaded_by    text,
    correlation_id text NOT NULL,
    trace_id       text NOT NULL DEFAULT '',
    span_id        text NOT NULL DEFAULT '',
    CONSTRAINT scans_payload_key UNIQUE (stack_id, payload_sha256)
);
CREATE INDEX scans_newest ON scans (stack_id, id DESC);
CREATE INDEX scans_correlation ON scans (correlation_id);

CREATE TABLE drifts (
    -- A UUID v7 whose time is detected_at: ordering by id is ordering by
    -- detection, with ties in the order of the report.
    id                uuid PRIMARY KEY,
    stack_id          uuid NOT NULL REFERENCES stacks (id),
    -- No foreign key to scans: the scan's row comes last, with what became of
    -- these, and a deferred key costs a tenth of loading a row (8 µs).
    scan_id           uuid NOT NULL,
    previous_id       uuid REFERENCES drifts (id),
    address           text COLLATE "C" NOT NULL,
    type              text COLLATE "C" NOT NULL,
    provider          text NOT NULL,
    cloud_id          text COLLATE "C" NOT NULL DEFAULT '',
    region            text NOT NULL DEFAULT '',
    account           text NOT NULL DEFAULT '',
    origin            text NOT NULL CHECK (origin IN ('outside', 'pending')),
    action            text NOT NULL CHECK (action IN ('create', 'update', 'delete', 'replace', 'import', 'forget')),
    severity          text NOT NULL CHECK (severity IN ('critical', 'warning', 'info')),
    severity_reason   text NOT NULL DEFAULT '',
    status            text NOT NULL CHECK (status IN ('detected', 'triaged', 'approved', 'rejected', 'resolved')),
    -- Status, severity and origin in one small number, open ones below 24. A
    -- list filtered by any of the three merges the few buckets that fit, each
    -- read in order from one index: bucket.go.
    bucket            smallint NOT NULL GENERATED ALWAYS AS (
        CASE status WHEN 'detected' THEN 0 WHEN 'triaged' THEN 6 WHEN 'approved' THEN 12 WHEN 'rejected' THEN 18 ELSE 24 END
        + CASE severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 2 ELSE 4 END
        + CASE origin WHEN 'outside' THEN 0 ELSE 1 END) STORED,
    detected_at       timestamptz NOT NULL,
    -- Seen is counted as of the stack's coverage when the row was last written:
    -- a scan that sees nothing new about a drift does not touch its row.
    last_seen_at      timestamptz NOT NULL,
    times_seen        bigint NOT NULL CHECK (times_seen > 0),
    seen_scans        bigint NOT NULL CHECK (seen_scans >= 0),
    status_changed_at timestamptz NOT NULL,
    acknowledged_at   timestamptz,
    quiet_until       timestamptz,
    resolved_at       timestamptz,
    resolution        text CHECK (resolution IN ('disappeared', 'resolved')),
    fingerprint       bytea NOT NULL CHECK (length(fingerprint) = 16),
    -- json, not jsonb: nothing queries inside. json keeps the digits of numbers
    -- and \u0000 as Terraform wrote them, and loads in half the time.
    changes           json NOT NULL,
    noise             json,
    -- What an index entry has room for, and more than anybody writes.
    CONSTRAINT drifts_address_check CHECK (octet_length(address) BETWEEN 1 AND 2000),
    CONSTRAINT drifts_type_check CHECK (octet_length(type) BETWEEN 1 AND 200),
    CONSTRAINT drifts_resolved_check CHECK (
        (status = 'resolved') = (resolved_at IS NOT NULL) AND (status = 'resolved') = (resolution IS NOT NULL)),
    CONSTRAINT drifts_quiet_check CHECK (quiet_until IS NULL OR status = 'rejected')
) WITH (fillfactor = 90); -- room to change a few rows of a page without touching the indexes
-- At most one open drift of a stack has a key.
CREATE UNIQUE INDEX drifts_open_key ON drifts (stack_id, address, origin) WHERE status <> 'resolved';
-- One index per scope and order of the list; bucket.go says how they are used.
CREATE INDEX drifts_newest ON drifts (bucket, id);
CREATE INDEX drifts_stack_newest ON drifts (stack_id, bucket, id);
CREATE INDEX drifts_type_newest ON drifts (type, bucket, id);
CREATE INDEX drifts_stack_type ON drifts (stack_id, type, bucket, id);
CREATE INDEX drifts_by_address ON drifts (bucket, address, id);
CREATE INDEX drifts_stack_address ON drifts (stack_id, bucket, address, id);
CREATE INDEX drifts_type_address ON drifts (type, bucket, address, id);
CREATE INDEX drifts_scan ON drifts (scan_id, id);
CREATE INDEX drifts_acknowledged ON drifts (acknowledged_at, detected_at) WHERE acknowledged_at IS NOT NULL;
CREATE INDEX drifts_resolved ON drifts (resolved_at, detected_at) WHERE resolved_at IS NOT NULL;

-- How many complete scans covered an origin of a stack, and when the last was.
-- An open drift was seen by all of them since it was written, or it would have
-- been resolved; so a scan writes one row here instead of one per drift.
CREATE TABLE coverage (
    stack_id   uuid NOT NULL REFERENCES stacks (id),
    origin     text NOT NULL CHECK (origin IN ('outside', 'pending')),
    scans      bigint NOT NULL DEFAULT 0 CHECK (scans >= 0),
    scanned_at timestamptz,
    scan_id    uuid,
    PRIMARY KEY (stack_id, origin)
);

-- Drifts of a stack per bucket, kept by every transaction that moves one, so
-- that gauges and lists of stacks never count rows.
CREATE TABLE drift_counts (
    stack_id uuid NOT NULL REFERENCES stacks (id),
    bucket   smallint NOT NULL CHECK (bucket BETWEEN 0 AND 29),
    drifts   bigint NOT NULL CHECK (drifts >= 0),
    PRIMARY KEY (stack_id, bucket)
);

CREATE TABLE noise (
    stack_id      uuid NOT NULL REFERENCES stacks (id),
    origin        text NOT NULL CHECK (origin IN ('outside', 'pending')),
    address       text COLLATE "C" NOT NULL CHECK (octet_length(address) BETWEEN 1 AND 2000),
    type          text COLLATE "C" NOT NULL,
    changes       json NOT NULL,
    -- Keyed, of the changes: what is the same is not written again.
    fingerprint   bytea NOT NULL CHECK (length(fingerprint) = 16),
    scan_id       uuid NOT NULL,
    first_seen_at timestamptz NOT NULL,
    changed_at    timestamptz NOT NULL,
    PRIMARY KEY (stack_id, address, origin)
);

CREATE TABLE events (
    -- No foreign keys: checking one locks and so rewrites the row it names, a
    -- hundred thousand of them in one upload. Nothing here is ever deleted.
    -- A UUID v7 whose time is at: ordering by id is ordering by time.
    id             uuid PRIMARY KEY,
    at             timestamptz NOT NULL,
    stack_id       uuid,
    drift_id       uuid,
    scan_id        uuid,
    action         text NOT NULL CONSTRAINT events_action_check CHECK (action IN (
        'detected', 'changed', 'moved', 'reopened', 'resolved', 'triaged', 'approved', 'rejected',
        'logged_in', 'login_failed', 'logged_out', 'token_reused', 'user_created', 'user_disabled',
        'api_key_created', 'api_key_revoked', 'log_level_changed')),
    actor          text NOT NULL CHECK (actor <> ''),
    from_status    text,
    to_status      text,
    reason         text,
    until          timestamptz,
    detail         json,
    correlation_id text NOT NULL,
    trace_id       text NOT NULL DEFAULT '',
    span_id        text NOT NULL DEFAULT '',
    client_address text,
    user_agent     text
);
CREATE INDEX events_drift ON events (drift_id, id) WHERE drift_id IS NOT NULL;
CREATE INDEX events_correlation ON events (correlation_id, id);

-- The audit trail only grows. Not even this service's own role gets past this
-- by mistake; whoever disables the trigger leaves a trace in the server's log.
-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- lz4 stores large values in half pglz's time. Servers built without it keep
-- pglz.
-- +goose StatementBegin
DO $$
BEGIN
    ALTER TABLE drifts ALTER COLUMN changes SET COMPRESSION lz4, ALTER COLUMN noise SET COMPRESSION lz4;
    ALTER TABLE noise ALTER COLUMN changes SET COMPRESSION lz4;
    ALTER TABLE events ALTER COLUMN detail SET COMPRESSION lz4;
    ALTER TABLE scans ALTER COLUMN receipt SET COMPRESSION lz4;
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'lz4 is not available: %', SQLERRM;
END
$$;
-- +goose StatementEnd

-- The extension may live in a schema of its own that is on nobody's path. The
-- index is a third of what storing a drift costs (25 µs of 75) and lets a
-- search among a million take a millisecond instead of half a second.
-- +goose StatementBegin
DO $$
DECLARE
    home text := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm');
BEGIN
    IF home IS NOT NULL THEN
        EXECUTE format('CREATE INDEX drifts_search ON drifts USING gin (address %1$I.gin_trgm_ops, cloud_id %1$I.gin_trgm_ops)', home);
    END IF;
END
$$;
-- +goose StatementEnd
