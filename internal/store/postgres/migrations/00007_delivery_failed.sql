-- What failed is listed and counted without a look at what did not. The index is on a
-- column of its own and not on state, as that of pending rows is: an UPDATE that leaves it
-- NULL, which is every success, touches no index.

-- +goose Up
ALTER TABLE delivery ADD COLUMN failed BOOLEAN GENERATED ALWAYS AS (CASE WHEN state = 5 THEN true END) STORED;
CREATE INDEX delivery_failed ON delivery (app, msg, ep) WHERE failed IS NOT NULL;
