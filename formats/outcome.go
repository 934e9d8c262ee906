package formats

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"github.com/gocarina/gocsv"
)

// Outcome is what became of one record of a customer file. Every record ends in exactly one.
type Outcome string

// The outcomes of design.md section 6. Rejected: the customer's data is wrong, fix the file. Failed: we or the API could
// not, run again. In doubt: sent, and no usable answer came.
const (
	Created      Outcome = "created"
	Updated      Outcome = "updated"
	Unchanged    Outcome = "unchanged"
	Skipped      Outcome = "skipped"
	Duplicate    Outcome = "duplicate"
	Rejected     Outcome = "rejected"
	Failed       Outcome = "failed"
	InDoubt      Outcome = "in_doubt"
	NotAttempted Outcome = "not_attempted"
)

// Outcomes are all outcomes, in the order in which they are counted and shown.
var Outcomes = []Outcome{Created, Updated, Unchanged, Skipped, Duplicate, Rejected, Failed, InDoubt, NotAttempted}

// Final reports whether a record with this outcome is finished: importing the same file again sends nothing for it.
func (o Outcome) Final() bool {
	switch o {
	case Created, Updated, Unchanged, Skipped, Duplicate, Rejected:
		return true
	}
	return false
}

// TakenOff is a payment that was taken off a balance before the balance was sent, because the customer file could not have
// known of it.
type TakenOff struct {
	EventID string
	Amount  int64 // minor units of the balance's currency; negative for a reversal
}

// OutcomeRow is one row of an outcome file.
type OutcomeRow struct {
	Line              int // first physical line of the record, the header being 1
	ExternalReference string
	Outcome           Outcome
	CustomerID        string
	Currency          string
	Balance           Balance
	Payable           string // yes, no, or empty if there was no answer
	HTTPStatus        int    // of the last answer; 0 if there was none
	Attempts          int    // requests that were sent to create or update the customer
	Reason            string // short fixed word
	Detail            string
}

// outcomeCSV is an outcome row as texts, in the file's column order.
type outcomeCSV struct {
	Line              string `csv:"line"`
	ExternalReference string `csv:"external_reference"`
	Outcome           string `csv:"outcome"`
	CustomerID        string `csv:"customer_id"`
	Currency          string `csv:"currency"`
	Balance           string `csv:"balance"`
	Payable           string `csv:"payable"`
	HTTPStatus        string `csv:"http_status"`
	Attempts          string `csv:"attempts"`
	Reason            string `csv:"reason"`
	Detail            string `csv:"detail"`
}

func (r OutcomeRow) texts() outcomeCSV {
	t := outcomeCSV{
		Line: strconv.Itoa(r.Line), ExternalReference: r.ExternalReference, Outcome: string(r.Outcome), CustomerID: r.CustomerID,
		Currency: r.Currency, Payable: r.Payable, Attempts: strconv.Itoa(r.Attempts), Reason: r.Reason, Detail: r.Detail,
	}
	if r.Balance.Set {
		t.Balance = strconv.FormatInt(r.Balance.Minor, 10)
	}
	if r.HTTPStatus != 0 {
		t.HTTPStatus = strconv.Itoa(r.HTTPStatus)
	}
	return t
}

// outcomeBatch is how many rows are handed to the CSV layer at once.
const outcomeBatch = 512

// OutcomeWriter writes an outcome file (design.md section 6). It is for machines: texts stand as they are, without
// protection against spreadsheets.
type OutcomeWriter struct {
	csv    *csv.Writer
	batch  []outcomeCSV
	headed bool
}

// NewOutcomeWriter returns a writer; nothing is written before the first batch or Flush.
func NewOutcomeWriter(w io.Writer) *OutcomeWriter {
	return &OutcomeWriter{csv: csv.NewWriter(w), batch: make([]outcomeCSV, 0, outcomeBatch)}
}

// Write adds a row.
func (w *OutcomeWriter) Write(row OutcomeRow) error {
	w.batch = append(w.batch, row.texts())
	if len(w.batch) < outcomeBatch {
		return nil
	}
	return w.flush()
}

// Flush writes what is still held back, and the header in any case.
func (w *OutcomeWriter) Flush() error {
	if err := w.flush(); err != nil {
		return err
	}
	w.csv.Flush()
	return w.csv.Error()
}

func (w *OutcomeWriter) flush() error {
	write := gocsv.MarshalCSVWithoutHeaders
	if !w.headed {
		write = gocsv.MarshalCSV
	}
	if err := write(w.batch, &gocsv.SafeCSVWriter{Writer: w.csv}); err != nil {
		return fmt.Errorf("write outcome file: %w", err)
	}
	w.headed, w.batch = true, w.batch[:0]
	return nil
}
