-- +goose Up
-- Times are unix microseconds, amounts are minor units. A row that is planned has outcome ''. An unanswered row is
-- superseded once another file has asserted the same customer.
CREATE TABLE binding (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE files (
    id            INTEGER PRIMARY KEY,
    business_date TEXT    NOT NULL,
    sha256        TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    day_file      INTEGER NOT NULL,
    records       INTEGER NOT NULL DEFAULT 0,
    state         TEXT    NOT NULL CHECK (state IN ('open', 'done', 'rejected', 'held')),
    reason        TEXT    NOT NULL DEFAULT '',
    first_seen    INTEGER NOT NULL,
    run_id        TEXT    NOT NULL,
    UNIQUE (business_date, sha256)
) STRICT;
CREATE INDEX files_by_sha256 ON files (sha256);

-- What nothing is searched by stands in told, as JSON: a value that is bound costs as much as all of that together.
CREATE TABLE rows (
    file_id      INTEGER NOT NULL REFERENCES files (id),
    number       INTEGER NOT NULL,
    reference    TEXT    NOT NULL,
    operation    TEXT    NOT NULL CHECK (operation IN ('', 'create', 'update')),
    outcome      TEXT    NOT NULL,
    currency     TEXT    NOT NULL,
    balance      INTEGER,
    sent_at      INTEGER,
    told         TEXT    NOT NULL,
    superseded   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (file_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX rows_unresolved ON rows (reference) WHERE outcome IN ('', 'in_doubt') AND operation <> '' AND superseded = 0;

-- A row with sent_at asserts its balance, if it has one.
CREATE VIEW assertions AS
SELECT r.file_id, r.number, coalesce(r.told ->> 'line', 0) AS line, coalesce(r.told ->> 'customer_id', '') AS customer_id, r.reference, f.business_date, r.currency, r.balance,
       coalesce(r.told ->> 'name', '') AS name, coalesce(r.told ->> 'due_date', '') AS due_date, coalesce(r.told ->> 'payable', '') AS payable, r.sent_at
FROM rows r JOIN files f ON f.id = r.file_id
WHERE r.sent_at IS NOT NULL AND r.balance IS NOT NULL;

CREATE TABLE customers (
    reference     TEXT    PRIMARY KEY,
    customer_id   TEXT    NOT NULL,
    file_id       INTEGER NOT NULL REFERENCES files (id),
    sent_at       INTEGER NOT NULL,
    asserted      TEXT    NOT NULL,
    payable       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE payments (
    event_id    TEXT    PRIMARY KEY,
    customer_id TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    currency    TEXT    NOT NULL,
    amount      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX payments_by_customer ON payments (customer_id, received_at);

CREATE TABLE decisions (
    exception_id TEXT    PRIMARY KEY,
    decision     TEXT    NOT NULL CHECK (decision IN ('apply', 'drop')),
    reason       TEXT    NOT NULL,
    decided_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    id            TEXT    PRIMARY KEY,
    command       TEXT    NOT NULL,
    business_date TEXT    NOT NULL,
    started_at    INTEGER NOT NULL,
    ended_at      INTEGER,
    exit_code     INTEGER,
    summary       TEXT    NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_by_start ON runs (started_at);

-- +goose Down
DROP TABLE runs;
DROP TABLE decisions;
DROP TABLE payments;
DROP TABLE customers;
DROP VIEW assertions;
DROP TABLE rows;
DROP TABLE files;
DROP TABLE binding;
