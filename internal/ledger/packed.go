package ledger

import (
	"encoding/binary"
	"errors"

	"tallyman/formats"
)

// The packed form of a row: numbers as varints, texts with their length before them. It must stay readable: a plan may
// have been written by an older version.

func appendRow(b []byte, r *Row) []byte {
	o := &r.Result
	for _, n := range [...]int64{
		int64(r.Number), int64(o.Line), int64(r.Generation), int64(boolInt(r.Refused)), micros(r.PlannedAt),
		int64(boolInt(o.Balance.Set)), o.Balance.Minor, int64(o.HTTPStatus), int64(o.Attempts),
	} {
		b = binary.AppendVarint(b, n)
	}
	for _, s := range [...]string{
		r.Operation, r.Key, o.ExternalReference, string(o.Outcome), o.CustomerID, o.Currency, o.Payable, o.Reason, o.Detail,
	} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return append(b, r.BodySHA256[:]...)
}

// errPacked says that a plan is not what was written.
var errPacked = errors.New("a plan in the ledger is damaged: restore data_dir from a backup, or begin a new one, and import the file again")

// unpackRows returns the rows that appendRow has packed one after the other.
func unpackRows(b []byte) ([]Row, error) {
	var rows []Row
	u := unpacker{left: b}
	for len(u.left) > 0 {
		r := Row{Number: int(u.number())}
		o := &r.Result
		o.Line, r.Generation, r.Refused, r.PlannedAt = int(u.number()), int(u.number()), u.number() != 0, fromMicros(u.number())
		o.Balance = formats.Balance{Set: u.number() != 0, Minor: u.number()}
		o.HTTPStatus, o.Attempts = int(u.number()), int(u.number())
		r.Operation, r.Key, o.ExternalReference, o.Outcome = u.text(), u.text(), u.text(), formats.Outcome(u.text())
		o.CustomerID, o.Currency, o.Payable, o.Reason, o.Detail = u.text(), u.text(), u.text(), u.text(), u.text()
		copy(r.BodySHA256[:], u.bytes(len(r.BodySHA256)))
		if u.failed {
			return nil, errPacked
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// unpacker reads what is left of packed rows.
type unpacker struct {
	left   []byte
	failed bool
}

func (u *unpacker) number() int64 {
	n, size := binary.Varint(u.left)
	u.bytes(size)
	u.failed = u.failed || size <= 0
	return n
}

func (u *unpacker) text() string {
	n, size := binary.Uvarint(u.left)
	if size <= 0 || n > uint64(len(u.left)) {
		u.failed = true
		return ""
	}
	u.bytes(size)
	return string(u.bytes(int(n)))
}

func (u *unpacker) bytes(n int) []byte {
	if n < 0 || n > len(u.left) {
		u.failed, u.left = true, nil
		return nil
	}
	b := u.left[:n]
	u.left = u.left[n:]
	return b
}
