package ledger

import (
	"encoding/binary"
	"errors"

	"tallyman/formats"
)

// The packed form of a row: numbers as varints, texts with their length before them. It must stay readable: what is packed
// may have been written by an older version.

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
		b = appendPackedText(b, s)
	}
	return append(b, r.BodySHA256[:]...)
}

// finishedRow is a row that is finished, as it is read back.
type finishedRow struct {
	Row
	asserts bool // what follows is set
	sentAt  int64
	name    string
	dueDate string
}

// appendFinished appends a row that is finished, and of what it asserts that which the row itself does not say.
func appendFinished(b []byte, f *Finished) []byte {
	b = appendRow(b, f.Row)
	if f.Assertion == nil {
		return binary.AppendVarint(b, 0)
	}
	b = binary.AppendVarint(binary.AppendVarint(b, 1), micros(f.Assertion.SentAt))
	return appendPackedText(appendPackedText(b, f.Assertion.Asserted.Name), f.Assertion.Asserted.DueDate)
}

func appendPackedText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// errPacked says that what is packed is not what was written.
var errPacked = errors.New("a record in the ledger is damaged: restore data_dir from a backup, or begin a new one, and import the file again")

// unpackRows returns the rows that appendRow has packed one after the other.
func unpackRows(packed string) (rows []Row, err error) {
	u := unpacker{left: packed}
	for u.left != "" {
		rows = append(rows, Row{})
		u.row(&rows[len(rows)-1])
	}
	if u.failed {
		return nil, errPacked
	}
	return rows, nil
}

// unpackFinished appends the rows that appendFinished has packed one after the other.
func unpackFinished(rows []finishedRow, packed string) ([]finishedRow, error) {
	u := unpacker{left: packed}
	for u.left != "" {
		rows = append(rows, finishedRow{})
		f := &rows[len(rows)-1]
		u.row(&f.Row)
		if f.asserts = u.number() != 0; f.asserts {
			f.sentAt, f.name, f.dueDate = u.number(), u.text(), u.text()
		}
	}
	if u.failed {
		return nil, errPacked
	}
	return rows, nil
}

// unpacker reads what is left of packed rows. Their texts share its memory.
type unpacker struct {
	left   string
	failed bool
}

func (u *unpacker) row(r *Row) {
	o := &r.Result
	r.Number, o.Line, r.Generation, r.Refused, r.PlannedAt = int(u.number()), int(u.number()), int(u.number()), u.number() != 0, fromMicros(u.number())
	o.Balance = formats.Balance{Set: u.number() != 0, Minor: u.number()}
	o.HTTPStatus, o.Attempts = int(u.number()), int(u.number())
	r.Operation, r.Key, o.ExternalReference, o.Outcome = u.text(), u.text(), u.text(), formats.Outcome(u.text())
	o.CustomerID, o.Currency, o.Payable, o.Reason, o.Detail = u.text(), u.text(), u.text(), u.text(), u.text()
	copy(r.BodySHA256[:], u.next(len(r.BodySHA256)))
}

// number reads a number as binary.AppendVarint writes it.
func (u *unpacker) number() int64 {
	n := u.unsigned()
	return int64(n>>1) ^ -int64(n&1)
}

func (u *unpacker) text() string {
	n := u.unsigned()
	if n > uint64(len(u.left)) {
		u.fail()
		return ""
	}
	return u.next(int(n))
}

// unsigned reads a number as binary.AppendUvarint writes it.
func (u *unpacker) unsigned() uint64 {
	var n uint64
	for i := range min(len(u.left), binary.MaxVarintLen64) {
		c := u.left[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			if i == binary.MaxVarintLen64-1 && c > 1 {
				break // more than 64 bits
			}
			u.left = u.left[i+1:]
			return n
		}
	}
	u.fail()
	return 0
}

func (u *unpacker) next(n int) string {
	if n > len(u.left) {
		u.fail()
		return ""
	}
	s := u.left[:n]
	u.left = u.left[n:]
	return s
}

func (u *unpacker) fail() { u.failed, u.left = true, "" }
