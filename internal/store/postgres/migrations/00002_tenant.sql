-- What the app of a catalogue message was called when the message came in; see
-- store.Message.Tenant.

-- +goose Up
ALTER TABLE message ADD COLUMN tenant TEXT COLLATE "C";  -- NULL = not of the catalogue
