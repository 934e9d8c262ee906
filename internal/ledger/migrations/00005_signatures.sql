-- +goose Up
-- A report that was written, and a signature under one. files and figures are JSON: what stood in the report's directory,
-- by name and SHA-256, and its control totals. Nothing is ever changed or removed here.
CREATE TABLE reports (
    id            INTEGER PRIMARY KEY,
    name          TEXT    NOT NULL,
    business_date TEXT    NOT NULL,
    period        TEXT    NOT NULL,
    files         TEXT    NOT NULL,
    figures       TEXT    NOT NULL,
    written_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX reports_by_period ON reports (period, id);
CREATE INDEX reports_by_name ON reports (name, id);

CREATE TABLE signatures (
    id        INTEGER PRIMARY KEY,
    report_id INTEGER NOT NULL REFERENCES reports (id),
    signer    TEXT    NOT NULL CHECK (signer <> ''),
    note      TEXT    NOT NULL,
    signed_at INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE signatures;
DROP TABLE reports;
