-- The first schema. Times are microseconds since 1970 in UTC, 0 = none, unless a
-- column says otherwise. Ids are the int64 of package id. What is only ever read
-- as a whole lives in a JSON column named doc, so that a new attribute needs no
-- migration; whatever a query names is a column.
--
-- Keys of the tables that grow begin with ids, which ascend, not with apps or
-- endpoints, which do not: rows are appended and pages fill up. What is listed by
-- app or by endpoint has an index that begins with a bucket: a number that rises
-- by one every few hundred rows. New entries then lie together at the end of the
-- index, whatever they belong to, and a list looks into one bucket after the
-- other. DESIGN.md in this directory has the measurements.

-- +goose Up

-- Facts of the installation: id_key (32 bytes), high_water_<node> (the largest id
-- among rows that were removed), handed_off_from (deliveries of messages before it
-- are not stored as leased), last_start (bytes that every start makes anew, so that a
-- copy knows whether its source is what it was).
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE org (
    id         TEXT PRIMARY KEY,
    doc        BLOB,              -- JSON of the settings; NULL = all defaults
    updated_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE event_type (
    org      TEXT NOT NULL,
    name     TEXT NOT NULL,
    archived INTEGER NOT NULL,
    doc      BLOB NOT NULL,
    schemas  BLOB,                    -- JSON, byte for byte as given
    PRIMARY KEY (org, name)
) WITHOUT ROWID;

CREATE TABLE app (
    id             INTEGER PRIMARY KEY,
    org            TEXT NOT NULL,
    uid            TEXT,              -- NULL = none
    config_version INTEGER NOT NULL,
    deleted        INTEGER NOT NULL,
    doc            BLOB NOT NULL
);
CREATE UNIQUE INDEX app_uid ON app (org, uid) WHERE uid IS NOT NULL AND deleted = 0;
CREATE INDEX app_org ON app (org) WHERE deleted = 0;

CREATE TABLE endpoint (
    id      INTEGER PRIMARY KEY,
    app     INTEGER NOT NULL,
    uid     TEXT,                     -- NULL = none
    deleted INTEGER NOT NULL,
    doc     BLOB NOT NULL
);
CREATE UNIQUE INDEX endpoint_uid ON endpoint (app, uid) WHERE uid IS NOT NULL AND deleted = 0;
CREATE INDEX endpoint_app ON endpoint (app) WHERE deleted = 0;

CREATE TABLE endpoint_url (
    endpoint INTEGER NOT NULL,
    since    INTEGER NOT NULL,
    url      TEXT NOT NULL,
    PRIMARY KEY (endpoint, since)
) WITHOUT ROWID;

-- Failing endpoints only.
CREATE TABLE endpoint_health (
    endpoint      INTEGER PRIMARY KEY,
    failing_since INTEGER NOT NULL,
    failures      INTEGER NOT NULL,
    first_message INTEGER NOT NULL,
    many_messages INTEGER NOT NULL
);

CREATE TABLE message (
    id         INTEGER PRIMARY KEY,
    app        INTEGER NOT NULL,
    type       TEXT NOT NULL,
    flags      INTEGER NOT NULL DEFAULT 0,  -- 1 = test
    event_hash BLOB,                        -- 16 bytes; NULL = no eventId
    deliver_at INTEGER NOT NULL DEFAULT 0,
    expires    INTEGER,                     -- of the payload; NULL = with the row
    bucket     INTEGER NOT NULL,            -- rises with id
    extra      BLOB,                        -- JSON: eventId, channels, tags, orderKey; NULL = none
    payload    BLOB                         -- NULL = dropped. Last, so that lists need not read it.
);
-- An index ends in its row's id by itself: this is (bucket, app, id).
CREATE INDEX message_app ON message (bucket, app);
CREATE UNIQUE INDEX message_event ON message (app, event_hash) WHERE event_hash IS NOT NULL;
CREATE INDEX message_expires ON message (expires) WHERE expires IS NOT NULL AND payload IS NOT NULL;

-- state, reason and trigger are the numbers of package delivery, with one twist:
-- 3 (leased) is only what was handed to a sender as it was inserted, and what
-- meta.handed_off_from leads to at the next start; what a claim leases stays 1
-- (pending). Either way the row has the generation before that of the lease.
CREATE TABLE delivery (
    msg        INTEGER NOT NULL,
    ep         INTEGER NOT NULL,
    app        INTEGER NOT NULL,
    generation INTEGER NOT NULL DEFAULT 0,
    state      INTEGER NOT NULL DEFAULT 1,
    reason     INTEGER NOT NULL DEFAULT 0,
    trigger    INTEGER NOT NULL DEFAULT 0,
    attempts   INTEGER NOT NULL DEFAULT 0,
    next_at    INTEGER NOT NULL,
    deadline   INTEGER NOT NULL DEFAULT 0,
    ord_key    TEXT,                        -- NULL = not ordered
    ord_seq    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (msg, ep)
) WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (ep, next_at, msg) WHERE state = 1;

CREATE TABLE attempt (
    id       INTEGER PRIMARY KEY,
    msg      INTEGER NOT NULL,
    ep       INTEGER NOT NULL,
    n        INTEGER NOT NULL,              -- generation of the claim
    app      INTEGER NOT NULL,
    trigger  INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    success  INTEGER NOT NULL,
    status   INTEGER NOT NULL,              -- 0 = no response
    latency  INTEGER NOT NULL,              -- microseconds
    bucket   INTEGER NOT NULL,              -- rises with id
    error    TEXT,
    response BLOB
);
CREATE UNIQUE INDEX attempt_msg ON attempt (msg, ep, n);
CREATE INDEX attempt_ep ON attempt (bucket, ep);

-- Keys of finished work. seen is found through the set in memory, which maps hash
-- to number; seen_spill holds what came while that set was full, found by hash.
CREATE TABLE seen (
    number  INTEGER PRIMARY KEY,            -- life in hours << 44 | order
    expires INTEGER NOT NULL,               -- seconds
    hash    BLOB NOT NULL,                  -- 16 bytes
    body    BLOB NOT NULL,                  -- 16 bytes
    result  INTEGER NOT NULL
);
CREATE TABLE seen_spill (
    hash    BLOB PRIMARY KEY,
    expires INTEGER NOT NULL,               -- seconds
    body    BLOB NOT NULL,
    result  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX seen_spill_expires ON seen_spill (expires);

CREATE TABLE task (
    id         INTEGER PRIMARY KEY,
    org        TEXT NOT NULL,
    app        INTEGER NOT NULL,
    endpoint   INTEGER NOT NULL,            -- 0 = none
    kind       INTEGER NOT NULL,
    state      INTEGER NOT NULL,
    since      INTEGER NOT NULL,
    until      INTEGER NOT NULL,
    cursor     INTEGER NOT NULL,
    done       INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX task_org ON task (org);
CREATE INDEX task_running ON task (id) WHERE state = 1;
