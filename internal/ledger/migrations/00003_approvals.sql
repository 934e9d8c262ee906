-- +goose Up
-- A file that a guard held, and that a person has released.
CREATE TABLE approvals (
    file_id     INTEGER PRIMARY KEY REFERENCES files (id),
    held_for    TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    approved_by TEXT    NOT NULL,
    approved_at INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE approvals;
