-- +goose Up
-- Who made a decision; empty for those made before this was asked.
ALTER TABLE decisions ADD COLUMN decided_by TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE decisions DROP COLUMN decided_by;
