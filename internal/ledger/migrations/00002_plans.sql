-- +goose Up
-- A plan holds the rows of a chunk that are to be sent and have no outcome yet, packed into one value. A row of it counts
-- as long as there is none with its number in rows. A row with sent_at asserts its balance, if it has one.
CREATE TABLE plans (
    id      INTEGER PRIMARY KEY,
    file_id INTEGER NOT NULL REFERENCES files (id),
    first   INTEGER NOT NULL,
    last    INTEGER NOT NULL,
    packed  BLOB    NOT NULL
) STRICT;

CREATE TABLE recorded (
    file_id      INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    line         INTEGER NOT NULL,
    reference    TEXT    NOT NULL,
    operation    TEXT    NOT NULL CHECK (operation IN ('', 'create', 'update')),
    outcome      TEXT    NOT NULL,
    idempotency  TEXT    NOT NULL,
    body_sha256  BLOB,
    generation   INTEGER NOT NULL,
    refused      INTEGER NOT NULL,
    planned_at   INTEGER NOT NULL,
    customer_id  TEXT    NOT NULL,
    currency     TEXT    NOT NULL,
    balance      INTEGER,
    payable      TEXT    NOT NULL,
    http_status  INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    reason       TEXT    NOT NULL,
    detail       TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    due_date     TEXT    NOT NULL,
    sent_at      INTEGER,
    superseded   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (file_id, number)
) STRICT, WITHOUT ROWID;
INSERT INTO recorded
SELECT r.file_id, r.number, r.line, r.reference, r.operation, r.outcome, r.idempotency, r.body_sha256, r.generation, r.refused, r.planned_at,
       r.customer_id, r.currency, r.balance, r.payable, r.http_status, r.attempts, r.reason, r.detail,
       coalesce(a.name, ''), coalesce(a.due_date, ''), a.sent_at, r.superseded
FROM rows r LEFT JOIN assertions a ON a.file_id = r.file_id AND a.line = r.line;
DROP TABLE assertions;
DROP TABLE rows;
ALTER TABLE recorded RENAME TO rows;
CREATE INDEX rows_unresolved ON rows (reference) WHERE outcome IN ('', 'in_doubt') AND operation <> '' AND superseded = 0;

CREATE VIEW assertions AS
SELECT r.file_id, r.number, r.line, r.customer_id, r.reference, f.business_date, r.currency, r.balance, r.name, r.due_date, r.payable, r.sent_at
FROM rows r JOIN files f ON f.id = r.file_id
WHERE r.sent_at IS NOT NULL AND r.balance IS NOT NULL;

CREATE TABLE known (
    reference     TEXT    PRIMARY KEY,
    customer_id   TEXT    NOT NULL,
    file_id       INTEGER NOT NULL,
    business_date TEXT    NOT NULL,
    sent_at       INTEGER NOT NULL,
    asserted      TEXT    NOT NULL,
    payable       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO known SELECT reference, customer_id, file_id, business_date, sent_at, asserted, payable FROM customers;
DROP TABLE customers;
ALTER TABLE known RENAME TO customers;

-- +goose Down
CREATE TABLE old_assertions (
    id            INTEGER PRIMARY KEY,
    customer_id   TEXT    NOT NULL,
    reference     TEXT    NOT NULL,
    file_id       INTEGER NOT NULL REFERENCES files (id),
    line          INTEGER NOT NULL,
    business_date TEXT    NOT NULL,
    currency      TEXT    NOT NULL,
    balance       INTEGER NOT NULL,
    name          TEXT    NOT NULL,
    due_date      TEXT    NOT NULL,
    payable       TEXT    NOT NULL,
    sent_at       INTEGER NOT NULL,
    UNIQUE (file_id, line)
) STRICT;
INSERT INTO old_assertions (customer_id, reference, file_id, line, business_date, currency, balance, name, due_date, payable, sent_at)
SELECT customer_id, reference, file_id, line, business_date, currency, balance, name, due_date, payable, sent_at FROM assertions;
DROP VIEW assertions;
ALTER TABLE old_assertions RENAME TO assertions;
CREATE INDEX assertions_by_date ON assertions (business_date, id);
ALTER TABLE rows DROP COLUMN name;
ALTER TABLE rows DROP COLUMN due_date;
ALTER TABLE rows DROP COLUMN sent_at;
DROP TABLE plans;
