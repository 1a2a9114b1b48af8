-- Live state: events, sessions, presences and whatever else package live knows. What
-- a row means is in doc and state; the store sees keys, an order, and due times.

-- +goose Up
CREATE TABLE object (
    app     BIGINT NOT NULL,                       -- 0 = of an org
    seq     BIGINT NOT NULL,                       -- an id, taken when the row was made
    due     BIGINT,                                -- NULL = never; 0 is a time here
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    kind    SMALLINT NOT NULL,                     -- the numbers of package live
    parent  TEXT COLLATE "C" NOT NULL,             -- '' = none
    id      TEXT COLLATE "C" NOT NULL,
    state   BYTEA,                                 -- JSON
    doc     BYTEA,                                 -- JSON; NULL = the row is no resource
    PRIMARY KEY (app, kind, parent, id)
) WITH (fillfactor = 80);
-- Resources are listed in the order in which they were made; what is no resource
-- (presences are most of all rows) is not, and costs nothing here.
CREATE INDEX object_seq ON object (app, kind, parent, seq) WHERE doc IS NOT NULL;
CREATE INDEX object_due ON object (due, seq) WHERE due IS NOT NULL;
