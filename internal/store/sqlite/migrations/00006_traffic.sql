-- Attempts counted by slots of time, for charts; see store.Traffic.

-- +goose Up
CREATE TABLE traffic (
    app    INTEGER NOT NULL,
    width  INTEGER NOT NULL,          -- of the slot, in seconds
    slot   INTEGER NOT NULL,          -- when it begins, seconds since 1970
    ep     INTEGER NOT NULL,
    node   INTEGER NOT NULL,
    counts BLOB NOT NULL,             -- see document.EncodeCounts
    PRIMARY KEY (app, width, slot, ep, node)
) WITHOUT ROWID;
-- For what is no longer kept. It is written once per row: counts are not in it.
CREATE INDEX traffic_slot ON traffic (width, slot);
