-- +goose Up
-- A plan holds the rows of a chunk that are to be sent and have no outcome yet, packed into one value. A row of it counts
-- as long as there is none with its number in rows or finished.
CREATE TABLE plans (
    id      INTEGER PRIMARY KEY,
    file_id INTEGER NOT NULL REFERENCES files (id),
    first   INTEGER NOT NULL,
    last    INTEGER NOT NULL,
    packed  BLOB    NOT NULL
) STRICT;

-- +goose Down
DROP TABLE plans;
