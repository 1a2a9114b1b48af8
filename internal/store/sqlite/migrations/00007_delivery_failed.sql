-- What failed is listed and counted without a look at what did not. Nearly all is
-- delivered, and costs nothing here.

-- +goose Up
CREATE INDEX delivery_failed ON delivery (app, msg, ep) WHERE state = 5;
