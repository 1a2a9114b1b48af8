-- Live state: events, sessions, presences and whatever else package live knows. What
-- a row means is in doc and state; the store sees keys, an order, and due times.
--
-- It is a table with a rowid, not one clustered by its key: rows are a few hundred
-- bytes (a presence) or some thousands (an event), and a clustered table keeps them in
-- its inner pages too. DESIGN.md in this directory has the measurements.

-- +goose Up
CREATE TABLE object (
    app     INTEGER NOT NULL,         -- 0 = of an org
    kind    INTEGER NOT NULL,         -- the numbers of package live
    parent  TEXT NOT NULL,            -- '' = none
    id      TEXT NOT NULL,
    seq     INTEGER NOT NULL,         -- an id, taken when the row was made
    due     INTEGER,                  -- NULL = never; 0 is a time here
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    state   BLOB,                     -- JSON
    doc     BLOB,                     -- JSON; NULL = the row is no resource
    PRIMARY KEY (app, kind, parent, id)
);
-- Resources are listed in the order in which they were made; what is no resource
-- (presences are most of all rows) is not, and costs nothing here.
CREATE INDEX object_seq ON object (app, kind, parent, seq) WHERE doc IS NOT NULL;
CREATE INDEX object_due ON object (due, seq) WHERE due IS NOT NULL;
