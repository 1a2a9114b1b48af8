-- Attempts counted by slots of time, for charts; see store.Traffic.

-- +goose Up
CREATE TABLE traffic (
    app    BIGINT NOT NULL,
    slot   BIGINT NOT NULL,           -- when it begins, seconds since 1970
    ep     BIGINT NOT NULL,
    width  INTEGER NOT NULL,          -- of the slot, in seconds
    node   SMALLINT NOT NULL,
    counts BYTEA NOT NULL,            -- see document.EncodeCounts
    PRIMARY KEY (app, width, slot, ep, node)
) WITH (fillfactor = 70);             -- rows of the present are written again and again
-- For what is no longer kept.
CREATE INDEX traffic_slot ON traffic (width, slot);
