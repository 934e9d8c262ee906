package formats

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

// ReadExceptions reads an exceptions.csv back and hands every row with an id to take, in file order; an error of take ends
// the reading. The file may have gone through a spreadsheet, as for ReadComments: it must have the columns exception_id
// and reason, and an amount, a time or an age that cannot be read any more counts as not known. A file without these
// columns, or that is no CSV, is a *FileError.
func ReadExceptions(r io.Reader, take func(ExceptionRow) error) error {
	table, err := openNamedColumns(r, []string{"exception_id", "reason"}, exceptionColumns())
	if err != nil {
		return err
	}
	for {
		row, err := table.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e := row.exception(); e.ID != "" {
			if err := take(e); err != nil {
				return err
			}
		}
	}
}

// exception reads the row's cells.
func (r *namedRow) exception() ExceptionRow {
	e := ExceptionRow{
		ID: r.text("exception_id"), Severity: r.text("severity"), Reason: r.text("reason"), ExternalReference: r.text("external_reference"),
		CustomerID: r.text("customer_id"), PaymentID: r.text("payment_id"), EventID: r.text("event_id"), Currency: r.text("currency"),
		Detail: r.text("detail"), Owner: r.text("owner"), Comment: r.text("comment"),
	}
	if amount, ok := ParseSum(r.cell("amount"), e.Currency); ok {
		e.Amount, e.HasAmount = amount, true
	}
	e.FirstSeen, _ = time.Parse(time.RFC3339Nano, r.cell("first_seen"))
	if days, err := strconv.Atoi(r.cell("age_days")); err == nil {
		e.AgeDays, e.HasAge = days, true
	}
	return e
}

// text returns the cell of a column as it was before it was made safe for a spreadsheet, in memory of its own.
func (r *namedRow) text(name string) string { return strings.Clone(Unescape(r.cell(name))) }
