-- What failed is listed and counted without a look at what did not: it has a reason, and
-- nothing else does. The index does not go by state, as that of pending rows does not: an
-- UPDATE that leaves the reason alone, as every success does, touches no index.

-- +goose Up
CREATE INDEX delivery_failed ON delivery (app, msg, ep) WHERE reason <> 0;
