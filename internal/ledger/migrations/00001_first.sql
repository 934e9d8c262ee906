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

-- Rows that are not finished (planned, and sent perhaps, or to be tried again), and rejected ones. What nothing is searched by
-- stands in told, as JSON: a value that is bound costs as much as all of that together. Neither here nor in customers does
-- file_id refer to files: to look that up costs as much again.
CREATE TABLE rows (
    file_id      INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    reference    TEXT    NOT NULL,
    operation    TEXT    NOT NULL CHECK (operation IN ('', 'create', 'update')),
    outcome      TEXT    NOT NULL,
    currency     TEXT    NOT NULL,
    balance      INTEGER,
    told         TEXT    NOT NULL,
    superseded   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (file_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX rows_unresolved ON rows (reference) WHERE outcome IN ('', 'in_doubt') AND operation <> '' AND superseded = 0;

-- All other rows, which are finished for ever, and what they asserted: those of one stretch of a file that were committed
-- together, packed into one value.
CREATE TABLE finished (
    id      INTEGER PRIMARY KEY,
    file_id INTEGER NOT NULL REFERENCES files (id),
    stretch INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    packed  BLOB    NOT NULL
) STRICT;
CREATE INDEX finished_by_stretch ON finished (file_id, stretch);

CREATE TABLE customers (
    reference     TEXT    PRIMARY KEY,
    customer_id   TEXT    NOT NULL,
    file_id       INTEGER NOT NULL,
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
DROP TABLE finished;
DROP TABLE rows;
DROP TABLE files;
DROP TABLE binding;
