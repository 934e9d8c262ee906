package formats

import (
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// ExpectedRow is one row of an expected file: what a customer owes before any of the events.
type ExpectedRow struct {
	CustomerID        string // bcus_…
	Currency          string
	Balance           int64 // minor units, negative = credit
	ExternalReference string
	Name              string
	DueDate           string // YYYY-MM-DD, or empty
	Payable           string // yes, no, or empty if not known
	Line              int    // its first physical line, the header being 1
}

// ExpectedCounts say what became of the rows of an expected file. Rows = Taken + LeftOut + Repeated.
type ExpectedCounts struct {
	Rows     int // all records after the header
	Taken    int // handed on
	LeftOut  int // no customer_id, no balance, or an outcome other than created, updated, unchanged
	Repeated int // a customer again, with equal figures
}

// ReadExpected reads an expected file (design.md section 8) and hands every row that counts to take, in file order; an
// error of take ends the reading. The file has the columns customer_id, currency and balance (minor units) and may have
// external_reference, name, due_date, outcome and payable, in any order among others, so an outcome file of an import
// is one. Commas or semicolons and a byte order mark are all right.
//
// A row without customer_id or balance, or with another outcome than created, updated or unchanged, asserts nothing: it
// is left out and counted. A customer again with the same currency and balance counts once. Anything else that is wrong,
// a customer again with other figures included, is a *FileError with its line and column, and nothing of the file may be
// used. The texts of a row share memory with those of rows near it: clone what you keep of a few.
func ReadExpected(r io.Reader, take func(ExpectedRow) error) (ExpectedCounts, error) {
	return EachExpected(r, takeOnce(take))
}

// EachExpected is ReadExpected for who has millions of customers and knows those that were there before: take gets some rows
// at a time, in file order, also those of customers that come again. It returns how many of these have equal figures and
// were passed over; of other figures Conflict is the error.
func EachExpected(r io.Reader, take func([]ExpectedRow) (repeated int, err error)) (ExpectedCounts, error) {
	columns := expectedColumns()
	table, err := openNamedColumns(r, columns[:3], columns[3:])
	if err != nil {
		return ExpectedCounts{}, err
	}
	return readExpectedTable(table, take)
}

// Conflict is the *FileError of a row whose customer was there before with another currency or balance.
func (r *ExpectedRow) Conflict() error {
	return &FileError{Line: r.Line, Column: "customer_id", Rule: "conflicting_customer", Remedy: "the customer stands in the file twice, with different currency or balance; keep the right one"}
}

func readExpectedTable(table *namedColumns, take func([]ExpectedRow) (int, error)) (ExpectedCounts, error) {
	var counts ExpectedCounts
	err := eachStretch(table, expectedColumns(), readExpectedRows, func(rows expectedRows) error {
		counts.Rows += rows.read
		counts.LeftOut += rows.read - len(rows.rows)
		repeated, err := take(rows.rows)
		counts.Repeated += repeated
		counts.Taken += len(rows.rows) - repeated
		return err
	})
	return counts, err
}

// takeOnce passes over customers that come again with equal figures.
func takeOnce(take func(ExpectedRow) error) func([]ExpectedRow) (int, error) {
	seen := newExpectedSeen()
	return func(rows []ExpectedRow) (repeated int, err error) {
		for i := range rows {
			row := &rows[i]
			row.Currency = seen.currency(row.Currency)
			again, same := seen.add(row)
			switch {
			case again && !same:
				return repeated, row.Conflict()
			case again:
				repeated++
				continue
			}
			if err := take(*row); err != nil {
				return repeated, err
			}
		}
		return repeated, nil
	}
}

// The columns of an expected file, as numbers of the cells of a row. The first three are required.
const (
	expectedCustomer = iota
	expectedCurrency
	expectedBalance
	expectedReference
	expectedName
	expectedDueDate
	expectedOutcome
	expectedPayable
)

func expectedColumns() []string {
	return []string{"customer_id", "currency", "balance", "external_reference", "name", "due_date", "outcome", "payable"}
}

// expectedRows are the rows of a stretch that assert something, of so many that were read.
type expectedRows struct {
	rows []ExpectedRow
	read int
}

// readExpectedRows reads the rows of a stretch up to the first one that is wrong.
func readExpectedRows(r *tableRows) (expectedRows, error) {
	out := expectedRows{rows: make([]ExpectedRow, 0, r.left())}
	known := ""
	for r.next() {
		if !asserts(r.cells) {
			out.read++
			continue
		}
		row, err := expectedRow(r.cells, r.at, known)
		if err != nil {
			return out, err
		}
		known = row.Currency
		out.read++
		out.rows = append(out.rows, row)
	}
	return out, nil
}

// asserts reports whether the row says what somebody owes.
func asserts(cells []string) bool {
	switch cells[expectedOutcome] {
	case "", "created", "updated", "unchanged":
		return cells[expectedCustomer] != "" && cells[expectedBalance] != ""
	}
	return false
}

// expectedRow reads the cells of a row. known is a currency that need not be looked up again.
func expectedRow(cells []string, line int, known string) (ExpectedRow, error) {
	row := ExpectedRow{
		CustomerID:        cells[expectedCustomer],
		Currency:          cells[expectedCurrency],
		ExternalReference: cells[expectedReference],
		Name:              cells[expectedName],
		DueDate:           cells[expectedDueDate],
		Payable:           cells[expectedPayable],
		Line:              line,
	}
	fault := func(column int, rule, remedy string) error {
		return &FileError{Line: line, Column: expectedColumns()[column], Rule: rule, Remedy: remedy}
	}
	for _, column := range [...]int{expectedCustomer, expectedReference, expectedName} {
		if !utf8.ValidString(cells[column]) {
			return row, fault(column, "bad_encoding", "the text is not valid UTF-8; export the file as UTF-8")
		}
	}
	if strings.TrimSpace(row.CustomerID) != row.CustomerID {
		return row, fault(expectedCustomer, "bad_customer_id", "take out the white space around it, or it fits no event")
	}
	if row.Currency == "" {
		return row, fault(expectedCurrency, "missing_currency", "a balance means nothing without its currency")
	}
	if row.Currency != known {
		if word, remedy := checkCurrency(row.Currency); word != "" {
			return row, fault(expectedCurrency, word, remedy)
		}
	}
	if word, remedy := checkDueDate(row.DueDate); word != "" {
		return row, fault(expectedDueDate, word, remedy)
	}
	if row.Payable != "" && row.Payable != "yes" && row.Payable != "no" {
		return row, fault(expectedPayable, "bad_payable", "write yes or no, or leave it empty")
	}
	var amount *AmountError
	balance, err := ParseMinor(cells[expectedBalance])
	if errors.As(err, &amount) {
		return row, fault(expectedBalance, "bad_balance", amount.Hint)
	}
	row.Balance = balance
	return row, err
}
