-- A database of schema 6, which counts attempts: one message with one
-- delivery that was handed to a sender when the process ended.
CREATE TABLE goose_db_version (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version_id INTEGER NOT NULL,
    is_applied INTEGER NOT NULL,
    tstamp TIMESTAMP DEFAULT (datetime('now'))
);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1);
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE org (
    id         TEXT PRIMARY KEY,
    doc        BLOB,
    updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE event_type (
    org      TEXT NOT NULL,
    name     TEXT NOT NULL,
    archived INTEGER NOT NULL,
    doc      BLOB NOT NULL,
    schemas  BLOB,
    PRIMARY KEY (org, name)
) WITHOUT ROWID;
CREATE TABLE app (
    id             INTEGER PRIMARY KEY,
    org            TEXT NOT NULL,
    uid            TEXT,
    config_version INTEGER NOT NULL,
    deleted        INTEGER NOT NULL,
    doc            BLOB NOT NULL
);
CREATE UNIQUE INDEX app_uid ON app (org, uid) WHERE uid IS NOT NULL AND deleted = 0;
CREATE INDEX app_org ON app (org) WHERE deleted = 0;
CREATE TABLE endpoint (
    id      INTEGER PRIMARY KEY,
    app     INTEGER NOT NULL,
    uid     TEXT,
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
    flags      INTEGER NOT NULL DEFAULT 0,
    event_hash BLOB,
    deliver_at INTEGER NOT NULL DEFAULT 0,
    expires    INTEGER,
    bucket     INTEGER NOT NULL,
    extra      BLOB,
    payload    BLOB
, tenant TEXT, raw BLOB);
CREATE INDEX message_app ON message (bucket, app);
CREATE UNIQUE INDEX message_event ON message (app, event_hash) WHERE event_hash IS NOT NULL;
CREATE INDEX message_expires ON message (expires) WHERE expires IS NOT NULL AND payload IS NOT NULL;
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
    ord_key    TEXT,
    ord_seq    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (msg, ep)
) WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (ep, next_at, msg) WHERE state = 1;
CREATE TABLE attempt (
    id       INTEGER PRIMARY KEY,
    msg      INTEGER NOT NULL,
    ep       INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    app      INTEGER NOT NULL,
    trigger  INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    success  INTEGER NOT NULL,
    status   INTEGER NOT NULL,
    latency  INTEGER NOT NULL,
    bucket   INTEGER NOT NULL,
    error    TEXT,
    response BLOB
);
CREATE UNIQUE INDEX attempt_msg ON attempt (msg, ep, n);
CREATE INDEX attempt_ep ON attempt (bucket, ep);
CREATE TABLE seen (
    number  INTEGER PRIMARY KEY,
    expires INTEGER NOT NULL,
    hash    BLOB NOT NULL,
    body    BLOB NOT NULL,
    result  INTEGER NOT NULL
);
CREATE TABLE seen_spill (
    hash    BLOB PRIMARY KEY,
    expires INTEGER NOT NULL,
    body    BLOB NOT NULL,
    result  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX seen_spill_expires ON seen_spill (expires);
CREATE TABLE task (
    id         INTEGER PRIMARY KEY,
    org        TEXT NOT NULL,
    app        INTEGER NOT NULL,
    endpoint   INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    state      INTEGER NOT NULL,
    since      INTEGER NOT NULL,
    until      INTEGER NOT NULL,
    cursor     INTEGER NOT NULL,
    done       INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    updated_at INTEGER NOT NULL
, subject TEXT NOT NULL DEFAULT '');
CREATE INDEX task_org ON task (org);
CREATE INDEX task_running ON task (id) WHERE state = 1;
CREATE TABLE object (
    app     INTEGER NOT NULL,
    kind    INTEGER NOT NULL,
    parent  TEXT NOT NULL,
    id      TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    due     INTEGER,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    state   BLOB,
    doc     BLOB,
    PRIMARY KEY (app, kind, parent, id)
);
CREATE INDEX object_seq ON object (app, kind, parent, seq) WHERE doc IS NOT NULL;
CREATE INDEX object_due ON object (due, seq) WHERE due IS NOT NULL;
CREATE TABLE source (
    id      INTEGER PRIMARY KEY,
    app     INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    doc     BLOB NOT NULL
);
CREATE INDEX source_app ON source (app);
CREATE TABLE received (
    id      INTEGER PRIMARY KEY,
    app     INTEGER NOT NULL,
    source  INTEGER NOT NULL,
    status  INTEGER NOT NULL,
    message INTEGER NOT NULL,
    doc     BLOB,
    body    BLOB
);
CREATE INDEX received_source ON received (source);
CREATE INDEX received_status ON received (source, status) WHERE status <> 1;
CREATE INDEX received_body ON received (app) WHERE status <> 1 AND body IS NOT NULL;
CREATE TABLE traffic (
    app    INTEGER NOT NULL,
    width  INTEGER NOT NULL,
    slot   INTEGER NOT NULL,
    ep     INTEGER NOT NULL,
    node   INTEGER NOT NULL,
    counts BLOB NOT NULL,
    PRIMARY KEY (app, width, slot, ep, node)
) WITHOUT ROWID;
CREATE INDEX traffic_slot ON traffic (width, slot);
INSERT INTO meta (name, value) VALUES ('id_key', x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'), ('handed_off_from', 90);
INSERT INTO app (id, org, uid, config_version, deleted, doc) VALUES (7, 'org_1', 'acme', 3, 0, CAST('{"name":"Acme","metadata":null,"createdAt":1,"updatedAt":1}' AS BLOB));
INSERT INTO message (id, app, type, event_hash, bucket, extra, payload)
VALUES (100, 7, 'order.paid', x'0bafe22156d2698c143b86040446d366', 4, CAST('{"eventId":"order-1","channels":["x"],"tags":[]}' AS BLOB), CAST('{"n":1}' AS BLOB));
INSERT INTO delivery (msg, ep, app, next_at, state) VALUES (100, 9, 7, 1, 3);
