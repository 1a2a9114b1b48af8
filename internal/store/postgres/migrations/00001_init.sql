-- The first schema. Times are microseconds since 1970 in UTC, 0 = none, unless a
-- column says otherwise. Ids are the int64 of package id. What is only ever read
-- as a whole lives in a JSON document named doc, as bytes, because PostgreSQL's
-- text takes no NUL; whatever a query names is a column. Text that is compared is
-- compared byte by byte (COLLATE "C"): ids that differ in case are different ids,
-- and lists have the same order under every locale.
--
-- Three columns of delivery decide what an attempt costs. An UPDATE that changes
-- no column of any index, predicates included, is a HOT update: it writes no index
-- entry and needs no vacuum. A delivery that goes straight from its commit to a
-- sender has due and claimed_by NULL from the beginning to the end, so that its
-- success is one. DESIGN.md in this directory has the measurements.

-- +goose Up

-- Facts of the installation: id_key (32 bytes), copied_from (of `callboard copy`).
CREATE TABLE meta (
    name  TEXT COLLATE "C" PRIMARY KEY,
    value BYTEA NOT NULL
);

-- Processes that have this database open, or had. A process has the advisory lock
-- of its number as long as its session lives, and the row as long as incarnation
-- is the one that it took; every transaction of its writes the row under that.
CREATE TABLE node (
    number      SMALLINT PRIMARY KEY,              -- 0 is the embedded store's, 1 to 255 are given out
    incarnation BIGINT NOT NULL DEFAULT 0,         -- rises when a process takes the number or loses it
    high_water  BIGINT NOT NULL DEFAULT 0,         -- the largest id of this number that was ever written
    handed_from BIGINT NOT NULL DEFAULT 0,         -- no delivery of a message before it was handed to this node and is under way
    beat        BIGINT NOT NULL DEFAULT 0,         -- rises every few seconds
    open        BOOLEAN NOT NULL DEFAULT false,    -- a process has taken it, and nobody has cleaned up behind it
    taken_at    BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 20);

CREATE TABLE org (
    id         TEXT COLLATE "C" PRIMARY KEY,
    doc        BYTEA,                              -- JSON of the settings; NULL = all defaults
    updated_at BIGINT NOT NULL
);

CREATE TABLE event_type (
    org      TEXT COLLATE "C" NOT NULL,
    name     TEXT COLLATE "C" NOT NULL,
    archived BOOLEAN NOT NULL,
    doc      BYTEA NOT NULL,
    schemas  BYTEA,                                -- JSON, byte for byte as given
    PRIMARY KEY (org, name)
);

CREATE TABLE app (
    id             BIGINT PRIMARY KEY,
    org            TEXT COLLATE "C" NOT NULL,
    uid            TEXT COLLATE "C",               -- NULL = none
    config_version BIGINT NOT NULL,
    deleted        BOOLEAN NOT NULL,
    doc            BYTEA NOT NULL
);
CREATE UNIQUE INDEX app_uid ON app (org, uid) WHERE uid IS NOT NULL AND NOT deleted;
CREATE INDEX app_org ON app (org, id) WHERE NOT deleted;

CREATE TABLE endpoint (
    id      BIGINT PRIMARY KEY,
    app     BIGINT NOT NULL,
    uid     TEXT COLLATE "C",                      -- NULL = none
    deleted BOOLEAN NOT NULL,
    doc     BYTEA NOT NULL
);
CREATE UNIQUE INDEX endpoint_uid ON endpoint (app, uid) WHERE uid IS NOT NULL AND NOT deleted;
CREATE INDEX endpoint_app ON endpoint (app, id);

CREATE TABLE endpoint_url (
    endpoint BIGINT NOT NULL,
    since    BIGINT NOT NULL,
    url      BYTEA NOT NULL,
    PRIMARY KEY (endpoint, since)
);

