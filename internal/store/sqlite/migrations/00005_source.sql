-- Where vendors' webhooks come in, and what came in there; see store.Source and
-- store.Received.

-- +goose Up
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
    status  INTEGER NOT NULL,         -- 1 = accepted, 2 = refused, 3 = unreadable
    message INTEGER NOT NULL,         -- 0 = none
    doc     BLOB,                     -- JSON
    body    BLOB                      -- NULL = the message has it, or dropped. Last, so that lists need not read it.
);
-- An index ends in its row's id by itself: this is (source, id).
CREATE INDEX received_source ON received (source);
-- Nearly all is accepted, and costs nothing here: what was not is found without it.
CREATE INDEX received_status ON received (source, status) WHERE status <> 1;
CREATE INDEX received_body ON received (app) WHERE status <> 1 AND body IS NOT NULL;

-- The request's body that a message came in with, byte for byte; NULL = none, or
-- dropped. It stands behind the payload: only what reads payloads reads it.
ALTER TABLE message ADD COLUMN raw BLOB;
