-- Where vendors' webhooks come in, and what came in there; see store.Source and
-- store.Received.

-- +goose Up
CREATE TABLE source (
    id      BIGINT PRIMARY KEY,
    app     BIGINT NOT NULL,
    deleted BOOLEAN NOT NULL,
    doc     BYTEA NOT NULL
);
CREATE INDEX source_app ON source (app, id);

CREATE TABLE received (
    id      BIGINT PRIMARY KEY,
    app     BIGINT NOT NULL,
    source  BIGINT NOT NULL,
    message BIGINT NOT NULL,                       -- 0 = none
    status  SMALLINT NOT NULL,                     -- 1 = accepted, 2 = refused, 3 = unreadable
    doc     BYTEA,                                 -- JSON
    body    BYTEA                                  -- NULL = the message has it, or dropped
);
CREATE INDEX received_source ON received (source, id);
-- Nearly all is accepted, and costs nothing here: what was not is found without it.
CREATE INDEX received_status ON received (source, status, id) WHERE status <> 1;
CREATE INDEX received_body ON received (app, id) WHERE status <> 1 AND body IS NOT NULL;

ALTER TABLE message ADD COLUMN raw BYTEA;  -- the request's body that it came in with; NULL = none, or dropped