-- Failing endpoints only.
CREATE TABLE endpoint_health (
    endpoint      BIGINT PRIMARY KEY,
    failing_since BIGINT NOT NULL,
    failures      BIGINT NOT NULL,
    first_message BIGINT NOT NULL,
    many_messages BOOLEAN NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE message (
    id         BIGINT PRIMARY KEY,
    app        BIGINT NOT NULL,
    deliver_at BIGINT NOT NULL,
    expires    BIGINT,                             -- of the payload; NULL = with the row
    flags      SMALLINT NOT NULL,                  -- 1 = test
    event_hash UUID,                               -- half of a SHA-256; NULL = no eventId
    type       TEXT COLLATE "C" NOT NULL,
    extra      BYTEA,                              -- JSON: eventId, channels, tags, orderKey; NULL = none
    payload    BYTEA                               -- NULL = dropped
);
CREATE INDEX message_app ON message (app, id);
CREATE UNIQUE INDEX message_event ON message (app, event_hash) WHERE event_hash IS NOT NULL;
CREATE INDEX message_expires ON message (expires, id) WHERE expires IS NOT NULL AND payload IS NOT NULL;

-- state, reason and trigger are the numbers of package delivery. A leased row
-- (state 3) has the generation before that of the lease. It is held by claimed_by
-- or, if that is NULL, by handed_to, which is never cleared.
CREATE TABLE delivery (
    msg        BIGINT NOT NULL,
    ep         BIGINT NOT NULL,
    app        BIGINT NOT NULL,
    next_at    BIGINT NOT NULL,
    due        BIGINT,                             -- next_at while the row is pending, else NULL
    deadline   BIGINT NOT NULL,
    ord_seq    BIGINT NOT NULL,
    generation INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    state      SMALLINT NOT NULL,
    reason     SMALLINT NOT NULL,
    trigger    SMALLINT NOT NULL,
    handed_to  SMALLINT,                           -- the node that got it as it was inserted
    claimed_by SMALLINT,                           -- the node that claimed it
    ord_key    BYTEA,                              -- NULL = not ordered
    PRIMARY KEY (msg, ep)
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_vacuum_insert_threshold = 100000,
    autovacuum_analyze_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 1
);
CREATE INDEX delivery_due ON delivery (ep, due, msg) WHERE due IS NOT NULL;
CREATE INDEX delivery_claimed ON delivery (claimed_by) WHERE claimed_by IS NOT NULL;

CREATE TABLE attempt (
    msg      BIGINT NOT NULL,
    ep       BIGINT NOT NULL,
    id       BIGINT NOT NULL,
    app      BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    latency  BIGINT NOT NULL,                      -- microseconds
    n        INTEGER NOT NULL,                     -- generation of the claim
    status   SMALLINT NOT NULL,                    -- 0 = no response
    trigger  SMALLINT NOT NULL,
    success  BOOLEAN NOT NULL,
    error    BYTEA,
    response BYTEA,
    PRIMARY KEY (msg, ep, n)
);
CREATE INDEX attempt_ep ON attempt (ep, id);

-- Keys of finished work.
CREATE TABLE seen (
    hash    UUID PRIMARY KEY,
    body    UUID NOT NULL,
    expires BIGINT NOT NULL,                       -- seconds
    result  BIGINT NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 1);
CREATE INDEX seen_expires ON seen (expires);

CREATE TABLE task (
    id         BIGINT PRIMARY KEY,
    org        TEXT COLLATE "C" NOT NULL,
    app        BIGINT NOT NULL,
    endpoint   BIGINT NOT NULL,                    -- 0 = none
    kind       SMALLINT NOT NULL,
    state      SMALLINT NOT NULL,
    since      BIGINT NOT NULL,
    until      BIGINT NOT NULL,
    cursor     BIGINT NOT NULL,
    done       BIGINT NOT NULL,
    reason     TEXT NOT NULL,
    updated_at BIGINT NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX task_org ON task (org, id);
CREATE INDEX task_running ON task (id) WHERE state = 1;
