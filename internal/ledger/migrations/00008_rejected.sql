-- +goose Up
CREATE INDEX rows_rejected ON rows (file_id) WHERE outcome = 'rejected';

-- +goose Down
DROP INDEX rows_rejected;
