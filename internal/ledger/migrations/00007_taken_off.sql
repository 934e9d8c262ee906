-- +goose Up
-- When a payment was made, whether it is for the customer's balance and not for an account or a bill, and what tells the
-- same money under another event id: obligation, payment and sign, empty if it cannot be told.
ALTER TABLE payments ADD COLUMN paid_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE payments ADD COLUMN on_balance INTEGER NOT NULL DEFAULT 1;
ALTER TABLE payments ADD COLUMN money TEXT NOT NULL DEFAULT '';
UPDATE payments SET paid_at = received_at;

-- The payments by which the balance that was sent for a row is less than the row's.
CREATE TABLE taken_off (
    file_id  INTEGER NOT NULL REFERENCES files (id),
    number   INTEGER NOT NULL,
    event_id TEXT    NOT NULL,
    amount   INTEGER NOT NULL,
    PRIMARY KEY (file_id, number, event_id)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE taken_off;
ALTER TABLE payments DROP COLUMN money;
ALTER TABLE payments DROP COLUMN on_balance;
ALTER TABLE payments DROP COLUMN paid_at;
