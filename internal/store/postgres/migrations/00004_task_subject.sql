-- What a background task is about, besides its app and endpoint; see store.Task.Subject.

-- +goose Up
ALTER TABLE task ADD COLUMN subject TEXT COLLATE "C" NOT NULL DEFAULT '';
