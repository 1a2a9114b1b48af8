-- What the app of a catalogue message was called when the message came in; see
-- store.Message.Tenant. A column that is added stands behind the payload, so only
-- what reads payloads reads it: before it lies the whole payload, page by page.

-- +goose Up
ALTER TABLE message ADD COLUMN tenant TEXT;  -- NULL = not of the catalogue
